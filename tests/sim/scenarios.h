// The scenarios that sim_runner and the simulated tests run under thousands of seeds.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "netcore/sim/simulate.h"

namespace netcore::test {

/// Many clients have what they send echoed, in pieces of all sizes, pause, and half-close.
void EchoScenario(SimWorld& world);

/// Clients come and go; whoever is there does something at random, inside hooks too.
void ChurnScenario(SimWorld& world);

/// Servers send more than receivers take: bounds and deadlines.
void SlowScenario(SimWorld& world);

/// Services, connectors and cores are stopped at any moment, inside hooks too.
void StopScenario(SimWorld& world);

/// What clients send is echoed by jobs of the room they are in; rooms are full, closed, dropped.
void LogicScenario(SimWorld& world);

/// Members of groups come, speak, leave and go; each hears what was said to it while it was there.
void GroupsScenario(SimWorld& world);

/// Packets are echoed with packets, in pieces of all sizes, cut, and lied about.
void PacketScenario(SimWorld& world);

/// The whole chat server; clients do all that its protocol has, and much that it forbids.
void ChatScenario(SimWorld& world);

struct Scenario {
  std::string_view name;
  void (*run)(SimWorld& world);
};

inline constexpr std::array<Scenario, 8> kScenarios = {{{"echo", EchoScenario},
                                                        {"churn", ChurnScenario},
                                                        {"slow", SlowScenario},
                                                        {"stop", StopScenario},
                                                        {"logic", LogicScenario},
                                                        {"groups", GroupsScenario},
                                                        {"packet", PacketScenario},
                                                        {"chat", ChatScenario}}};

/// Null if there is none of that name.
const Scenario* FindScenario(std::string_view name) noexcept;

/// `running` points to the world while there is one.
SimReport RunScenario(const Scenario& scenario, std::uint64_t seed,
                      const SimWorld** running = nullptr);

}  // namespace netcore::test
