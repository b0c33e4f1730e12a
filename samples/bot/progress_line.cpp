// When to print, and how to print over it.
#include "bot/progress_line.h"

#include <algorithm>
#include <iostream>

#include "common/terminal.h"

namespace samples {
namespace {

constexpr std::chrono::milliseconds kRewriteEvery{200};
constexpr std::chrono::milliseconds kPrintEvery{1500};
constexpr std::size_t kBarWidth = 20;

// [########            ]  40 %
std::string Bar(double done) {
  done = std::clamp(done, 0.0, 1.0);
  std::string bar(static_cast<std::size_t>(done * static_cast<double>(kBarWidth)), '#');
  bar.resize(kBarWidth, ' ');
  std::string percent = std::to_string(static_cast<int>(done * 100));
  percent.insert(0, 3 - percent.size(), ' ');
  return "[" + bar + "] " + percent + " %";
}

}  // namespace

ProgressLine::ProgressLine()
    : rewrites_(OutputIsTerminal()),
      next_(Clock::now() + (rewrites_ ? kRewriteEvery : kPrintEvery)) {}

ProgressLine::~ProgressLine() {
  if (rewrites_) Rewrite("");
}

void ProgressLine::Show(double done, const std::string& text) {
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + (rewrites_ ? kRewriteEvery : kPrintEvery);
  if (rewrites_) {
    Rewrite(Bar(done) + "  " + text);
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
