// IoUringPort's cancels. The kernel may refuse one while the operation stays pending: its poll has
// just fired and it is on the way to its next try, or a thread of the kernel runs it. So each
// answer is looked at, and a cancel that was refused is asked for again until the operation has
// ended.
//
//   AskCancel ---> answer 0 ------------------------------------> the operation's last completion
//       ^     \--> answer -ENOENT, -EALREADY ---> still pending? -- no: it completed by itself
//       |                                              | yes
//       +-------------- next Enter <--- refused_ <-----+
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "netcore/port/linux/io_uring_port.h"

namespace netcore::linux_port {
namespace {

constexpr std::optional<std::uint16_t> kNothing;

std::optional<std::uint16_t> CancelledGeneration(const MultishotState& state) noexcept {
  return state.is_armed && state.is_cancelling ? std::optional(state.generation) : kNothing;
}

std::optional<std::uint16_t> CancelledGeneration(const IoUringEvent* record) noexcept {
  const bool is_cancelled = record != nullptr && record->is_cancelled && !record->is_ready;
  return is_cancelled ? std::optional(record->generation) : kNothing;
}

template <typename Operation>
std::optional<std::uint16_t> CancelledGeneration(const IoUringSocket& socket,
                                                 Operation operation) noexcept {
  switch (operation) {
    case Operation::kAccept:
      return CancelledGeneration(socket.accept_state);
    case Operation::kRecv:
      return CancelledGeneration(socket.recv_state);
    case Operation::kConnect:
      return CancelledGeneration(socket.connect);
    case Operation::kSend:
      return CancelledGeneration(socket.send);
    default:
      return kNothing;
  }
}

template <typename Operation>
std::uint8_t BitOf(Operation operation) noexcept {
  static_assert(static_cast<int>(Operation::kSend) < 8);
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(operation));
}

}  // namespace

void IoUringPort::AskCancel(IoUringSocket& socket, Operation operation,
                            std::uint16_t generation) noexcept {
  constexpr int kFirst = static_cast<int>(Operation::kFirstCancel);
  const auto answer = static_cast<Operation>(static_cast<int>(operation) + kFirst);
  if (script_ != nullptr) {
    if (const int refusal = script_->RefuseCancel()) {
      ++socket.unanswered_cancels;
      return ProcessCancel(socket, answer, generation, refusal);
    }
  }
  if (ring_.Cancel(UserData(socket, operation, generation), UserData(socket, answer, generation))) {
    ++socket.unanswered_cancels;
  } else {
    RefuseCancel(socket, operation);
  }
}

// To be asked for again with the next Enter.
void IoUringPort::RefuseCancel(IoUringSocket& socket, Operation operation) noexcept {
  socket.refused_cancels |= BitOf(operation);
  refused_.PushBack(socket);
}

// `operation` is that of the answer.
void IoUringPort::ProcessCancel(IoUringSocket& socket, Operation operation,
                                std::uint16_t generation, int result) noexcept {
  --socket.unanswered_cancels;
  const bool is_released = socket.is_closed && socket.descriptor < 0;
  if (is_released && socket.unanswered_cancels == 0) closed_.PushBack(socket);
  constexpr int kFirst = static_cast<int>(Operation::kFirstCancel);
  const auto asked = static_cast<Operation>(static_cast<int>(operation) - kFirst);
  if (result < 0 && CancelledGeneration(socket, asked) == generation) RefuseCancel(socket, asked);
}

// Returns for how long the next Enter may wait. A cancel that is refused at once, again and again,
// is of an operation that a thread of the kernel runs: it is asked for once a millisecond.
Duration IoUringPort::AskAgain(Duration timeout) noexcept {
  constexpr int kQuickRounds = 8;
  constexpr Duration kPause = std::chrono::milliseconds(1);
  if (refused_rounds_ < kQuickRounds) {
    ++refused_rounds_;
  } else {
    const TimePoint now = Now();
    if (now < next_ask_) return std::min(timeout, next_ask_ - now);
    next_ask_ = now + kPause;
  }
  IntrusiveList<IoUringSocket, CancelTag> refused;
  refused.TakeAll(refused_);
  while (!refused.IsEmpty()) {
    IoUringSocket& socket = refused.PopFront();
    const std::uint8_t bits = std::exchange(socket.refused_cancels, std::uint8_t{0});
    for (const Operation operation :
         {Operation::kAccept, Operation::kConnect, Operation::kRecv, Operation::kSend}) {
      if ((bits & BitOf(operation)) != 0) AskAgain(socket, operation);
    }
  }
  // What the script or a full queue refused at once waits for the next round.
  return refused_.IsEmpty() ? timeout : std::min(timeout, kPause);
}

// Does nothing for an operation that has ended meanwhile.
void IoUringPort::AskAgain(IoUringSocket& socket, Operation operation) noexcept {
  if (const auto generation = CancelledGeneration(socket, operation)) {
    AskCancel(socket, operation, *generation);
  }
}

}  // namespace netcore::linux_port
