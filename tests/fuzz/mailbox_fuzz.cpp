// Mailbox under any order of pushes, deliveries and a close, also from inside a delivery, against a
// list of numbers. One thread: what several do at once is for the tests under ThreadSanitizer.
#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <utility>

#include "netcore/base/mailbox.h"
#include "tests/fuzz/fuzz_support.h"

namespace netcore {
namespace {

class MailboxRun {
 public:
  explicit MailboxRun(fuzz::Decisions decisions) : decisions_(decisions) {
    for (EmbeddedMail& mail : mails_) mail.run = this;
  }

  void Run() {
    while (!decisions_.Empty()) {
      switch (decisions_.Below(8)) {
        case 0:
        case 4:
          Deliver(SIZE_MAX);
          break;
        case 1:
          if (decisions_.Byte() == 0xff) Close();
          break;
        case 2:
          Deliver(decisions_.Below(4));
          break;
        case 3:
          if (decisions_.Byte() > 0xc0) CloseIfEmpty();
          break;
        default:
          Push();
      }
      FUZZ_REQUIRE(mailbox_->HasMail() == !waiting_.empty());
      FUZZ_REQUIRE(mailbox_->HasUnread() == (waiting_.size() > left_));
    }
    discarding_ = true;
    mailbox_.reset();
    FUZZ_REQUIRE(waiting_.empty() && alive_tasks_ == 0);
  }

 private:
  struct EmbeddedMail final : public Mail {
    void Deliver() noexcept override { run->Delivered(std::exchange(number, 0)); }
    void Discard() noexcept override { run->Discarded(std::exchange(number, 0)); }

    MailboxRun* run = nullptr;
    std::size_t number = 0;  // 0: in no mailbox
  };

  // Small ones live inside a Task, large ones on the heap.
  template <std::size_t kPadding>
  class Job {
   public:
    Job(MailboxRun& run, std::size_t number) noexcept : run_(&run), number_(number) {
      ++run.alive_tasks_;
    }
    Job(Job&& other) noexcept
        : run_(std::exchange(other.run_, nullptr)), number_(other.number_), ran_(other.ran_) {}
    ~Job() {
      if (run_ == nullptr) return;
      --run_->alive_tasks_;
      if (!ran_ && !run_->refusing_) run_->Discarded(number_);
    }
    void operator()() {
      ran_ = true;
      run_->Delivered(number_);
    }

   private:
    MailboxRun* run_;
    std::size_t number_;
    bool ran_ = false;
    std::array<char, kPadding> padding_{};
  };

  void Push() {
    const std::size_t number = ++last_number_;
    const std::size_t choice = decisions_.Below(8);
    refusing_ = closed_;
    if (choice < mails_.size() && mails_[choice].number == 0) {
      mails_[choice].number = number;
      const bool pushed = mailbox_->Push(mails_[choice]);
      FUZZ_REQUIRE(pushed == !closed_);
      if (!pushed) mails_[choice].number = 0;
    } else if (choice % 2 == 0) {
      FUZZ_REQUIRE(mailbox_->Push(Job<1>(*this, number)) == !closed_);
    } else {
      FUZZ_REQUIRE(mailbox_->Push(Job<100>(*this, number)) == !closed_);
    }
    refusing_ = false;
    if (!closed_) waiting_.push_back(number);
  }

  // What comes meanwhile waits for the next call, and for what an earlier one has left.
  void Deliver(std::size_t most) {
    const std::size_t there = left_ > 0 ? left_ : waiting_.size();
    const std::size_t wanted = std::min(there, most);
    delivering_ = true;
    delivered_ = 0;
    const std::size_t count = mailbox_->Deliver(most);
    delivering_ = false;
    FUZZ_REQUIRE(count == delivered_);
    FUZZ_REQUIRE(closed_ ? count <= wanted : count == wanted);
    left_ = closed_ ? 0 : there - count;
  }

  void Delivered(std::size_t number) {
    FUZZ_REQUIRE(delivering_ && !discarding_);
    FUZZ_REQUIRE(!waiting_.empty() && waiting_.front() == number);
    waiting_.pop_front();
    ++delivered_;
    FUZZ_REQUIRE(mailbox_->HasMail() == !waiting_.empty());
    for (std::size_t pushes = decisions_.Below(3); pushes > 0; --pushes) Push();
    if (decisions_.Byte() == 0xff) Close();
  }

  void Discarded(std::size_t number) {
    FUZZ_REQUIRE(discarding_);
    FUZZ_REQUIRE(!waiting_.empty() && waiting_.front() == number);
    waiting_.pop_front();
  }

  void CloseIfEmpty() {
    const bool closed = mailbox_->CloseIfEmpty();
    FUZZ_REQUIRE(closed == (closed_ || waiting_.empty()));
    closed_ = closed;
  }

  void Close() {
    closed_ = true;
    discarding_ = true;
    mailbox_->Close();
    discarding_ = false;
    left_ = 0;
    FUZZ_REQUIRE(waiting_.empty());
  }

  fuzz::Decisions decisions_;
  std::unique_ptr<Mailbox> mailbox_ = std::make_unique<Mailbox>();
  std::array<EmbeddedMail, 4> mails_;
  std::deque<std::size_t> waiting_;
  std::size_t last_number_ = 0;
  std::size_t alive_tasks_ = 0;
  std::size_t delivered_ = 0;
  std::size_t left_ = 0;  // of waiting_: taken by a delivery that was bounded
  bool delivering_ = false;
  bool discarding_ = false;  // a close runs
  bool refusing_ = false;    // a push to a closed mailbox runs
  bool closed_ = false;
};

}  // namespace
}  // namespace netcore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netcore::MailboxRun(netcore::fuzz::Decisions({data, size})).Run();
  return 0;
}
