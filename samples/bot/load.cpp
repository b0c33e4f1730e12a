// Whose turn it is to speak.
#include "bot/load.h"

#include <algorithm>

namespace samples {

void Load::Begin() {
  if (options_.rate > 0) return;
  for (std::size_t speaker = 0; speaker < speakers_.size(); ++speaker) {
    AskToSpeak(speaker, options_.pipeline);
  }
}

void Load::Tick(Clock::duration elapsed) {
  if (options_.rate > 0) SpeakByTheClock(elapsed);
}

double Load::Done(Clock::duration elapsed) const {
  const std::chrono::duration<double> all = options_.duration;
  return std::min(std::chrono::duration<double>(elapsed) / all, 1.0);
}

// What a speaker has begun to say when it is told counts as said.
void Load::Drain() {
  StopSpeaking();
  for (const std::shared_ptr<Bot>& bot : speakers_) {
    const bool told = bot->AsSession().Post([quiet = quiet_] { ++*quiet; });
    if (!told) ++*quiet_;
  }
}

// Evenly: not all of them at the beginning of each second.
void Load::SpeakByTheClock(Clock::duration elapsed) {
  const double rate = options_.rate * static_cast<double>(speakers_.size());
  const auto due =
      static_cast<std::uint64_t>(std::chrono::duration<double>(elapsed).count() * rate);
  for (; said_by_the_clock_ < due; ++said_by_the_clock_) {
    AskToSpeak(static_cast<std::size_t>(said_by_the_clock_ % speakers_.size()), 1);
  }
}

void Load::AskToSpeak(std::size_t speaker, std::size_t messages) {
  const std::shared_ptr<Bot>& bot = speakers_[speaker];
  if (!bot->AsSession().IsConnected()) return;
  static_cast<void>(bot->AsSession().Post([bot = bot.get(), messages] {
    for (std::size_t said = 0; said < messages; ++said) bot->Speak();
  }));
}

}  // namespace samples
