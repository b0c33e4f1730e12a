// The modes' names.
#include "bot/load_options.h"

namespace samples {

std::string_view ToString(LoadMode mode) noexcept {
  switch (mode) {
    case LoadMode::kEcho:
      return "echo";
    case LoadMode::kBroadcast:
      return "broadcast";
    case LoadMode::kChat:
      return "chat";
  }
  return "unknown";
}

}  // namespace samples
