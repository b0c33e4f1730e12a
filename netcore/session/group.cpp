// The lists of a group, and what counts in the directory.
#include "netcore/session/group.h"

#include "netcore/session/group_directory.h"

namespace netcore {

Membership::Membership(GroupDirectory& directory, GroupId group, Connection& member,
                       std::size_t worker)
    : directory_(directory),
      group_(directory.Enter(group, worker)),
      member_(member),
      worker_(worker) {}

Membership::~Membership() { directory_.Exit(*group_, worker_); }

void Group::Add(Membership& membership) noexcept {
  Part& part = parts_[membership.worker_];
  membership.previous_ = part.last;
  membership.next_ = nullptr;
  (part.last != nullptr ? part.last->next_ : part.first) = &membership;
  part.last = &membership;
}

void Group::Remove(Membership& membership) noexcept {
  Part& part = parts_[membership.worker_];
  (membership.previous_ != nullptr ? membership.previous_->next_ : part.first) = membership.next_;
  (membership.next_ != nullptr ? membership.next_->previous_ : part.last) = membership.previous_;
}

}  // namespace netcore
