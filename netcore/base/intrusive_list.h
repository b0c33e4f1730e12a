// IntrusiveList: a list whose links lie in its elements, so that joining and leaving it can't fail.
// Knows nothing of its elements.
#pragma once

namespace netcore {

/// A place in one list. A type that is in several lists at once derives from several links, which
/// differ in `Tag`. Leaves its list when destroyed.
template <typename Tag>
class ListLink {
 public:
  ListLink() noexcept = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { Unlink(); }

  bool IsLinked() const noexcept { return next_ != this; }

  /// Leaves the list, whichever it is; does nothing outside one.
  void Unlink() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

 private:
  template <typename T, typename U>
  friend class IntrusiveList;

  void Join(ListLink& previous, ListLink& next) noexcept {
    previous_ = &previous;
    next_ = &next;
    previous.next_ = next.previous_ = this;
  }

  ListLink* previous_ = this;
  ListLink* next_ = this;
};

/// Owns: nothing. Lifetime: empty when destroyed, or its elements outlive it. Threads: one at a
/// time.
template <typename T, typename Tag>
class IntrusiveList {
 public:
  bool IsEmpty() const noexcept { return !head_.IsLinked(); }
  T& Front() noexcept { return static_cast<T&>(*head_.next_); }

  /// `element` leaves the list that it is in by this link.
  void PushBack(T& element) noexcept {
    ListLink<Tag>& link = element;
    link.Unlink();
    link.Join(*head_.previous_, head_);
  }

  /// The same.
  void PushFront(T& element) noexcept {
    ListLink<Tag>& link = element;
    link.Unlink();
    link.Join(head_, *head_.next_);
  }

  T& PopFront() noexcept {
    T& front = Front();
    static_cast<ListLink<Tag>&>(front).Unlink();
    return front;
  }

  /// Moves all of `other`'s elements behind ours, in their order.
  void TakeAll(IntrusiveList& other) noexcept {
    if (other.IsEmpty()) return;
    ListLink<Tag>* const first = other.head_.next_;
    ListLink<Tag>* const last = other.head_.previous_;
    other.head_.previous_ = other.head_.next_ = &other.head_;
    first->previous_ = head_.previous_;
    last->next_ = &head_;
    head_.previous_->next_ = first;
    head_.previous_ = last;
  }

 private:
  ListLink<Tag> head_;
};

}  // namespace netcore
