// GroupDirectory: the groups that have members, by id. Knows how many are on which worker; not who.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "netcore/session/group.h"
#include "netcore/session/group_id.h"

namespace netcore {

/// Owns: a share in each group, until its last member is gone. Lifetime: its manager's.
/// Threads: any. Each of its locks is a leaf, held for one look-up.
class GroupDirectory {
 public:
  explicit GroupDirectory(std::size_t workers) noexcept : workers_(workers) {}
  GroupDirectory(const GroupDirectory&) = delete;
  GroupDirectory& operator=(const GroupDirectory&) = delete;

  /// The group, made if need be, and one member more on `worker`. Throws std::bad_alloc.
  std::shared_ptr<Group> Enter(GroupId id, std::size_t worker);

  /// One member less; the last one takes the group out.
  void Exit(Group& group, std::size_t worker) noexcept;

  /// Null if nobody is in it.
  std::shared_ptr<Group> Find(GroupId id) const noexcept;

  /// Members of one group, and how many groups there are.
  std::size_t SizeOf(GroupId id) const noexcept;
  std::size_t Count() const noexcept { return count_.load(std::memory_order_relaxed); }

  /// Calls `action(group)` for each group. Threads: while nobody else enters or exits.
  template <typename Action>
  void ForEach(Action&& action) const {
    for (const Shard& shard : shards_) {
      for (const auto& [id, group] : shard.groups) action(*group);
    }
  }

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<GroupId, std::shared_ptr<Group>> groups;
  };

  static constexpr unsigned kShardBits = 4;

  // Room numbers are mostly small and follow each other.
  static std::size_t ShardOf(GroupId id) noexcept {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(id) * 0x9e3779b97f4a7c15U) >>
                                    (64 - kShardBits));
  }

  const std::size_t workers_;
  std::array<Shard, std::size_t{1} << kShardBits> shards_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace netcore
