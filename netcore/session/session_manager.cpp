// Finding, grouping, broadcasting.
#include "netcore/session/session_manager.h"

#include <new>
#include <string>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/core/inbox.h"
#include "netcore/core/worker.h"
#include "netcore/session/connection.h"
#include "netcore/session/group.h"
#include "netcore/session/group_directory.h"
#include "netcore/session/session_table.h"

namespace netcore {

struct SessionManager::Message {
  std::shared_ptr<Group> group;  // null: everybody
  SendBufferRef buffer;
  SessionId except{};
  std::uint64_t number = 0;                               // of those to everybody
  std::shared_ptr<const std::vector<SessionId>> first{};  // null: nobody
};

/// A message on its way to one worker. Deletes itself.
class SessionManager::BroadcastMail final : public Mail {
 public:
  BroadcastMail(std::shared_ptr<SessionManager> manager, const Message& message, std::size_t worker,
                std::unique_ptr<BroadcastMail> its_next) noexcept
      : next(std::move(its_next)),
        manager_(std::move(manager)),
        message_(message),
        worker_(worker) {}
  ~BroadcastMail() = default;

  void Deliver() noexcept override {
    manager_->Deliver(message_, worker_);
    delete this;
  }
  void Discard() noexcept override { delete this; }

  std::size_t Worker() const noexcept { return worker_; }

  std::unique_ptr<BroadcastMail> next;  // until it is sent

 private:
  const std::shared_ptr<SessionManager> manager_;
  const Message message_;
  const std::size_t worker_;
};

SessionManager::SessionManager(std::vector<std::shared_ptr<Inbox>> inboxes)
    : inboxes_(std::move(inboxes)), groups_(std::make_unique<GroupDirectory>(inboxes_.size())) {
  NETCORE_ASSERT(inboxes_.size() <= std::size_t{1} << SessionId::kWorkerBits);
  for (std::size_t worker = 0; worker < inboxes_.size(); ++worker) {
    tables_.push_back(std::make_unique<SessionTable>(worker));
  }
}

SessionManager::~SessionManager() = default;

SessionRef SessionManager::Find(SessionId id) const noexcept {
  return id.Worker() < tables_.size() ? Table(id.Worker()).Find(id) : nullptr;
}

std::vector<SessionRef> SessionManager::Snapshot() const {
  std::vector<SessionRef> sessions;
  for (const auto& table : tables_) table->AddTo(sessions);
  return sessions;
}

std::size_t SessionManager::Count() const noexcept {
  std::size_t count = 0;
  for (const auto& table : tables_) count += table->Count();
  return count;
}

// Null if it has not begun, or belongs to another service.
Connection* SessionManager::MineOf(const SessionRef& session) const noexcept {
  Connection* const connection = session != nullptr ? session->Begun() : nullptr;
  return connection != nullptr && connection->Manager().get() == this ? connection : nullptr;
}

bool SessionManager::Join(GroupId group, const SessionRef& session) noexcept {
  Connection* const connection = MineOf(session);
  return connection != nullptr && connection->Join(group);
}

bool SessionManager::Join(GroupId group, SessionId session) noexcept {
  return Join(group, Find(session));
}

void SessionManager::Leave(GroupId group, const SessionRef& session) noexcept {
  if (Connection* const connection = MineOf(session)) connection->Leave(group);
}

void SessionManager::Leave(GroupId group, SessionId session) noexcept {
  Leave(group, Find(session));
}

void SessionManager::LeaveAll(const SessionRef& session) noexcept {
  if (Connection* const connection = MineOf(session)) connection->LeaveAll();
}

void SessionManager::LeaveAll(SessionId session) noexcept { LeaveAll(Find(session)); }

bool SessionManager::Broadcast(GroupId group, SendBufferRef buffer, SessionId except) noexcept {
  if (!buffer || buffer->Size() == 0) return true;
  std::shared_ptr<Group> found = groups_->Find(group);
  return found == nullptr || Spread({std::move(found), std::move(buffer), except});
}

bool SessionManager::BroadcastFirstTo(std::span<const SessionId> first, GroupId group,
                                      SendBufferRef buffer) noexcept {
  if (!buffer || buffer->Size() == 0) return true;
  Message message{groups_->Find(group), std::move(buffer)};
  if (message.group == nullptr) return true;
  try {
    message.first = std::make_shared<const std::vector<SessionId>>(first.begin(), first.end());
  } catch (const std::bad_alloc&) {
    return false;
  }
  return Spread(message);
}

bool SessionManager::BroadcastAll(SendBufferRef buffer, SessionId except) noexcept {
  if (!buffer || buffer->Size() == 0) return true;
  const std::uint64_t number = 1 + broadcasts_to_all_.fetch_add(1, std::memory_order_relaxed);
  return Spread({nullptr, std::move(buffer), except, number});
}

// All memory is taken before anybody is told: everybody gets it, or nobody.
bool SessionManager::Spread(const Message& message) noexcept {
  std::unique_ptr<BroadcastMail> mails;
  std::size_t here = inboxes_.size();
  try {
    for (std::size_t worker = inboxes_.size(); worker-- > 0;) {
      if (!HasReceivers(message, worker)) continue;
      if (IsHere(worker)) {
        here = worker;
      } else {
        mails =
            std::make_unique<BroadcastMail>(shared_from_this(), message, worker, std::move(mails));
      }
    }
  } catch (const std::bad_alloc&) {
    return false;
  }
  while (mails != nullptr) {  // the other workers first: they go on meanwhile
    std::unique_ptr<BroadcastMail> mail = std::exchange(mails, std::move(mails->next));
    if (inboxes_[mail->Worker()]->Push(*mail)) static_cast<void>(mail.release());
  }
  if (here < inboxes_.size()) Deliver(message, here);
  return true;
}

bool SessionManager::HasReceivers(const Message& message, std::size_t worker) const noexcept {
  return message.group != nullptr ? message.group->HasMembers(worker) : Table(worker).Count() > 0;
}

// On the worker's own thread, and nothing waits that was said before.
bool SessionManager::IsHere(std::size_t worker) const noexcept {
  const Worker* const current = Worker::Current();
  return current != nullptr && current->GetInbox() == inboxes_[worker] &&
         !inboxes_[worker]->HasMail();
}

// Who is the first to have something to send is the first to send it.
void SessionManager::PutFirst(const std::vector<SessionId>& first,
                              std::size_t worker) const noexcept {
  for (const SessionId id : first) {
    Session* const session = id.Worker() == worker ? Table(worker).FindOwn(id) : nullptr;
    if (session != nullptr) session->Begun()->FlushSoon();
  }
}

// Nobody joins, leaves or is closed meanwhile: queueing calls no hook, and whoever it ends is
// closed later (Connection::FinishOneLater).
void SessionManager::Deliver(const Message& message, std::size_t worker) const noexcept {
  const auto queue = [&](Connection& connection) {
    if (connection.Id() != message.except) connection.QueueBroadcast(message.buffer);
  };
  if (message.group == nullptr) {
    return Table(worker).ForEachOwn([&](Session& session) {
      if (session.Begun()->Hears(message.number)) queue(*session.Begun());
    });
  }
  if (message.first != nullptr) PutFirst(*message.first, worker);
  for (const Membership* one = message.group->First(worker); one != nullptr; one = one->Next()) {
    queue(one->Member());
  }
}

std::size_t SessionManager::GroupSize(GroupId group) const noexcept {
  return groups_->SizeOf(group);
}

std::size_t SessionManager::GroupCount() const noexcept { return groups_->Count(); }

}  // namespace netcore
