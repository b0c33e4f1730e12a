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
_WORKER = "netcore/core/worker.cpp"
_POOL = "netcore/buffer/send_buffer_pool.cpp"
_SEND_QUEUE = "netcore/session/send_queue.cpp"
_CONNECTION = "netcore/session/connection.cpp"
_VERBS = "netcore/session/connection_verbs.cpp"
_CONTEXT = "netcore/session/session_context.cpp"
_MANAGER = "netcore/session/session_manager.cpp"
_TABLE = "netcore/session/session_table.cpp"
_GROUP = "netcore/session/group.cpp"
_DIRECTORY = "netcore/session/group_directory.cpp"
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
        "stale_id_finds_next",
        _TABLE,
        "the id of a session that has ended finds the next one of its slot",
        "  if (entry.session == nullptr || entry.generation != id.Generation()) return {};",
        "  if (entry.session == nullptr) return {};",
    ),
    Mutation(
        "generation_kept",
        _TABLE,
        "two sessions of a slot have the same id",
        "  ++entry.generation;\n",
        "",
    ),
    Mutation(
        "ended_session_is_found",
        _CONNECTION,
        "a session is found while its OnDisconnected runs, and after it",
        "  ExitGroups();\n  place_.Leave();",
        "  ExitGroups();",
    ),
    Mutation(
        "ended_session_stays_in_groups",
        _CONNECTION,
        "a group holds a session that has ended",
        "  ExitGroups();\n  place_.Leave();",
        "  place_.Leave();",
    ),
    Mutation(
        "broadcast_overtakes_mail",
        _MANAGER,
        "a broadcast on a worker's own thread overtakes joins and sends that were made before",
        "current->GetInbox() == inboxes_[worker] &&\n         !inboxes_[worker]->HasMail();",
        "current->GetInbox() == inboxes_[worker];",
    ),
    Mutation(
        "join_overtakes_mail",
        _VERBS,
        "who joins hears what was broadcast before",
        "    if (IsOwnThread() && !inbox_->HasMail()) return EnterGroup(std::move(membership));",
        "    if (IsOwnThread()) return EnterGroup(std::move(membership));",
    ),
    Mutation(
        "leave_overtakes_mail",
        _VERBS,
        "who leaves misses what was broadcast before",
        "  if (IsOwnThread() && !inbox_->HasMail()) return ExitGroup(group);",
        "  if (IsOwnThread()) return ExitGroup(group);",
    ),
    Mutation(
        "broadcast_to_all_before_hello",
        _MANAGER,
        "what was said to all before a session came is sent to it before its own first words",
        "      if (session.Begun()->Hears(message.number)) queue(*session.Begun());",
        "      queue(*session.Begun());",
    ),
    Mutation(
        "broadcast_to_the_speaker",
        _MANAGER,
        "a broadcast reaches the one who is left out",
        "    if (connection.Id() != message.except) connection",
        "    connection",
    ),
    Mutation(
        "broadcast_after_fin",
        _VERBS,
        "a broadcast is sent behind a ShutdownSend, before its FIN",
        "  if (phase_ != Phase::kOpen || fin_asked_) return;",
        "  if (phase_ != Phase::kOpen) return;",
    ),
    Mutation(
        "broadcast_behind_disconnect",
        _VERBS,
        "a broadcast is sent behind a graceful Disconnect",
        "  if (phase_ != Phase::kOpen || fin_asked_) return;",
        "  if (fin_asked_) return;",
    ),
    Mutation(
        "broadcast_not_counted",
        _VERBS,
        "a receiver of broadcasts has no bound",
        "  if (!TryCount(size)) return BeginEnd(CloseReason::kSendQueueFull, Closing::kAbort);",
        "  queued_bytes_.fetch_add(size, std::memory_order_relaxed);",
    ),
    Mutation(
        "joins_twice",
        _VERBS,
        "who joins twice hears everything twice",
        "    if (&one->GetGroup() == &group) return true;",
        "    if (one == nullptr) return true;",
    ),
    Mutation(
        "late_join_of_an_ended_session",
        _VERBS,
        "who has ended while its join was on the way is in the group for ever",
        "  if (phase_ != Phase::kOpen) return false;\n  Group& group",
        "  Group& group",
    ),
    Mutation(
        "group_removal_cuts_list",
        _GROUP,
        "who joined before the one who leaves last is not followed by those who join next",
        "->previous_ : part.last) = membership.previous_;",
        "->previous_ : part.last) = part.last;",
    ),
    Mutation(
        "group_never_vanishes",
        _DIRECTORY,
        "a group is left when its last member has gone",
        "  shard.groups.erase(found);",
        "  static_cast<void>(found);",
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
