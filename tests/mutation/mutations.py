"""Known bugs to plant, one at a time; see scripts/mutate. Each is a text that stands exactly once
in its file, and what takes its place. When a source changes, its texts here change with it."""

from typing import NamedTuple


class Mutation(NamedTuple):
    name: str
    file: str
    what: str  # what a user would see, or what goes wrong inside
    search: str
    replace: str


_MAILBOX = "netcore/base/mailbox.cpp"
_TIMERS = "netcore/base/timer_queue.cpp"
_INBOX = "netcore/core/inbox.cpp"
_JOB_QUEUE = "netcore/logic/job_queue.cpp"
_TIMED_JOBS = "netcore/logic/timed_jobs.cpp"
_BOOK = "netcore/logic/executor_book.cpp"
_LOGIC_THREADS = "netcore/logic/logic_threads.cpp"
_JOB_WATCH = "netcore/logic/job_watch.cpp"
_RETURNS = "netcore/buffer/bytes_returns.cpp"
_BYTES_POOL = "netcore/buffer/owned_bytes_pool.cpp"
_WORKER = "netcore/core/worker.cpp"
_POOL = "netcore/buffer/send_buffer_pool.cpp"
_SEND_QUEUE = "netcore/session/send_queue.cpp"
_CONNECTION = "netcore/session/connection.cpp"
_VERBS = "netcore/session/connection_verbs.cpp"
_CONTEXT = "netcore/session/session_context.cpp"
_ACCEPTOR = "netcore/service/acceptor.cpp"
_EPOLL = "netcore/port/linux/epoll_port.cpp"
_URING_RECV = "netcore/port/linux/io_uring_recv.cpp"
_URING_ACCEPT = "netcore/port/linux/io_uring_accept.cpp"
_MEMORY_PORT = "netcore/sim/memory_port.cpp"
_MEMORY_SOCKET = "netcore/sim/memory_socket.cpp"

