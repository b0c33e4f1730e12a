// Turn: a while in which a thread hands out many things. Who has to wake another thread for each of
// them waits until all are handed out, and wakes it once.
#pragma once

namespace netcore {

///     Turn ------------------------------------------------------------> End
///       a hook pushes a job     a hook pushes another one     ...        their queue is scheduled
///
/// Owns: nothing. Lifetime: on its thread's stack; one at a time. Threads: one.
class Turn {
 public:
  /// Something that waits for the end of a turn. Lifetime: until then it stays where it is.
  class Waiter {
   public:
    /// It is in no turn any more.
    virtual void OnTurnEnd() noexcept = 0;

   protected:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter() = default;

   private:
    friend class Turn;
    Waiter* next_ = nullptr;
  };

  Turn() noexcept;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  /// The calling thread's; null if it is not in one.
  static Turn* Current() noexcept;

  /// `waiter`, which is in no turn, is told at the next End.
  void Add(Waiter& waiter) noexcept;

  /// Tells all that wait, in the order in which they came. The turn goes on. Not from inside
  /// OnTurnEnd.
  void End() noexcept;

 private:
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace netcore
