// The table and the JSON object.
#include "bot/load_result.h"

#include <iomanip>
#include <ostream>

namespace samples {
namespace {

double Microseconds(std::chrono::nanoseconds time) noexcept {
  return std::chrono::duration<double, std::micro>(time).count();
}

template <typename Value>
void Row(std::ostream& out, const char* name, const Value& value, const char* unit = "") {
  out << "  " << std::left << std::setw(14) << name << std::right << std::setw(14) << value << unit
      << '\n';
}

}  // namespace

bool LoadResult::Good() const noexcept {
  return connected == options.clients && failed == 0 && broken == 0 && corrupted == 0 &&
         lost == 0 && messages > 0;
}

double LoadResult::MessagesPerSecond() const noexcept {
  return duration.count() > 0 ? static_cast<double>(messages) / duration.count() : 0;
}

double LoadResult::MegabytesPerSecond() const noexcept {
  return duration.count() > 0 ? static_cast<double>(bytes) / 1e6 / duration.count() : 0;
}

void PrintTable(std::ostream& out, const LoadResult& result) {
  out << std::fixed << std::setprecision(0);
  Row(out, "connections", result.connected);
  Row(out, "messages", result.messages);
  Row(out, "messages/s", result.MessagesPerSecond());
  out << std::setprecision(1);
  Row(out, "MB/s", result.MegabytesPerSecond(), "  each way");
  out << std::setprecision(3);
  Row(out, "p50", Microseconds(result.p50) / 1000, " ms");
  Row(out, "p99", Microseconds(result.p99) / 1000, " ms");
  Row(out, "max", Microseconds(result.max) / 1000, " ms");
  Row(out, "lost", result.lost);
  if (result.failed > 0) Row(out, "not connected", result.failed);
  if (result.broken > 0) Row(out, "broken", result.broken);
  if (result.corrupted > 0) Row(out, "corrupted", result.corrupted);
  if (!result.first_failure.empty()) out << "  first failure: " << result.first_failure << '\n';
  out << std::flush;
}

void PrintJson(std::ostream& out, const LoadResult& result) {
  out << std::fixed << std::setprecision(1) << "{\"mode\": \"" << result.mode
      << "\", \"backend\": \"" << result.backend << "\", \"clients\": " << result.options.clients
      << ", \"message_size\": " << result.options.message_size
      << ", \"pipeline\": " << result.options.pipeline << ", \"connected\": " << result.connected
      << ", \"failed\": " << result.failed << ", \"broken\": " << result.broken
      << ", \"corrupted\": " << result.corrupted << ", \"lost\": " << result.lost
      << ", \"messages\": " << result.messages
      << ", \"messages_per_second\": " << result.MessagesPerSecond()
      << ", \"megabytes_per_second\": " << result.MegabytesPerSecond()
      << ", \"p50_us\": " << Microseconds(result.p50)
      << ", \"p99_us\": " << Microseconds(result.p99)
      << ", \"max_us\": " << Microseconds(result.max) << std::setprecision(3)
      << ", \"seconds\": " << result.duration.count() << "}" << std::endl;
}

}  // namespace samples
