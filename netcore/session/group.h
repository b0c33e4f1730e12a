// Group and Membership: who is in a group, a list on each worker, and one session's place in one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "netcore/session/group_id.h"

namespace netcore {

class Connection;
class Group;
class GroupDirectory;

/// Counts in the directory for as long as it exists, also before it is in the list: so a broadcast
/// knows which workers have members, or will have when it gets there.
///
/// Owns: a share in its group. Lifetime: its session's, or that of the mail it travels in. Threads:
/// the worker's once it is in the list.
class Membership {
 public:
  /// Throws std::bad_alloc. Threads: any.
  Membership(GroupDirectory& directory, GroupId group, Connection& member, std::size_t worker);
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// Not in the list any more. Threads: any.
  ~Membership();

  Group& GetGroup() const noexcept { return *group_; }
  Connection& Member() const noexcept { return member_; }
  std::size_t Worker() const noexcept { return worker_; }
  const Membership* Next() const noexcept { return next_; }

  /// The session's next one; the first is known to its connection.
  std::unique_ptr<Membership> next_of_member;

 private:
  friend class Group;

  GroupDirectory& directory_;
  const std::shared_ptr<Group> group_;
  Connection& member_;
  const std::size_t worker_;
  Membership* previous_ = nullptr;
  Membership* next_ = nullptr;
};

///     part 0   first_ <-> member <-> member <-> last_     worker 0's own
///     part 1   first_ <-> member <-> last_                worker 1's own
///
/// Owns: nothing but the lists' ends. Lifetime: shared by its memberships, the directory, and
/// broadcasts on their way. Threads: a part's list belongs to its worker; the counts, see
/// GroupDirectory.
class Group {
 public:
  /// Throws std::bad_alloc.
  Group(GroupId id, std::size_t workers) : id_(id), parts_(std::make_unique<Part[]>(workers)) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  GroupId Id() const noexcept { return id_; }

  /// Whether `worker` has members, or mail that will make some. Threads: any.
  bool HasMembers(std::size_t worker) const noexcept {
    return parts_[worker].count.load(std::memory_order_relaxed) > 0;
  }

  /// In the order of joining.
  const Membership* First(std::size_t worker) const noexcept { return parts_[worker].first; }

  void Add(Membership& membership) noexcept;
  void Remove(Membership& membership) noexcept;

 private:
  friend class GroupDirectory;

  struct Part {
    Membership* first = nullptr;
    Membership* last = nullptr;
    std::atomic<std::size_t> count{0};  // written under the directory's lock
  };

  const GroupId id_;
  std::size_t count_ = 0;  // of all parts; under the directory's lock
  const std::unique_ptr<Part[]> parts_;
};

}  // namespace netcore
