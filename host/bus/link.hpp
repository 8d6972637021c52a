#pragma once

#include "admission.hpp"
#include "base/rare_lines.hpp"
#include "base/turn_budget.hpp"
#include "bus/bus.hpp"
#include "frame.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock::bus {

class core;

/// One end of a link between two servers: frames out, frames in. Subclasses move the bytes.
/// Thread: the loop. Lifetime: shared by the bus, its own pending I/O and (weakly) the responders;
/// after `close` it does not touch the bus.
class link : public std::enable_shared_from_this<link> {
public:
    link(core& owner, std::size_t queue_limit) : owner_(owner), admission_(queue_limit) {}
    link(const link&) = delete;
    link& operator=(const link&) = delete;
    virtual ~link() = default;

    /// Who is at the other end; known once open.
    const peer& with() const { return with_; }
    bool is_open() const { return state_ == state::open; }
    bool is_closed() const { return state_ == state::closed; }

    /// Whether a call or cast with `payload` bytes may be sent now. No: it is refused, and the log
    /// tells so once a minute.
    bool admits(const load& of, std::size_t payload);
    /// Bytes that the other side has not taken yet.
    std::size_t waiting() const { return out_.size() - sent_ + in_transit(); }
    std::size_t work_under_way() const { return admission_.under_way(); }
    void send_call(std::uint64_t call, std::uint32_t remaining_ms, envelope_view what,
                   const load& of);
    void send_cast(envelope_view what, const load& of);
    /// Waits in the reserve when the queue is full.
    void send_membership(envelope_view what, std::string_view key);
    void send_plain(frame_kind kind);
    /// Always finds room; but of a peer that takes none of its answers, further calls are not read
    /// (must_wait). What is still answered then becomes `disconnected` from twice the limit on.
    void send_answer(std::uint64_t call, result<std::string> answer);
    /// Calls to the other side that wait for their answers; the table of calls counts.
    std::size_t calls_in_flight = 0;

    /// Hands what waits to the transport; the core calls it once per loop turn.
    virtual void flush() = 0;
    /// Reads and handles what has already arrived, before the link is replaced.
    virtual void drain() = 0;
    /// Ends the link; the core hears of it if it was open. Repeated calls do nothing.
    void close(link_end why);
    /// The same at this side's stop, as soon as the other side has taken what was sent. What comes
    /// in until then is dropped.
    void close_when_sent();

    /// It does not read: the other side has to take its answers first.
    bool is_waiting_for_room() const { return is_waiting_for_room_; }
    base::time_point last_heard() const { return last_heard_; }
    void heard(base::time_point at) { last_heard_ = at; }
    /// Whether anything was sent since the last call of this.
    bool take_has_sent() { return std::exchange(has_sent_, false); }

protected:
    enum class state { greeting, open, closed };

    /// Of what is read now.
    base::time_point now() const { return now_; }
    /// How much of what has come is handled at once.
    enum class portion { share, all };
    void begin_reading(portion what);
    /// Handles whole frames at the front of `in`, until the share is over or must_wait(); returns
    /// the bytes used. Check is_closed() after it.
    std::size_t take_frames(std::string_view in);
    /// The last `take_frames` may have left whole frames.
    bool was_interrupted() const { return was_interrupted_; }
    /// The other side sends calls and takes no answers. It is waited for only while it owes us no
    /// answer: so two servers never wait for each other.
    bool must_wait() const { return waiting() > admission_.high() && calls_in_flight == 0; }
    /// must_wait() was heeded: `read_on` is called when it is over.
    void wait_for_room() { is_waiting_for_room_ = true; }
    virtual void read_on() = 0;
    /// The other side has taken some of what waited.
    void progressed();
    /// Its bytes wait while the process stands still: so long ago it was looked at last.
    void looked_after(base::duration pause) { may_be_old_ |= pause > old_from; }
    /// All that had come is handled.
    void read_up();
    /// Its callers were told that it is broken: from now on what they asked is passed over. What
    /// was cast before the end is owed all the same.
    void serve_no_calls() { serves_calls_ = false; }
    /// A frame on a link that is not open yet. True: the frame opened it and is still to be served.
    /// Default: garbage.
    virtual bool take_greeting(const frame_view& frame);
    virtual void shut() = 0;
    /// Bytes that the transport has taken but the other side has not.
    virtual std::size_t in_transit() const { return 0; }

    void open(peer with);
    /// `before`: the size of `out_` until now.
    void appended(std::size_t before, const load& of = {});
    void garbage(std::string_view what);

    core& owner_;
    peer with_;
    state state_ = state::greeting;
    /// Waiting to be handed to the transport: from `sent_` on.
    std::string out_;
    std::size_t sent_ = 0;

private:
    /// A server that says nothing is waited for at least a bit longer, whatever is to be done.
    static constexpr std::chrono::milliseconds old_from{250};

    void take_frame(const frame_view& frame, base::time_point now);
    void answer_mark(std::uint64_t mark);
    void read_on_if_possible();
    void tell_refusal();

    admission admission_;
    queue_age age_;
    std::uint64_t queued_bytes_ = 0;
    membership_reserve kept_;
    base::rare_line refusals_;
    /// Of what is read now.
    base::time_point now_{};
    /// Empty: all that has come.
    std::optional<base::turn_budget::share> share_;
    bool is_first_frame_ = true;
    bool was_interrupted_ = false;
    bool may_be_old_ = false;
    bool serves_calls_ = true;
    bool is_waiting_for_room_ = false;
    bool is_dirty_ = false;
    bool has_sent_ = false;
    /// Among what was appended since the last flush.
    bool has_answer_ = false;
    bool is_leaving_ = false;
    base::time_point last_heard_{};
    friend class core;
};

} // namespace shaddock::bus
