// Task: something to run once, later, on another thread. Unlike std::function it holds what can
// only be moved (a std::unique_ptr in a lambda), and a small one needs no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace netcore {

/// Owns: the callable. Threads: as a std::unique_ptr.
class Task {
 public:
  /// A callable of at most this many bytes, whose move can't throw, is kept inside.
  static constexpr std::size_t kInlineSize = 6 * sizeof(void*);

  Task() noexcept = default;

  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::decay_t<F>, Task> &&
                                                    std::is_invocable_v<std::decay_t<F>&>>>
  Task(F&& callable) {  // NOLINT: a callable is a task
    using Callable = std::decay_t<F>;
    if constexpr (kFitsInline<Callable>) {
      ::new (static_cast<void*>(storage_)) Callable(std::forward<F>(callable));
      operations_ = &kInlineOperations<Callable>;
    } else {
      ::new (static_cast<void*>(storage_)) Callable*(new Callable(std::forward<F>(callable)));
      operations_ = &kHeapOperations<Callable>;
    }
  }

  Task(Task&& other) noexcept { Take(other); }
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Reset();
      Take(other);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { Reset(); }

  explicit operator bool() const noexcept { return operations_ != nullptr; }

  /// Runs the callable, which stays until the task is destroyed. Throws what it throws.
  void operator()() { operations_->run(storage_); }

 private:
  struct Operations {
    void (*run)(void* storage);
    void (*move)(void* from, void* to) noexcept;  // leaves nothing to destroy in `from`
    void (*destroy)(void* storage) noexcept;
  };

  template <typename Callable>
  static constexpr bool kFitsInline =
      sizeof(Callable) <= kInlineSize && alignof(Callable) <= alignof(std::max_align_t) &&
      std::is_nothrow_move_constructible_v<Callable>;

  template <typename Callable>
  static Callable& At(void* storage) noexcept {
    return *std::launder(static_cast<Callable*>(storage));
  }

  template <typename Callable>
  static constexpr Operations kInlineOperations{
      [](void* storage) { At<Callable>(storage)(); },
      [](void* from, void* to) noexcept {
        ::new (to) Callable(std::move(At<Callable>(from)));
        std::destroy_at(&At<Callable>(from));
      },
      [](void* storage) noexcept { std::destroy_at(&At<Callable>(storage)); }};

  template <typename Callable>
  static constexpr Operations kHeapOperations{
      [](void* storage) { (*At<Callable*>(storage))(); },
      [](void* from, void* to) noexcept { ::new (to) Callable*(At<Callable*>(from)); },
      [](void* storage) noexcept { delete At<Callable*>(storage); }};

  void Take(Task& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->move(other.storage_, storage_);
  }

  void Reset() noexcept {
    if (const Operations* operations = std::exchange(operations_, nullptr))
      operations->destroy(storage_);
  }

  alignas(std::max_align_t) std::byte storage_[kInlineSize];
  const Operations* operations_ = nullptr;
};

}  // namespace netcore
