// Whose fault an accept's errno is: the table of accept(2), "Error handling".
#include <cerrno>

#include "netcore/port/linux/linux_sockets.h"
#include "tests/support/catch.h"

namespace netcore::linux_port {
namespace {

TEST_CASE("an error that is pending on the new connection is the peer's", "[accept]") {
  const int system_code =
      GENERATE(ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
               EOPNOTSUPP, ENETUNREACH, ETIMEDOUT, ECONNRESET, ENOTCONN, EPIPE);
  INFO("errno " << system_code);
  CHECK(AcceptFaultOf(system_code) == AcceptFault::kPeer);
}

TEST_CASE("a short resource and a refusal before the connection leaves the backlog are no peer's",
          "[accept]") {
  const int system_code = GENERATE(EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EACCES, EINVAL, EBADF);
  INFO("errno " << system_code);
  CHECK(AcceptFaultOf(system_code) == AcceptFault::kOther);
}

TEST_CASE("an interrupted or cancelled accept is nobody's fault", "[accept]") {
  const int system_code = GENERATE(0, EINTR, EAGAIN, ECANCELED);
  INFO("errno " << system_code);
  CHECK(AcceptFaultOf(system_code) == AcceptFault::kNone);
}

}  // namespace
}  // namespace netcore::linux_port
