#include "netcore/port/linux/io_uring_ring.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <new>
#include <string>
#include <system_error>
#include <thread>

#include "netcore/base/assert.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

constexpr unsigned kAlways = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
constexpr unsigned kCooperative =
    kAlways | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL;

// Deferred work runs in Enter alone (Linux 6.1); cooperative work in any system call, but without
// an interrupt (5.19).
constexpr std::array<unsigned, 3> kFlagLadder{
    kCooperative | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, kCooperative, kAlways};

Error CreationError(int system_code) {
  switch (system_code) {
    case EPERM:
    case EACCES:
      return ErrorFromErrno(system_code, "io_uring: not permitted (kernel.io_uring_disabled?)");
    case ENOSYS:
      return ErrorFromErrno(system_code, "io_uring: this kernel has none");
    case ENOMEM:
      return ErrorFromErrno(system_code, "io_uring: no memory for a ring (ulimit -l?)");
    default:
      return ErrorFromErrno(system_code, "io_uring: create a ring");
  }
}

__kernel_timespec ToTimespec(Duration duration) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  __kernel_timespec time{};
  time.tv_sec = seconds.count();
  time.tv_nsec = (duration - seconds).count();
  return time;
}

}  // namespace

Error RunApart(const std::function<Error()>& step) {
  Error error;
  try {
    std::thread([&] {
      try {
        error = step();
      } catch (const std::bad_alloc&) {
        error = ErrorCode::kNoBuffers;
      }
    }).join();
  } catch (const std::system_error& refused) {
    return Error(ErrorCode::kNoBuffers, refused.code().value(), "io_uring: start a thread");
  }
  return error;
}

IoUringRing::~IoUringRing() {
  if (created_) io_uring_queue_exit(&ring_);
}

Error IoUringRing::Create(unsigned sq_entries, unsigned cq_entries) {
  if (script_ != nullptr) {
    if (const int refusal = script_->RefuseRing()) return CreationError(refusal);
  }
  const Error error = RunApart([&] {
    int result = -EINVAL;
    for (const unsigned flags : kFlagLadder) {
      io_uring_params params{};
      params.flags = flags;
      params.cq_entries = cq_entries;
      result = io_uring_queue_init_params(sq_entries, &ring_, &params);
      if (result != -EINVAL) break;
    }
    return result < 0 ? CreationError(-result) : Error();
  });
  created_ = !error;
  return error;
}

Error IoUringRing::Enable() {
  // Not io_uring_enable_rings, which liburing 2.3 declares but does not export.
  const int result = io_uring_register(static_cast<unsigned>(ring_.ring_fd),
                                       IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  if (result < 0) return ErrorFromErrno(-result, "io_uring: enable the ring");
  // Saves a look-up in each Enter; works as well without.
  static_cast<void>(io_uring_register_ring_fd(&ring_));
  return {};
}

io_uring_sqe* IoUringRing::NextEntry() noexcept {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (entry != nullptr) return entry;
  static_cast<void>(io_uring_submit(&ring_));
  return io_uring_get_sqe(&ring_);
}

bool IoUringRing::Cancel(std::uint64_t target, std::uint64_t answer_to) noexcept {
  io_uring_sqe* const entry = NextEntry();
  if (entry == nullptr) return false;
  io_uring_prep_cancel64(entry, target, 0);
  io_uring_sqe_set_data64(entry, answer_to);
  return true;
}

bool IoUringRing::IsHeldBack() const noexcept {
  constexpr unsigned kHeldBack = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
  return (io_uring_smp_load_acquire(ring_.sq.kflags) & kHeldBack) != 0;
}

IoUringRing::EnterResult IoUringRing::Enter(Duration timeout) noexcept {
  const int result = EnterOnce(timeout);
  if (result >= 0) return EnterResult::kDone;
  switch (-result) {
    case ETIME:
      return EnterResult::kDone;
    case EINTR:
      return EnterResult::kInterrupted;
    case EBUSY:
    case EBADR:
      return EnterResult::kBusy;
    case EAGAIN:
    case ENOMEM:
      return EnterResult::kNoMemory;
    default:
      detail::AssertionFailed(
          ("io_uring_enter failed with errno " + std::to_string(-result)).c_str(), __FILE__,
          __LINE__);
  }
}

int IoUringRing::EnterOnce(Duration timeout) noexcept {
  if (script_ != nullptr) {
    if (const int failure = script_->FailEnter()) return -failure;
  }
  if (timeout <= Duration::zero() || HasCompletion()) {
    if (io_uring_sq_ready(&ring_) == 0 && !IsHeldBack()) return 0;
    return io_uring_submit_and_get_events(&ring_);
  }
  if (timeout == Duration::max()) return io_uring_submit_and_wait(&ring_, 1);
  __kernel_timespec time = ToTimespec(timeout);
  io_uring_cqe* first = nullptr;
  return io_uring_submit_and_wait_timeout(&ring_, &first, 1, &time, nullptr);
}

const io_uring_cqe* IoUringRing::EntryAt(unsigned place) const noexcept {
  if (CompletionCount() <= place) return nullptr;
  return &ring_.cq.cqes[(*ring_.cq.khead + place) & ring_.cq.ring_mask];
}

std::uint64_t IoUringRing::UserDataAt(unsigned place) const noexcept {
  const io_uring_cqe* const entry = EntryAt(place);
  return entry != nullptr ? entry->user_data : kIgnored;
}

bool IoUringRing::NextCompletion(Completion& completion) noexcept {
  const io_uring_cqe* const entry = EntryAt(0);
  if (entry == nullptr) return false;
  completion = {entry->user_data, entry->res, entry->flags};
  io_uring_cq_advance(&ring_, 1);
  return true;
}

}  // namespace netcore::linux_port
