// IocpObject: whoever owns events and hears of their completions: a Listener, a Connector's
// attempt, a Session.
#pragma once

#include <cstddef>

namespace netcore {

class IocpEvent;
struct IoResult;

/// Threads: Dispatch runs on the thread inside CompletionPort::Dispatch, never inside a submit.
class IocpObject {
 public:
  /// So much of an object, from its beginning, a port may have prefetched when Dispatch runs: what
  /// that needs for each completion is best declared first.
  static constexpr std::size_t kPrefetchedSize = 576;

  IocpObject() = default;
  IocpObject(const IocpObject&) = delete;
  IocpObject& operator=(const IocpObject&) = delete;

  /// One of this object's events completed. May submit, cancel, close and destroy the object when
  /// `result.more` is false. Does not throw.
  virtual void Dispatch(IocpEvent& event, IoResult& result) noexcept = 0;

 protected:
  ~IocpObject() = default;
};

}  // namespace netcore
