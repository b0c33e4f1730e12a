// Putting a server together, and taking it apart.
#include "netcore/service/service.h"

#include <utility>

#include "netcore/base/assert.h"
#include "netcore/service/acceptor.h"

namespace netcore {
namespace {

constexpr std::size_t kMaxAcceptDepth = 10'000;

Error Invalid(std::string_view what) { return Error(ErrorCode::kInvalidArgument, 0, what); }

}  // namespace

Service::Service(std::shared_ptr<IocpCore> core, std::shared_ptr<Listener> listener,
                 SessionFactory factory, std::size_t accept_depth, SessionOptions session,
                 std::size_t max_sessions)
    : host_(std::move(core)),
      owns_core_(false),
      listener_(std::move(listener)),
      factory_(std::move(factory)),
      accept_depth_(accept_depth),
      max_sessions_(max_sessions),
      session_(session) {}

Service::Service(ServiceOptions options)
    : host_(std::make_shared<IocpCore>(std::move(options.core))),
      owns_core_(true),
      listener_(std::make_shared<Listener>(std::move(options.address), options.port)),
      factory_(std::move(options.factory)),
      accept_depth_(options.accept_depth),
      max_sessions_(options.max_sessions),
      session_(options.session) {}

Service::~Service() {
  Stop(std::chrono::milliseconds::zero());
  if (Worker::Current() == nullptr) WaitStopped();
}

Error Service::Start() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kStopped) return Error(ErrorCode::kStopped, 0, "start a service");
  if (state_ == State::kStarted) return Invalid("start a service that was started before");
  if (GetIocpCore() == nullptr || listener_ == nullptr || !factory_) {
    return Invalid("start a service without a core, a listener or a session factory");
  }
  if (accept_depth_ == 0 || accept_depth_ > kMaxAcceptDepth) {
    return Invalid("start a service whose accept depth is not between 1 and 10000");
  }
  // The address first: most starts that fail, fail there, and then there is nothing to take back.
  std::shared_ptr<PortFactory> factory;
  if (const Error error = GetIocpCore()->OpenFactory(factory)) return error;
  if (const Error error = listener_->Open(*factory, session_.socket)) return error;
  OwnedSocket socket = listener_->TakeSocket();
  if (const Error error = host_.Open(session_, max_sessions_)) return error;
  if (owns_core_) {
    if (const Error error = GetIocpCore()->Run()) return error;
  }
  const std::shared_ptr<WorkerSet> workers = host_.Workers();
  const std::shared_ptr<SessionContext> context = host_.Context();
  const Worker::Seat seat = workers->Pick();
  auto acceptor = std::make_shared<Acceptor>(workers, seat.GetWorker(), context, factory_,
                                             listener_->LocalEndpoint(), accept_depth_);
  const bool pushed =
      seat.GetWorker().GetInbox()->Push([acceptor = std::move(acceptor), socket = std::move(socket),
                                         ticket = context->Enter()]() mutable {
        acceptor->Start(std::move(socket), std::move(ticket));
      });
  if (!pushed) return Error(ErrorCode::kStopped, 0, "start a service on a core that was stopped");
  state_ = State::kStarted;
  return {};
}

void Service::Stop(std::chrono::milliseconds deadline) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kNew) return;
    state_ = State::kStopped;
  }
  host_.Stop(deadline);
}

StopReport Service::WaitStopped() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kNew) return {.complete = true};
  }
  const StopReport report = host_.WaitStopped();
  // To stop a core is to join its threads, and one that is stuck in a hook can't be joined.
  if (owns_core_ && report.complete && Worker::Current() == nullptr) GetIocpCore()->Stop();
  return report;
}

ServiceStats Service::Stats() const { return host_.Stats(); }

std::shared_ptr<SessionManager> Service::Sessions() const { return host_.Sessions(); }

Endpoint Service::LocalEndpoint() const noexcept {
  return listener_ != nullptr ? listener_->LocalEndpoint() : Endpoint();
}

}  // namespace netcore
