// A hash table under a lock.
#include "chat/name_registry.h"

namespace samples::chat {

bool NameRegistry::Claim(std::string_view name, netcore::SessionId owner) {
  std::string key(name);
  const std::lock_guard lock(mutex_);
  return owners_.try_emplace(std::move(key), owner).second;
}

std::string NameRegistry::ClaimGuest(netcore::SessionId owner) {
  const std::lock_guard lock(mutex_);
  for (;;) {
    // Ends: there are no more names than sessions.
    std::string name = "guest-" + std::to_string(++last_guest_);
    if (owners_.try_emplace(name, owner).second) return name;
  }
}

void NameRegistry::Release(std::string_view name) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = owners_.find(name);
  if (found != owners_.end()) owners_.erase(found);
}

netcore::SessionId NameRegistry::Find(std::string_view name) const noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = owners_.find(name);
  return found == owners_.end() ? netcore::SessionId() : found->second;
}

std::size_t NameRegistry::Count() const noexcept {
  const std::lock_guard lock(mutex_);
  return owners_.size();
}

}  // namespace samples::chat
