// ExitWatch: knows when code of the user's, called by the library, has called std::exit.
#pragma once

#include <memory>

namespace netcore {

/// std::exit destroys the thread's thread_local objects, then those of the program, on the thread
/// that calls it. Where that is a hook, a job or a log sink, the library is in the middle of its
/// work on this very thread: what a destructor would wait for never comes, and other threads must
/// not run hooks while what those use is destroyed. So from then on, on this thread, the library's
/// objects end nothing and wait for nobody; the process ends with the status that it was given.
///
///     { ExitWatch watch;  hook(); }      the hook returns: nothing was noticed
///                          |
///                          +-- std::exit: this thread's thread_local objects end while the watch
///                              is open -> IsExiting() on this thread, for good
///
/// Open while the thread may call code of the user's; nests. Threads: its own.
class ExitWatch {
 public:
  ExitWatch() noexcept;
  ExitWatch(const ExitWatch&) = delete;
  ExitWatch& operator=(const ExitWatch&) = delete;
  ~ExitWatch();

  /// True on a thread that is in std::exit, called inside a watch. (Where a thread's objects are
  /// destroyed behind the program's, as by MinGW, it says so too late for the latter: they take
  /// care not to wait inside a hook or a job anyway.)
  static bool IsExiting() noexcept;

  /// For destructors of thread_local objects, which may come before the watch's own: as IsExiting.
  static bool IsExitingThread() noexcept;

  /// Keeps for good what must not be destroyed any more. Throws std::bad_alloc.
  static void Keep(std::shared_ptr<void> kept);
};

}  // namespace netcore
