// HearCounts: what one bot has heard.
#pragma once

#include "bot/own_counter.h"

namespace samples {

/// Threads: the bot's writes, any reads.
struct HearCounts {
  OwnCounter heard;       // messages, whole and for the first time
  OwnCounter duplicated;  // that came again
  OwnCounter reordered;   // of those that were heard: behind a later one of the same speaker
  OwnCounter corrupted;   // not as they were said, or not said in its room
  OwnCounter foreign;     // not said by a bot of this conversation

  void Clear() noexcept {
    for (OwnCounter* counter : {&heard, &duplicated, &reordered, &corrupted, &foreign}) {
      counter->Set(0);
    }
  }
};

}  // namespace samples