MUTATIONS = (
    Mutation(
        "mailbox_newest_first",
        _MAILBOX,
        "mail is delivered in the opposite of the order in which it was pushed",
        "  TakeInOrder(newest_.exchange(nullptr, std::memory_order_seq_cst));",
        "  unread_ = newest_.exchange(nullptr, std::memory_order_seq_cst);",
    ),
    Mutation(
        "mailbox_close_keeps_mail",
        _MAILBOX,
        "a closed mailbox does not discard what is in it",
        "  TakeInOrder(newest);\n  DiscardUnread();",
        "  TakeInOrder(newest);",
    ),
    Mutation(
        "mailbox_open_after_close",
        _MAILBOX,
        "a closed mailbox takes mail that nobody will read",
        "    if (newest == Closed()) return false;\n    mail.next_",
        "    mail.next_",
    ),
    Mutation(
        "mailbox_node_lost",
        _MAILBOX,
        "the node of a task that ran, and the task in it, are never given back",
        "  mailbox->runner_.RunTask(task);\n  End();",
        "  mailbox->runner_.RunTask(task);",
    ),
    Mutation(
        "timer_moved_earlier_forgotten",
        _TIMERS,
        "a timer that is moved to an earlier time stays where it was in the heap",
        "  entries_[position].sequence = next_sequence_++;\n  SiftUp(position);",
        "  entries_[position].sequence = next_sequence_++;",
    ),
    Mutation(
        "timer_moved_later_forgotten",
        _TIMERS,
        "a timer that was moved later fires at its old time",
        "    if (timer.deadline_ > entries_.front().key) {",
        "    if (timer.deadline_ == kNever) {",
    ),
    Mutation(
        "timer_armed_inside_fires_again",
        _TIMERS,
        "a timer that arms itself for now, from inside, fires in the same call for ever",
        "  const bool postponed = firing_ && deadline <= firing_now_;",
        "  const bool postponed = false;",
    ),
    Mutation(
        "timer_removed_heap_broken",
        _TIMERS,
        "what fills the gap of a cancelled timer only sinks, and never rises",
        "      SiftUp(position);\n      SiftDown(moved.timer->position_);",
        "      SiftDown(moved.timer->position_);",
    ),
    Mutation(
        "mailbox_close_if_not_empty",
        _MAILBOX,
        "what a bounded delivery left is lost when the mailbox is closed",
        "  if (unread_ != nullptr) return false;\n",
        "",
    ),
    Mutation(
        "job_queue_no_last_look",
        _JOB_QUEUE,
        "a job that is pushed while the queue finds itself empty waits for the next push",
        "  return (mailbox_.HasUnread() || GetState() != State::kOpen) &&",
        "  return false &&",
    ),
    Mutation(
        "job_queue_two_readers",
        _JOB_QUEUE,
        "a push schedules its queue although a step runs, so that two jobs run at once",
        "  if (!scheduled_.exchange(true, std::memory_order_seq_cst)) executor_->Schedule(*this);",
        "  executor_->Schedule(*this);",
    ),
    Mutation(
        "job_queue_never_gives_way",
        _JOB_QUEUE,
        "a queue keeps its thread for as long as it has jobs",
        "    most -= ran;",
        "",
    ),
    Mutation(
        "job_queue_place_lost",
        _JOB_QUEUE,
        "a push that is refused keeps its place for ever",
        "    if (taken_) return;\n    queue.taken_.fetch_sub(1, std::memory_order_relaxed);",
        "    if (taken_) return;",
    ),
    Mutation(
        "job_queue_drain_drops",
        _JOB_QUEUE,
        "a queue that is to be drained destroys what waits",
        "  } else if (!mailbox_.CloseIfEmpty()) {\n    return false;\n  }",
        "  } else {\n    mailbox_.Close();\n  }",
    ),
    Mutation(
        "job_queue_drop_finishes_batch",
        _JOB_QUEUE,
        "jobs of the batch under way run although their queue was dropped",
        "  if (GetState() == State::kDropping) return DropTask(task);\n",
        "",
    ),
    Mutation(
        "job_queue_close_unseen",
        _JOB_QUEUE,
        "a queue that is closed between two looks of its step is never closed",
        "  if (!FinishClose()) executor_->Schedule(*this);",
        "",
    ),
    Mutation(
        "timed_job_cancelled_when_due_runs",
        _TIMED_JOBS,
        "a timed job that waits in the queue runs although it was cancelled",
        "  cancelled = std::move(job.task);\n  job.state = Job::State::kCancelled;",
        "",
    ),
    Mutation(
        "timed_job_stale_id",
        _TIMED_JOBS,
        "the id of a job that has run cancels another one",
        "  if (job.generation != id.generation_) return false;\n",
        "",
    ),
    Mutation(
        "timed_job_alarm_forgotten",
        _TIMED_JOBS,
        "after one timed job was pushed the next one is not heard of",
        "  const std::size_t fired = timers_.FireDue(executor_.Now());\n  UpdateAlarm();",
        "  const std::size_t fired = timers_.FireDue(executor_.Now());",
    ),
    Mutation(
        "timed_jobs_kept_at_close",
        _JOB_QUEUE,
        "what was not due when its queue was closed is not destroyed",
        "  timed_.DropAll();\n",
        "",
    ),
    Mutation(
        "executor_book_last_first",
        _BOOK,
        "who asks for a turn last has it first",
        "  (last_ready_ != nullptr ? last_ready_->ready_after_ : first_ready_) = &runnable;\n"
        "  last_ready_ = &runnable;",
        "  runnable.ready_after_ = std::exchange(first_ready_, &runnable);\n"
        "  if (last_ready_ == nullptr) last_ready_ = &runnable;",
    ),
    Mutation(
        "executor_book_drop_after_drain",
        _BOOK,
        "a drop does not cut the drain of an executor short",
        "  if (stopping_ && (mode == StopMode::kDrain || stop_mode_ == StopMode::kDrop)) return;",
        "  if (stopping_) return;",
    ),
    Mutation(
        "logic_threads_no_wake",
        _LOGIC_THREADS,
        "a job for a sleeping pool wakes nobody",
        "  if (wake) ready_.notify_one();\n}",
        "}",
    ),
    Mutation(
        "logic_threads_no_chain",
        _LOGIC_THREADS,
        "a thread that finds more than it takes wakes nobody for it",
        "  const bool wake = TakeWake();\n  lock.unlock();",
        "  const bool wake = false;\n  lock.unlock();",
    ),
    Mutation(
        "logic_threads_late_alarm",
        _LOGIC_THREADS,
        "a timed job that is due before all others waits for them",
        "  if (deadline >= wake_at_) return;",
        "  if (deadline >= wake_at_ || wake_at_ != kNever) return;",
    ),
    Mutation(
        "logic_threads_end_too_early",
        _LOGIC_THREADS,
        "the threads end as soon as the pool is told to stop",
        "    if (IsOver()) return nullptr;",
        "    if (book_.IsStopping()) return nullptr;",
    ),
    Mutation(
        "job_watch_every_batch",
        _JOB_WATCH,
        "many short jobs count as one long one",
        "running != seen.running || job != seen.job",
        "running != seen.running",
    ),
    Mutation(
        "bytes_returns_leak_of_orphans",
        _RETURNS,
        "bytes that outlive their pool leave something behind",
        "      return CountDown(-1);",
        "      return;",
    ),
    Mutation(
        "bytes_pool_unbounded",
        _BYTES_POOL,
        "a burst of packets is kept as spare memory for ever",
        "  return pooled_bytes_ + size <= kMaxPooledBytes;",
        "  return true;",
    ),
    Mutation(
        "bytes_pool_never_collects",
        _BYTES_POOL,
        "what other threads let go of is not used again",
        "  if (spare_[size_class] == nullptr) Collect();",
        "",
    ),
    Mutation(
        "inbox_no_wake",
        _INBOX,
        "mail for a sleeping worker does not wake it",
        "  if (asleep_.exchange(false, std::memory_order_seq_cst)) port_.Wake();",
        "  asleep_.exchange(false, std::memory_order_seq_cst);",
    ),
    Mutation(
        "inbox_no_last_look",
        _INBOX,
        "a worker goes to sleep without a last look at what came before it said so",
        "  if (!mailbox_.HasUnread()) return true;\n  WakeUp();\n  return false;",
        "  return true;",
    ),
    Mutation(
        "worker_no_flush",
        _WORKER,
        "what the sessions queued in a round is not sent at its end",
        "    resident->Flush();",
        "",
    ),
    Mutation(
        "worker_no_timers",
        _WORKER,
        "deadlines pass without anybody noticing",
        "  handled += timers_.FireDue(now_);",
        "",
    ),
    Mutation(
        "worker_sleeps_past_deadlines",
        _WORKER,
        "a worker that waits does not wake for the next deadline",
        "wait > Duration::zero() && next != kNever) {",
        "wait > Duration::zero() && next == kNever) {",
    ),
    Mutation(
        "worker_shut_down_leaves_inbox_open",
        _WORKER,
        "the inbox of a worker that has ended still takes mail",
        "    inbox_->Close();",
        "",
    ),
    Mutation(
        "pool_keeps_shared_buffers",
        _POOL,
        "a buffer that others still hold is handed out for new bytes",
        "  if (buffer->references_.load(std::memory_order_acquire) != 1) return;",
        "",
    ),
    Mutation(
        "pool_without_bound",
        _POOL,
        "the pool keeps every buffer that it is offered",
        "capacity > kMaxPooledSize || spare_bytes_ + capacity > kMaxSpareBytes",
        "capacity > kMaxPooledSize",
    ),
    Mutation(
        "send_queue_swaps",
        _SEND_QUEUE,
        "a send overtakes the one before it",
        "  items_.push_back(std::move(buffer));",
        "  items_.push_back(std::move(buffer));\n"
        "  if (ItemCount() > 2) std::swap(items_[items_.size() - 1], items_[items_.size() - 2]);",
    ),
    Mutation(
        "send_queue_offset_kept",
        _SEND_QUEUE,
        "after a partial send, every item of the next gather lacks its beginning",
        "    room -= waiting.size();\n    offset = 0;",
        "    room -= waiting.size();",
    ),
    Mutation(
        "send_queue_gather_without_bound",
        _SEND_QUEUE,
        "a gather takes more bytes than one send carries",
        "    waiting = waiting.first(std::min(waiting.size(), room));\n",
        "    room = std::max(room, waiting.size() + 1);\n",
    ),
    Mutation(
        "send_queue_loses_partial",
        _SEND_QUEUE,
        "the bytes of a partial send are sent again",
        "      head_offset_ += bytes;",
        "",
    ),
    Mutation(
        "connected_twice",
        _CONNECTION,
        "OnConnected is called twice",
        '  CallHook("OnConnected", [this] { session_.OnConnected(); });',
        '  CallHook("OnConnected", [this] { session_.OnConnected(); });\n'
        '  CallHook("OnConnected", [this] { session_.OnConnected(); });',
    ),
    Mutation(
        "disconnected_twice",
        _CONNECTION,
        "OnDisconnected is called twice",
        "  if (opened_) context->SessionEnded(close_info_.bytes_unsent);",
        '  RunHook("OnDisconnected", [this] { session_.OnDisconnected(close_info_); });\n'
        "  if (opened_) context->SessionEnded(close_info_.bytes_unsent);",
    ),
    Mutation(
        "session_freed_before_last_hook",
        _CONNECTION,
        "the session is let go of before OnDisconnected runs",
        "  const SessionRef self = std::move(self_);",
        "  self_.reset();",
    ),
    Mutation(
        "pending_send_not_counted",
        _CONNECTION,
        "a session ends while its send is still with the system",
        "  send_pending_ = true;\n  ++pending_;",
        "  send_pending_ = true;",
    ),
    Mutation(
        "pending_recv_not_counted",
        _CONNECTION,
        "a session ends while its recv is still with the system",
        "  recv_pending_ = true;\n  ++pending_;",
        "  recv_pending_ = true;",
    ),
    Mutation(
        "ended_recv_not_cancelled",
        _CONNECTION,
        "a session that ends waits for the peer's next byte",
        "  if (recv_pending_) port.Cancel(recv_event_);",
        "",
    ),
    Mutation(
        "sent_bytes_stay_counted",
        _CONNECTION,
        "bytes that left still count against the queue's limit",
        "  queued_bytes_.fetch_sub(result.bytes, std::memory_order_relaxed);",
        "",
    ),
    Mutation(
        "rest_of_queue_not_sent",
        _CONNECTION,
        "what was queued while a send was pending stays in the queue",
        "  if (!queue_.Empty()) worker_.FlushLater(*this);\n  if (fin_asked_)",
        "  if (fin_asked_)",
    ),
    Mutation(
        "resume_does_not_rearm",
        _CONNECTION,
        "a session that was resumed receives nothing any more",
        "    worker_.Port().ResumeRecv(*socket_, recv_event_);\n  } else if",
        "  } else if",
    ),
    Mutation(
        "pause_ignored",
        _CONNECTION,
        "a paused session goes on receiving",
        "    if (recv_pending_) worker_.Port().PauseRecv(*socket_, recv_event_);",
        "",
    ),
    Mutation(
        "cut_message_ends_in_fin",
        _CONNECTION,
        "the peer of a session that was cut takes half a message for all of it",
        "  const bool cut = abort_ || !queue_.Empty();",
        "  const bool cut = false;",
    ),
    Mutation(
        "graceful_end_drops_queue",
        _CONNECTION,
        "a graceful Disconnect does not wait for what is queued",
        "    if (!queue_.Empty()) return worker_.FlushLater(*this);\n",
        "",
    ),
    Mutation(
        "peer_closed_ignored",
        _CONNECTION,
        "the end of the peer's stream is not remembered",
        "  peer_closed_ = true;\n",
        "",
    ),
    Mutation(
        "close_deadline_forgotten",
        _CONNECTION,
        "a graceful end waits for ever for a peer that reads nothing",
        "  end_deadline_ = After(worker_.Now(), context_->Options().close_timeout);",
        "",
    ),
    Mutation(
        "thrown_hook_ignored",
        _CONNECTION,
        "a session whose hook threw goes on",
        "    BeginEnd(CloseReason::kHookThrew, Closing::kAbort);",
        "",
    ),
    Mutation(
        "idle_time_not_restarted",
        _CONNECTION,
        "a busy session ends with kIdleTimeout",
        "  last_recv_ = worker_.Now();\n  if (!result.data.empty()) {",
        "  if (!result.data.empty()) {",
    ),
    Mutation(
        "first_reason_overwritten",
        _CONNECTION,
        "a later reason replaces the one that ended the session",
        "  if (phase_ <= Phase::kOpen) {\n    close_info_.reason = reason;",
        "  close_info_.reason = reason;\n  if (phase_ <= Phase::kOpen) {",
    ),
    Mutation(
        "queue_bound_forgotten",
        _VERBS,
        "a slow receiver's queue grows without a limit",
        "bytes <= limit && before <= limit - bytes",
        "bytes <= limit",
    ),
    Mutation(
        "send_overtakes_mail",
        _VERBS,
        "a send on the worker's own thread overtakes sends that were made before on others",
        "    const bool direct = IsOwnThread() && !inbox_->HasMail();",
        "    const bool direct = IsOwnThread();",
    ),
    Mutation(
        "disconnect_overtakes_mail",
        _VERBS,
        "a Disconnect overtakes sends that were made before it",
        "  if (IsOwnThread() && !inbox_->HasMail()) {\n    BeginEnd(reason, closing);",
        "  if (IsOwnThread()) {\n    BeginEnd(reason, closing);",
    ),
    Mutation(
        "abort_after_graceful_ignored",
        _VERBS,
        "an abort does not cut a graceful end short",
        "  if (state != State::kClosed && closing == Closing::kAbort &&",
        "  if (state == State::kConnected && closing == Closing::kAbort &&",
    ),
    Mutation(
        "ticket_leaks",
        _CONTEXT,
        "WaitStopped waits for sessions that are gone",
        "  if (context_ != nullptr) context_->ReturnTicket(has_place_);",
        "",
    ),
    Mutation(
        "session_place_leaks",
        _CONTEXT,
        "the place of a session that ended is not free again",
        "  if (has_place) places_taken_.fetch_sub(1, std::memory_order_relaxed);",
        "",
    ),
    Mutation(
        "session_limit_off_by_one",
        _CONTEXT,
        "one session more than the limit is let in",
        "taken >= max_sessions_",
        "taken > max_sessions_",
    ),
    Mutation(
        "accept_not_reposted",
        _ACCEPTOR,
        "a listener accepts as many clients as it has accepts, and no more",
        "  if (back_off_ == std::chrono::milliseconds::zero()) SubmitParked(parked_.size());",
        "",
    ),
    Mutation(
        "accept_without_back_off",
        _ACCEPTOR,
        "a listener that is out of descriptors spins",
        "  back_off_ = std::clamp(2 * back_off_, kMinBackOff, kMaxBackOff);",
        "  return;",
    ),
    Mutation(
        "accept_backs_off_for_ever",
        _ACCEPTOR,
        "a listener that was out of descriptors never accepts again",
        "  if (pending_ == 0) SubmitParked(1);",
        "",
    ),
    Mutation(
        "epoll_resume_does_not_rearm",
        _EPOLL,
        "epoll is not asked for bytes again after a pause",
        "  if (socket.recv == nullptr || UpdateInterest(socket)) return;\n",
        "  return;\n",
    ),
    Mutation(
        "epoll_no_epollout",
        _EPOLL,
        "a send that found no room is never tried again",
        "    const bool out = send != nullptr || connect != nullptr;",
        "    const bool out = connect != nullptr;",
    ),
    Mutation(
        "epoll_partial_send_repeats",
        _EPOLL,
        "after a short send the slice begins at its first byte again",
        "    slices[first].iov_base = static_cast<std::byte*>(slices[first].iov_base) + bytes;\n",
        "",
    ),
    Mutation(
        "uring_ended_recv_not_rearmed",
        _URING_RECV,
        "a recv that the kernel ended (no MORE) is not armed again",
        "    (out_of_buffers ? starved_ : ended_).PushBack(socket);",
        "    if (out_of_buffers) starved_.PushBack(socket);",
    ),
    Mutation(
        "uring_starved_recv_not_rearmed",
        _URING_RECV,
        "a recv that found no buffer is not armed again",
        "    (out_of_buffers ? starved_ : ended_).PushBack(socket);",
        "    if (!out_of_buffers) ended_.PushBack(socket);",
    ),
    Mutation(
        "uring_kept_bytes_lost",
        _URING_RECV,
        "what arrives between a pause and the kernel's last word is dropped",
        "    socket.kept.emplace_back(data.begin(), data.end());\n",
        "    static_cast<void>(data);\n",
    ),
    Mutation(
        "uring_buffer_not_returned",
        _URING_RECV,
        "each recv uses up a buffer of the ring",
        "    buffers_.Return(completion.BufferId());",
        "",
    ),
    Mutation(
        "uring_ended_accept_not_rearmed",
        _URING_ACCEPT,
        "an accept that the kernel ended (no MORE) is not armed again",
        "  if (!completion.HasMore()) listener.accept_state = {};\n",
        "",
    ),
    Mutation(
        "memory_recv_not_repeated",
        _MEMORY_PORT,
        "a recv stream of the memory port delivers once",
        "  MakeReady(event);  // the stream goes on; behind the others\n",
        "",
    ),
    Mutation(
        "memory_resume_forgets",
        _MEMORY_PORT,
        "a resumed stream of the memory port does not look for what came meanwhile",
        "  if (std::exchange(RecordOf<Operation>(event).paused, false)) MakeReady(event);",
        "  RecordOf<Operation>(event).paused = false;",
    ),
    Mutation(
        "memory_close_never_resets",
        _MEMORY_SOCKET,
        "a close with bytes unread looks like a clean end",
        "mode == CloseMode::kAbort || UnreadBytes() > 0;",
        "mode == CloseMode::kAbort;",
    ),
)
