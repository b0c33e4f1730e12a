// Counting who is in, under a lock of the group's shard.
#include "netcore/session/group_directory.h"

#include "netcore/base/assert.h"

namespace netcore {

std::shared_ptr<Group> GroupDirectory::Enter(GroupId id, std::size_t worker) {
  Shard& shard = shards_[ShardOf(id)];
  const std::lock_guard lock(shard.mutex);
  auto found = shard.groups.find(id);
  if (found == shard.groups.end()) {
    found = shard.groups.emplace(id, std::make_shared<Group>(id, workers_)).first;
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  Group& group = *found->second;
  ++group.count_;
  group.parts_[worker].count.fetch_add(1, std::memory_order_relaxed);
  return found->second;
}

void GroupDirectory::Exit(Group& group, std::size_t worker) noexcept {
  Shard& shard = shards_[ShardOf(group.Id())];
  const std::lock_guard lock(shard.mutex);
  NETCORE_ASSERT(group.count_ > 0);
  group.parts_[worker].count.fetch_sub(1, std::memory_order_relaxed);
  if (--group.count_ > 0) return;
  const auto found = shard.groups.find(group.Id());
  NETCORE_ASSERT(found != shard.groups.end() && found->second.get() == &group);
  shard.groups.erase(found);  // the caller has a share too
  count_.fetch_sub(1, std::memory_order_relaxed);
}

std::shared_ptr<Group> GroupDirectory::Find(GroupId id) const noexcept {
  const Shard& shard = shards_[ShardOf(id)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.groups.find(id);
  return found != shard.groups.end() ? found->second : nullptr;
}

std::size_t GroupDirectory::SizeOf(GroupId id) const noexcept {
  const Shard& shard = shards_[ShardOf(id)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.groups.find(id);
  return found != shard.groups.end() ? found->second->count_ : 0;
}

}  // namespace netcore
