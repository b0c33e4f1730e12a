// IocpObject: whoever owns events and hears of their completions: a Listener, a Connector's
// attempt, a Session.
#pragma once

namespace netcore {

class IocpEvent;
struct IoResult;

/// Threads: Dispatch runs on the thread inside CompletionPort::Dispatch, never inside a submit.
class IocpObject {
 public:
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
