// The table and the JSON object.
#include "bot/load_report.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

namespace samples {
namespace {

using Json = nlohmann::ordered_json;  // in the order in which it is written here

constexpr int kNameWidth = 15;
constexpr int kValueWidth = 13;

double Microseconds(std::chrono::nanoseconds time) noexcept {
  return std::chrono::duration<double, std::micro>(time).count();
}

double MegabytesPerSecond(const RunResult& run, const LoadResult& load) noexcept {
  const auto bytes = static_cast<double>(load.within.deliveries * run.options.message_size);
  return load.duration.count() > 0 ? bytes / 1e6 / load.duration.count() : 0;
}

template <typename Value>
void Row(std::ostream& out, const char* name, const Value& value) {
  out << "  " << std::left << std::setw(kNameWidth) << name << std::right << std::setw(kValueWidth)
      << value << '\n';
}

void RowIfAny(std::ostream& out, const char* name, std::uint64_t count) {
  if (count > 0) Row(out, name, count);
}

void LatencyRow(std::ostream& out, const char* name, const std::optional<Latencies>& latencies) {
  if (!latencies) return;
  out << "  " << std::left << std::setw(kNameWidth) << name << std::right;
  for (const auto time : {latencies->p50, latencies->p99, latencies->p999, latencies->max}) {
    out << std::setw(kValueWidth) << Microseconds(time) / 1000;
  }
  out << "  ms\n";
}

void PrintLatencies(std::ostream& out, const LoadResult& load) {
  if (!load.round_trip) return;
  out << "  " << std::setw(kNameWidth) << "";
  for (const char* const column : {"p50", "p99", "p99.9", "max"}) {
    out << std::setw(kValueWidth) << column;
  }
  out << '\n' << std::setprecision(3);
  LatencyRow(out, "round trip", load.round_trip);
  LatencyRow(out, "last receiver", load.last_receiver);
}

void PrintLoad(std::ostream& out, const RunResult& run, const LoadResult& load) {
  out << ToString(load.mode) << ": " << load.title << ", " << run.options.message_size
      << " bytes a message\n";
  if (!load.prepared) out << "  not everybody got in\n";
  Row(out, "messages", load.totals.messages);
  Row(out, "deliveries", load.totals.deliveries);
  out << std::setprecision(load.within.messages < 1000 ? 1 : 0);
  Row(out, "messages/s", load.PerSecond(load.within.messages));
  out << std::setprecision(0);
  Row(out, "deliveries/s", load.PerSecond(load.within.deliveries));
  out << std::setprecision(1);
  Row(out, "MB/s", MegabytesPerSecond(run, load));
  PrintLatencies(out, load);
  Row(out, "lost", load.lost);
  Row(out, "duplicated", load.duplicated);
  Row(out, "reordered", load.reordered);
  Row(out, "corrupted", load.corrupted);
  RowIfAny(out, "said late", load.held_back);
  RowIfAny(out, "of others", load.foreign);
  RowIfAny(out, "complaints", load.complaints);
  if (load.complaints > 0) out << "  the first one: " << load.first_complaint << '\n';
}

Json ToJson(const std::optional<Latencies>& latencies) {
  if (!latencies) return nullptr;
  return {{"p50", Microseconds(latencies->p50)},
          {"p99", Microseconds(latencies->p99)},
          {"p999", Microseconds(latencies->p999)},
          {"max", Microseconds(latencies->max)}};
}

Json ToJson(const RunResult& run, const LoadResult& load) {
  return {{"mode", ToString(load.mode)},
          {"prepared", load.prepared},
          {"seconds", load.duration.count()},
          {"messages", load.totals.messages},
          {"deliveries", load.totals.deliveries},
          {"expected", load.expected},
          {"messages_per_second", load.PerSecond(load.within.messages)},
          {"deliveries_per_second", load.PerSecond(load.within.deliveries)},
          {"megabytes_per_second", MegabytesPerSecond(run, load)},
          {"round_trip_us", ToJson(load.round_trip)},
          {"last_receiver_us", ToJson(load.last_receiver)},
          {"lost", load.lost},
          {"duplicated", load.duplicated},
          {"reordered", load.reordered},
          {"corrupted", load.corrupted},
          {"said_late", load.held_back},
          {"of_others", load.foreign},
          {"complaints", load.complaints},
          {"first_complaint", load.first_complaint}};
}

}  // namespace

void PrintTable(std::ostream& out, const RunResult& result) {
  out << std::fixed << std::setprecision(0);
  Row(out, "connections", result.connected);
  Row(out, "connects/s", result.ConnectsPerSecond());
  for (const LoadResult& load : result.loads) PrintLoad(out, result, load);
  RowIfAny(out, "not connected", result.failed);
  RowIfAny(out, "broken", result.broken);
  if (!result.first_failure.empty()) out << "  first failure: " << result.first_failure << '\n';
  out << std::flush;
}

void PrintJson(std::ostream& out, const RunResult& result) {
  const LoadOptions& options = result.options;
  Json loads = Json::array();
  for (const LoadResult& load : result.loads) loads.push_back(ToJson(result, load));
  const Json json = {{"backend", result.backend},
                     {"threads", result.threads},
                     {"clients", options.clients},
                     {"message_size", options.message_size},
                     {"pipeline", options.pipeline},
                     {"rate", options.rate},
                     {"rooms", options.rooms},
                     {"connected", result.connected},
                     {"connect_seconds", result.connect_duration.count()},
                     {"connects_per_second", result.ConnectsPerSecond()},
                     {"failed", result.failed},
                     {"broken", result.broken},
                     {"first_failure", result.first_failure},
                     {"good", result.Good()},
                     {"loads", std::move(loads)}};
  // What a system or a server says may be in any encoding.
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << std::endl;
}

}  // namespace samples
