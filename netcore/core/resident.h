// Resident: what lives on one worker from its beginning to its end: a connection, or a listener's
// acceptor.
#pragma once

#include "netcore/base/clock.h"
#include "netcore/port/iocp_object.h"

namespace netcore {

/// Lifetime: from Worker::Add to Worker::Remove it stays where it is. Threads: its worker's.
class Resident : public IocpObject {
 public:
  /// Called once at the end of the round in which Worker::FlushLater was called: all that was said
  /// in the round leaves together. Calls no hook but OnSend; nobody else moves out meanwhile.
  virtual void Flush() noexcept {}

  /// Asks all of `group` (everybody, if null) to end by `deadline`: at once, without a farewell, if
  /// that has passed already. May be called again with an earlier deadline. Removes nobody before
  /// it returns.
  virtual void OnStop(const void* group, TimePoint deadline) noexcept = 0;

 protected:
  ~Resident() = default;

 private:
  friend class ResidentList;

  struct Links {
    Resident* previous = nullptr;
    Resident* next = nullptr;
    bool linked = false;
  };

  Links home_;   // among all residents of the worker
  Links dirty_;  // among those to be flushed
};

/// A list in the order of arrival, through one pair of links in the residents themselves.
/// Owns: nothing. Threads: one.
class ResidentList {
 public:
  static ResidentList OfAll() noexcept { return ResidentList(&Resident::home_); }
  static ResidentList OfDirty() noexcept { return ResidentList(&Resident::dirty_); }

  bool Empty() const noexcept { return first_ == nullptr; }
  Resident* First() const noexcept { return first_; }
  Resident* Last() const noexcept { return last_; }
  Resident* After(const Resident& resident) const noexcept { return (resident.*links_).next; }

  /// Does nothing if it is there already.
  void PushBack(Resident& resident) noexcept {
    Resident::Links& links = resident.*links_;
    if (links.linked) return;
    links = {last_, nullptr, true};
    (last_ != nullptr ? (last_->*links_).next : first_) = &resident;
    last_ = &resident;
  }

  /// Does nothing if it is not there.
  void Remove(Resident& resident) noexcept {
    Resident::Links& links = resident.*links_;
    if (!links.linked) return;
    (links.previous != nullptr ? (links.previous->*links_).next : first_) = links.next;
    (links.next != nullptr ? (links.next->*links_).previous : last_) = links.previous;
    links = {};
  }

 private:
  explicit ResidentList(Resident::Links Resident::* links) noexcept : links_(links) {}

  Resident::Links Resident::* links_;
  Resident* first_ = nullptr;
  Resident* last_ = nullptr;
};

}  // namespace netcore
