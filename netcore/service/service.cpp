// Putting a server together, and taking it apart.
#include "netcore/service/service.h"

#include <string>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/base/exit_watch.h"
#include "netcore/base/log_delay.h"
#include "netcore/base/task.h"
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

class Service::Undo {
 public:
  explicit Undo(Service& service) noexcept : service_(service) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    if (kept_) return;
    service_.SetLocal({});
    service_.listener_->Revoke();
    service_.host_.Revoke();
    IocpCore& core = *service_.GetIocpCore();
    if (service_.owns_core_ && core.WorkerCount() > 0) core.Stop();
  }

  void Keep() noexcept { kept_ = true; }

 private:
  Service& service_;
  bool kept_ = false;
};

Service::~Service() {
  if (ExitWatch::IsExiting()) return;
  Stop(std::chrono::milliseconds::zero());
  if (Worker::Current() == nullptr) WaitStopped();
  if (uses_listener_) listener_->Release();
}

Error Service::Start() {
  const ExitWatch watch;
  const LogDelay delay;
  const std::lock_guard lock(mutex_);
  if (state_ == State::kStopped) return Error(ErrorCode::kStopped, 0, "start a service");
  if (state_ == State::kStarted) return Invalid("start a service that was started before");
  if (GetIocpCore() == nullptr || listener_ == nullptr || !factory_) {
    const char* const missing = GetIocpCore() == nullptr ? "core"
                                : listener_ == nullptr   ? "listener"
                                                         : "session factory";
    return Invalid(std::string("start a service without a ") + missing);
  }
  if (accept_depth_ == 0 || accept_depth_ > kMaxAcceptDepth) {
    return Invalid("start a service whose accept_depth is " + std::to_string(accept_depth_) +
                   ", and must be from 1 to " + std::to_string(kMaxAcceptDepth));
  }
  if (const Error error = session_.Validate()) return error;
  // The address first: most starts that fail, fail there, and then there is nothing to take back.
  std::shared_ptr<PortFactory> factory;
  if (const Error error = GetIocpCore()->OpenFactory(factory)) return error;
  if (const Error error = listener_->Open(*factory, session_.socket)) return error;
  Undo undo(*this);
  if (const Error error = Begin()) return error;
  undo.Keep();
  uses_listener_ = true;
  state_ = State::kStarted;
  return {};
}

// The threads behind all that may fail without them, and before the first session.
Error Service::Begin() {
  OwnedSocket socket = listener_->TakeSocket();
  if (const Error error = host_.Open(session_, max_sessions_)) return error;
  const std::shared_ptr<WorkerSet> workers = host_.Workers();
  const std::shared_ptr<SessionContext> context = host_.Context();
  const Worker::Seat seat = workers->Pick();
  auto acceptor = std::make_shared<Acceptor>(workers, seat.GetWorker(), context, factory_,
                                             listener_->LocalEndpoint(), accept_depth_);
  Task listen = [acceptor = std::move(acceptor), socket = std::move(socket),
                 ticket = context->Enter()]() mutable {
    acceptor->Start(std::move(socket), std::move(ticket));
  };
  if (owns_core_) {
    if (const Error error = GetIocpCore()->Run()) return error;
  }
  SetLocal(listener_->LocalEndpoint());
  if (seat.GetWorker().GetInbox()->Push(std::move(listen))) return {};
  return Error(ErrorCode::kStopped, 0, "start a service on a core that was stopped");
}

void Service::Stop(std::chrono::milliseconds deadline) noexcept {
  if (ExitWatch::IsExiting()) return;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kNew) return;
    state_ = State::kStopped;
  }
  host_.Stop(deadline);
}

StopReport Service::WaitStopped() {
  if (ExitWatch::IsExiting()) return {};
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kNew) return {.complete = true};
  }
  const StopReport report = host_.WaitStopped();
  if (report.complete) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(uses_listener_, false)) listener_->Release();
  }
  // To stop a core is to join its threads, and one that is stuck in a hook can't be joined.
  if (owns_core_ && report.complete && Worker::Current() == nullptr) GetIocpCore()->Stop();
  return report;
}

ServiceStats Service::Stats() const { return host_.Stats(); }

std::shared_ptr<SessionManager> Service::Sessions() const { return host_.Sessions(); }

void Service::SetLocal(const Endpoint& local) noexcept {
  const std::lock_guard lock(local_mutex_);
  local_ = local;
}

Endpoint Service::LocalEndpoint() const noexcept {
  const std::lock_guard lock(local_mutex_);
  return local_;
}

}  // namespace netcore
