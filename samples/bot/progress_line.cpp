// When to print, and how to print over it.
#include "bot/progress_line.h"

#include <algorithm>
#include <iostream>

#include "common/terminal.h"

namespace samples {
namespace {

constexpr std::chrono::milliseconds kRewriteEvery{200};
constexpr std::chrono::milliseconds kPrintEvery{1500};

}  // namespace

ProgressLine::ProgressLine()
    : rewrites_(OutputIsTerminal()),
      next_(Clock::now() + (rewrites_ ? kRewriteEvery : kPrintEvery)) {}

ProgressLine::~ProgressLine() {
  if (rewrites_) Rewrite("");
}

void ProgressLine::Show(const std::string& text) {
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + (rewrites_ ? kRewriteEvery : kPrintEvery);
  if (rewrites_) {
    Rewrite(text);
  } else {
    std::cout << text << std::endl;
  }
}

// Blanks cover what the line before had more; not every terminal knows how to erase.
void ProgressLine::Rewrite(const std::string& text) {
  const std::string rest(width_ - std::min(width_, text.size()), ' ');
  std::cout << '\r' << text << rest << (text.empty() ? "\r" : "") << std::flush;
  width_ = text.size();
}

}  // namespace samples
