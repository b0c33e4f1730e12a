// A ring that the kernel refuses to the n-th worker: ulimit -l, for a user without CAP_IPC_LOCK.
#include <cerrno>
#include <memory>
#include <string>

#include "netcore/port/linux/io_uring_factory.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

using linux_port::IoUringFactory;

// Refuses one ring.
class RefusesRing final : public linux_port::IoUringScript {
 public:
  explicit RefusesRing(int number) : left_(number) {}
  int RefuseRing() noexcept override { return --left_ == 0 ? ENOMEM : 0; }

 private:
  int left_;
};

CoreOptions ThreeWorkers(IoUringFactory::Choice choice, RefusesRing& script, LogLines& log) {
  CoreOptions options;
  options.threads = 3;
  options.log = log.Sink();
  options.port_factory = std::make_shared<IoUringFactory>(
      std::make_shared<const Log>(options.log), choice, linux_port::IoUringSizes{}, &script);
  return options;
}

bool HasIoUring() {
  if (IsSupported(Backend::kIoUring)) return true;
  WARN("no io_uring on this machine: not tested");
  return false;
}

TEST_CASE("a ring that is refused to the third worker makes epoll serve all, on the same address",
          "[service][start]") {
  if (!HasIoUring()) return;
  RefusesRing script(3);
  LogLines log;
  const auto core =
      std::make_shared<IocpCore>(ThreeWorkers(IoUringFactory::Choice::kBest, script, log));
  Hooks echo;
  echo.on_recv = [](TestSession& session, std::span<std::byte> bytes) { session.Send(bytes); };
  Service service(
      core, std::make_shared<Listener>("127.0.0.1", 0),
      [&] { return std::make_shared<TestSession>(echo); }, 4);
  // The listener is bound by the first backend's factory.
  const Error error = service.Start();
  REQUIRE(error.Message() == Error().Message());
  CHECK(core->BackendName() == "epoll");
  CHECK(log.Count("backend io_uring refused (worker 3 of 3: io_uring: no memory for a ring "
                  "(ulimit -l?): ") == 1);
  REQUIRE_FALSE(core->Run());
  Connector connector(core);
  Hooks speak;
  speak.on_connected = [](TestSession& session) { session.SendText("through epoll"); };
  const auto client = std::make_shared<TestSession>(speak);
  REQUIRE_FALSE(connector.Connect(service.LocalEndpoint(), client));
  CHECK(Eventually([&] { return client->Received() == "through epoll"; }));
  connector.Stop(milliseconds::zero());
  service.Stop(milliseconds::zero());
  CHECK(connector.WaitStopped().complete);
  CHECK(service.WaitStopped().complete);
}

TEST_CASE("a ring that is refused to the third worker is an error where io_uring was named",
          "[service][start]") {
  if (!HasIoUring()) return;
  RefusesRing script(3);
  LogLines log;
  const auto core =
      std::make_shared<IocpCore>(ThreeWorkers(IoUringFactory::Choice::kByName, script, log));
  Service service(core, std::make_shared<Listener>("127.0.0.1", 0), MakeSession<TestSession>, 4);
  const Error error = service.Start();
  CHECK(error == ErrorCode::kNoBuffers);
  CHECK(error.Message().find("worker 3 of 3: io_uring: no memory for a ring (ulimit -l?)") == 0);
  CHECK(core->WorkerCount() == 0);
}

TEST_CASE("the backend that is chosen as the best falls back to epoll", "[service][start]") {
  if (!HasIoUring()) return;
  const std::shared_ptr<PortFactory> best = NewFactory(Backend::kAuto);
  if (best->Name() != "io_uring") return;  // NETCORE_BACKEND says so
  REQUIRE(best->Fallback() != nullptr);
  CHECK(best->Fallback()->Name() == "epoll");
}

}  // namespace
}  // namespace netcore::test
