#include "netcore/session/session_options.h"

#include "netcore/base/duration_check.h"

namespace netcore {

Error SessionOptions::Validate() const {
  return CheckDurations("session", {{"idle_timeout", idle_timeout},
                                    {"first_packet_timeout", first_packet_timeout},
                                    {"frame_timeout", frame_timeout},
                                    {"send_stall_timeout", send_stall_timeout},
                                    {"close_timeout", close_timeout}});
}

}  // namespace netcore
