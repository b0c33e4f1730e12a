// SendQueue: what waiting, gathering and being sent costs a message.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "netcore/buffer/send_buffer_pool.h"
#include "netcore/session/send_queue.h"

namespace netcore {
namespace {

using Slices = std::array<SendSlice, CompletionPort::kMaxSendSlices>;

constexpr std::size_t kMessageBytes = 32;

std::size_t SizeOf(std::span<const SendSlice> slices) {
  std::size_t size = 0;
  for (const SendSlice slice : slices) size += slice.size();
  benchmark::DoNotOptimize(slices.data());
  return size;
}

// One round: so many messages wait, and leave in gathers of as many as one send takes.
void ARoundOfMessages(benchmark::State& state) {
  const SendBufferRef message = SendBuffer::Create(kMessageBytes);
  SendBufferPool pool;
  SendQueue queue;
  Slices slices;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) queue.Push(message, pool);
    while (!queue.Empty()) {
      queue.Consume(SizeOf(std::span(slices).first(queue.Gather(slices))), pool);
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ARoundOfMessages)->Arg(1)->Arg(16)->Arg(64)->Arg(1024);

// A peer that reads slowly: the queue never empties, and each send takes one message and a half.
void AQueueThatNeverEmpties(benchmark::State& state) {
  const SendBufferRef message = SendBuffer::Create(kMessageBytes);
  SendBufferPool pool;
  SendQueue queue;
  Slices slices;
  for (std::int64_t i = 0; i < state.range(0); ++i) queue.Push(message, pool);
  for (auto _ : state) {
    for (int i = 0; i < 3; ++i) queue.Push(message, pool);
    for (int i = 0; i < 2; ++i) {
      std::size_t gathered = queue.Gather(slices);
      benchmark::DoNotOptimize(gathered);
      queue.Consume(kMessageBytes * 3 / 2, pool);
    }
  }
  state.SetItemsProcessed(state.iterations() * 3);
}
BENCHMARK(AQueueThatNeverEmpties)->Arg(16)->Arg(1024);

// Copied from the pool, queued, gathered, sent, given back: a Send on the own thread but for the
// system's part in it.
void ARoundOfCopies(benchmark::State& state) {
  const std::array<std::byte, kMessageBytes> message{};
  SendBufferPool pool;
  SendQueue queue;
  Slices slices;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) queue.Copy(message, {}, pool);
    queue.Consume(SizeOf(std::span(slices).first(queue.Gather(slices))), pool);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ARoundOfCopies)->Arg(1)->Arg(16)->Arg(64);

}  // namespace
}  // namespace netcore
