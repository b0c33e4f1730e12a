// NameRegistry: who is called what: no two sessions have the same name at the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "netcore/session/session_id.h"

namespace samples::chat {

/// Two names are the same if their bytes are. Knows no rules for names but that.
///
/// Threads: any. Its lock is a leaf, held for one look-up.
class NameRegistry {
 public:
  /// False, and nothing is done, if somebody has the name, `owner` too. Throws std::bad_alloc.
  [[nodiscard]] bool Claim(std::string_view name, netcore::SessionId owner);

  /// "guest-1" or the first free one behind the last that was given. Throws std::bad_alloc.
  std::string ClaimGuest(netcore::SessionId owner);

  void Release(std::string_view name) noexcept;

  /// No session's if nobody has the name.
  netcore::SessionId Find(std::string_view name) const noexcept;

  std::size_t Count() const noexcept;

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT: the name that the container looks for
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::string, netcore::SessionId, Hash, std::equal_to<>> owners_;
  std::uint64_t last_guest_ = 0;
};

}  // namespace samples::chat
