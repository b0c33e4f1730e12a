// SendBuffer and SendBufferPool: what a message costs before it waits in a queue.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "netcore/buffer/send_buffer.h"
#include "netcore/buffer/send_buffer_pool.h"

namespace netcore {
namespace {

std::vector<std::byte> Message(const benchmark::State& state) {
  return std::vector<std::byte>(static_cast<std::size_t>(state.range(0)), std::byte{42});
}

void CountMessages(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// As a Send from another thread does it.
void CopyToTheHeap(benchmark::State& state) {
  const std::vector<std::byte> message = Message(state);
  for (auto _ : state) {
    SendBufferRef buffer = SendBuffer::Copy(message);
    benchmark::DoNotOptimize(buffer);
  }
  CountMessages(state);
}
BENCHMARK(CopyToTheHeap)->Arg(32)->Arg(512)->Arg(16 * 1024)->Arg(64 * 1024);

// As a Send on the worker's own thread does it.
void CopyFromThePool(benchmark::State& state) {
  const std::vector<std::byte> message = Message(state);
  SendBufferPool pool;
  for (auto _ : state) {
    SendBufferRef buffer = pool.Copy(message);
    benchmark::DoNotOptimize(buffer);
    pool.Recycle(std::move(buffer));
  }
  CountMessages(state);
}
BENCHMARK(CopyFromThePool)->Arg(32)->Arg(512)->Arg(16 * 1024);

// A round of sends: all are out before the first comes back.
void CopyARoundFromThePool(benchmark::State& state) {
  const std::vector<std::byte> message(32, std::byte{42});
  SendBufferPool pool;
  std::vector<SendBufferRef> round(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (SendBufferRef& buffer : round) buffer = pool.Copy(message);
    for (SendBufferRef& buffer : round) pool.Recycle(std::move(buffer));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(CopyARoundFromThePool)->Arg(16)->Arg(512)->Arg(4096);

// A share for one more receiver of a broadcast. With two threads, both share the same buffer.
void Share(benchmark::State& state) {
  static const SendBufferRef shared = SendBuffer::Create(32);
  for (auto _ : state) {
    SendBufferRef share = shared;
    benchmark::DoNotOptimize(share);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Share)->ThreadRange(1, 2)->UseRealTime();

}  // namespace
}  // namespace netcore
