// Reserving a session for its connection, and sending it to a worker.
#include "netcore/service/connector.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "netcore/base/duration_check.h"
#include "netcore/base/exit_watch.h"
#include "netcore/session/connection.h"

namespace netcore {
namespace {

// On its way to the worker that the session will live on. Deletes itself.
class ConnectMail final : public Mail {
 public:
  ConnectMail(SessionRef session, Connection& connection, SessionContext::Ticket ticket,
              Worker::Seat seat, std::shared_ptr<WorkerSet> workers,
              std::chrono::milliseconds timeout) noexcept
      : ticket_(std::move(ticket)),
        session_(std::move(session)),
        connection_(connection),
        seat_(std::move(seat)),
        workers_(std::move(workers)),
        timeout_(timeout) {}
  ~ConnectMail() = default;

  void Deliver() noexcept override {
    if (connection_.IsTooLate()) return Discard();
    connection_.Connect(std::move(ticket_), std::move(seat_), workers_->Factory(), timeout_);
    delete this;
  }

  void Discard() noexcept override {
    connection_.Abandon();
    delete this;
  }

 private:
  SessionContext::Ticket ticket_;  // goes last: WaitStopped waits for it
  const SessionRef session_;
  Connection& connection_;
  Worker::Seat seat_;
  const std::shared_ptr<WorkerSet> workers_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace

Connector::Connector(std::shared_ptr<IocpCore> core, ConnectorOptions options)
    : host_(std::move(core)), options_(options) {}

Connector::~Connector() {
  if (ExitWatch::IsExiting()) return;
  Stop(std::chrono::milliseconds::zero());
  if (Worker::Current() == nullptr) WaitStopped();
}

Error Connector::Connect(const Endpoint& peer, SessionRef session) {
  const auto fail = [&](ErrorCode code) { return Error(code, 0, "connect " + peer.ToString()); };
  if (host_.Core() == nullptr || session == nullptr ||
      peer.GetFamily() == Endpoint::Family::kNone || peer.Port() == 0) {
    return fail(ErrorCode::kInvalidArgument);
  }
  Error error = CheckDurations("connector", {{"timeout", options_.timeout}});
  if (!error) error = host_.Open(options_.session, 0);
  if (error) return error.At("connect " + peer.ToString());
  const std::shared_ptr<SessionContext> context = host_.Context();
  const std::shared_ptr<WorkerSet> workers = host_.Workers();

  SessionContext::Ticket ticket = context->Enter();
  if (!ticket) return fail(ErrorCode::kStopped);
  Worker::Seat seat = workers->Pick();
  Worker& worker = seat.GetWorker();
  std::string_view why;
  Connection* connection = Connection::Attach(session, context, seat, peer, why);
  if (connection == nullptr) {
    return Error(ErrorCode::kInvalidArgument, 0,
                 "connect " + peer.ToString() + ": the session " + std::string(why));
  }
  std::unique_ptr<ConnectMail> mail;
  try {
    mail = std::make_unique<ConnectMail>(session, *connection, std::move(ticket), std::move(seat),
                                         workers, options_.timeout);
  } catch (...) {
    Connection::Detach(*session);
    throw;
  }
  if (worker.GetInbox()->Push(*mail)) {
    static_cast<void>(mail.release());
    return {};
  }
  Connection::Detach(*session);
  return fail(ErrorCode::kStopped);
}

void Connector::Stop(std::chrono::milliseconds deadline) noexcept { host_.Stop(deadline); }

StopReport Connector::WaitStopped() { return host_.WaitStopped(); }

ServiceStats Connector::Stats() const { return host_.Stats(); }

std::shared_ptr<SessionManager> Connector::Sessions() const { return host_.Sessions(); }

}  // namespace netcore
