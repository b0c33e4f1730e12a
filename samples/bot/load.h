// Load: what connected bots do together for a while, and what is counted of it. One for each mode.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "bot/bot.h"
#include "bot/load_options.h"
#include "bot/load_result.h"

namespace samples {

/// From beginning to end: Prepare until IsPrepared, Begin, Tick until IsOver, Drain until
/// IsAnswered, Result. The run sees to it that none of them goes on for ever.
///
/// Owns: a share in those who speak. Threads: the run's, but for what derives from it.
class Load {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Load(const LoadOptions& options) : options_(options) {}
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  virtual ~Load() = default;

  virtual void Prepare() {}
  virtual bool IsPrepared() const { return true; }

  /// Makes each speaker say its first messages, or none yet if they speak by the clock.
  virtual void Begin();

  /// To be called about every millisecond.
  virtual void Tick(Clock::duration elapsed);

  virtual bool IsOver(Clock::duration elapsed) const { return elapsed >= options_.duration; }

  /// Of what there is to do, 0 to 1.
  virtual double Done(Clock::duration elapsed) const;

  /// From here on answers are welcome, and nothing new is said.
  void Drain();

  /// All that was said is answered, and none of the speakers is about to say more.
  bool IsAnswered() const { return *quiet_ == speakers_.size() && NothingIsOpen(); }

  virtual LoadTotals Totals() const = 0;

  /// What is not filled in yet: all but what the run itself measures.
  virtual void Report(LoadResult& result) const = 0;

 protected:
  const LoadOptions& Options() const noexcept { return options_; }

  void AddSpeaker(std::shared_ptr<Bot> bot) { speakers_.push_back(std::move(bot)); }
  std::size_t SpeakerCount() const noexcept { return speakers_.size(); }

  /// Who is asked to speak from now on does not.
  virtual void StopSpeaking() = 0;
  virtual bool NothingIsOpen() const = 0;

  /// On the bot's own thread, soon.
  void AskToSpeak(std::size_t speaker, std::size_t messages);

 private:
  void SpeakByTheClock(Clock::duration elapsed);

  const LoadOptions options_;
  std::vector<std::shared_ptr<Bot>> speakers_;
  std::uint64_t said_by_the_clock_ = 0;
  const std::shared_ptr<std::atomic<std::size_t>> quiet_ =
      std::make_shared<std::atomic<std::size_t>>(0);  // speakers that know that it is over
};

}  // namespace samples
