// What the samples' Windows sources share: windows.h, and the one kind of event that they use.
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <system_error>

namespace samples {

/// An event that stays set once it is, not set yet. The caller's to close. Throws
/// std::system_error.
inline HANDLE CreateLastingEvent() {
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  if (event == nullptr) {
    throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), "event");
  }
  return event;
}

}  // namespace samples
