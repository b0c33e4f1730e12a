#include "netcore/sim/group_check.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "netcore/core/inbox.h"
#include "netcore/session/connection.h"
#include "netcore/session/group.h"
#include "netcore/session/group_directory.h"
#include "netcore/session/session_table.h"

namespace netcore {

std::string GroupCheck::Violation(const SessionManager& manager) {
  // By address, of all that is shown: what a group names must be among them before it is touched.
  std::vector<const Connection*> live;
  std::size_t memberships = 0;
  for (const auto& table : manager.tables_) {
    std::size_t shown = 0;
    table->ForEachOwn([&](Session& session) {
      const Connection* const connection = session.Begun();
      live.push_back(connection);
      ++shown;
      for (const Membership* one = connection->FirstMembership(); one != nullptr;
           one = one->next_of_member.get()) {
        ++memberships;
      }
    });
    if (shown != table->Count()) return "a worker's sessions are not as many as it counts";
  }
  std::sort(live.begin(), live.end());

  std::string violation;
  std::size_t groups = 0;
  std::size_t members = 0;
  manager.Groups().ForEach([&](const Group& group) {
    ++groups;
    for (std::size_t worker = 0; worker < manager.tables_.size(); ++worker) {
      std::size_t here = 0;
      for (const Membership* one = group.First(worker); one != nullptr; one = one->Next()) {
        const Connection* const member = &one->Member();
        if (!std::binary_search(live.begin(), live.end(), member)) {
          violation = "a group holds a session that has ended";
          return;
        }
        if (member->Id().Worker() != worker) violation = "a group has a session on a wrong worker";
        ++here;
      }
      if (here > 0 && !group.HasMembers(worker)) violation = "a broadcast would miss a worker";
      members += here;
    }
  });
  if (!violation.empty()) return violation;
  if (groups != manager.GroupCount()) return "the groups are not as many as is counted";
  if (members != memberships) return "groups and sessions do not name each other";
  return {};
}

}  // namespace netcore
