#include "link.hpp"

#include "base/log.hpp"
#include "core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace shaddock::bus {

namespace {

/// Calls to one server that may wait for their answers: the answers find room there.
constexpr std::size_t calls_limit = 65536;

} // namespace

bool link::admits(const load& of, std::size_t payload) {
    if (waiting() > admission_.low()) {
        flush(); // a burst within one turn: the transport may take some of it now
    }
    if (kept_.empty() && calls_in_flight < calls_limit &&
        admission_.admits(of, payload, waiting(), owner_.clock())) {
        return true;
    }
    tell_refusal();
    return false;
}

void link::tell_refusal() {
    const auto untold = refusals_.due(owner_.clock().now());
    if (!untold) {
        return;
    }
    base::log::warn("bus",
                    "'{}' gets more than it can do: {} bytes wait for it, it has {} bytes to deal "
                    "with, {} calls are in flight; {} messages were refused as overloaded since "
                    "the last line of this kind",
                    with_.id, waiting(), admission_.under_way(), calls_in_flight, *untold + 1);
}

void link::send_call(std::uint64_t call, std::uint32_t remaining_ms, envelope_view what,
                     const load& of) {
    const auto before = out_.size();
    append_call(out_, call, remaining_ms, what.kind, what.bytes);
    appended(before, of);
    read_on_if_possible();
}

void link::send_cast(envelope_view what, const load& of) {
    const auto before = out_.size();
    append_cast(out_, what.kind, what.bytes);
    appended(before, of);
}

void link::send_membership(envelope_view what, std::string_view key) {
    const auto fits = [&] {
        return waiting() == 0 || waiting() + what.bytes.size() <= owner_.self().queue_limit;
    };
    if (!fits()) {
        flush();
    }
    if (kept_.empty() && fits()) {
        send_cast(what, {});
        return;
    }
    std::string frame;
    append_cast(frame, what.kind, what.bytes);
    auto& counts = owner_.counts();
    ++counts.memberships_kept;
    counts.memberships_replaced += kept_.keep(key, std::move(frame)) ? 1 : 0;
}

void link::send_plain(frame_kind kind) {
    const auto before = out_.size();
    append_plain(out_, kind);
    appended(before);
}

void link::send_answer(std::uint64_t call, result<std::string> answer) {
    if (!is_open()) {
        return;
    }
    const auto limit = owner_.self().frame_limit;
    if (answer && answer->size() > limit) {
        answer = error(errc::internal,
                       fmt::format("the answer of {} bytes is over the bus's limit of {}",
                                   answer->size(), limit));
    }
    const auto fits = [&] {
        return !answer || waiting() == 0 ||
               waiting() + answer->size() <= 2 * owner_.self().queue_limit;
    };
    if (!fits()) {
        flush();
    }
    if (!fits()) {
        // The caller hears of it, and that it may have been carried out; the link and everybody
        // else's calls go on.
        answer = error(errc::disconnected,
                       fmt::format("the answer of {} bytes does not fit the queue to '{}'",
                                   answer->size(), with_.id));
    }
    has_answer_ = true;
    const auto before = out_.size();
    if (answer) {
        append_reply(out_, call, *answer);
    } else {
        append_failure(out_, call, answer.error());
    }
    appended(before);
}

void link::close(link_end why) {
    const auto was = std::exchange(state_, state::closed);
    if (was == state::closed) {
        return;
    }
    const auto kept = shared_from_this();
    shut();
    out_.clear();
    sent_ = 0;
    if (was == state::open) {
        owner_.link_is_closed(*this, why);
    }
}

void link::close_when_sent() {
    is_leaving_ = true;
    if (waiting() == 0) {
        close(link_end::stopped);
    }
}

void link::begin_reading(portion what) {
    was_interrupted_ = false;
    now_ = owner_.clock().now();
    share_.reset();
    if (what == portion::share) {
        share_.emplace(owner_.clock(), now_);
    }
    last_heard_ = now_;
    is_first_frame_ = true;
}

void link::read_up() {
    if (std::exchange(may_be_old_, false) && is_open()) {
        owner_.serves().on_read_up(with_);
    }
}

std::size_t link::take_frames(std::string_view in) {
    std::size_t used = 0;
    while (state_ != state::closed) {
        const auto cut = cut_frame(in.substr(used), owner_.self().frame_limit);
        if (cut.outcome == cut_outcome::need_more) {
            break;
        }
        if (cut.outcome == cut_outcome::bad) {
            garbage("a damaged frame");
            break;
        }
        // The clock is read between two frames: one that comes alone needs no look at it.
        if (!std::exchange(is_first_frame_, false)) {
            now_ = owner_.clock().now();
        }
        if (share_ && (share_->is_over() || must_wait())) {
            was_interrupted_ = true;
            break;
        }
        used += cut.used;
        if (share_) {
            share_->take(cut.used, now_);
        }
        if (state_ == state::greeting && !take_greeting(cut.frame)) {
            continue;
        }
        if (state_ == state::open) {
            owner_.counts().bytes_in += cut.used;
            take_frame(cut.frame, now_);
        }
    }
    return used;
}

bool link::take_greeting(const frame_view&) {
    garbage("a frame before the greeting");
    return false;
}

void link::open(peer with) {
    with_ = std::move(with);
    state_ = state::open;
    last_heard_ = owner_.clock().now();
    owner_.link_is_up(shared_from_this());
}

void link::appended(std::size_t before, const load& of) {
    const bool asks = admission_.queued(of, out_.size() - before);
    if (asks && is_open() && with_.version >= marks_version) {
        const auto now = owner_.clock().now();
        const auto late = std::chrono::duration_cast<std::chrono::microseconds>(age_.at(now));
        append_mark(out_, admission_.mark(now),
                    static_cast<std::uint32_t>(std::min<std::int64_t>(
                        late.count(), std::numeric_limits<std::uint32_t>::max())));
        age_.queued(queued_bytes_ + out_.size() - before, now);
    }
    queued_bytes_ += out_.size() - before;
    owner_.counts().bytes_out += out_.size() - before;
    has_sent_ = true;
    if (!std::exchange(is_dirty_, true)) {
        owner_.flush_later(shared_from_this());
    }
}

void link::progressed() {
    const auto now = owner_.clock().now();
    age_.taken(queued_bytes_ - waiting(), now);
    if (waiting() == 0 && with_.version < marks_version) {
        admission_.taken(admission_.mark(now), now); // all that can be known of an older build
    }
    while (!kept_.empty() && waiting() <= admission_.low()) {
        const auto before = out_.size();
        out_ += kept_.front();
        kept_.drop_front();
        appended(before);
    }
    if (is_leaving_ && waiting() == 0) {
        return close(link_end::stopped);
    }
    read_on_if_possible();
}

void link::read_on_if_possible() {
    if (is_waiting_for_room_ && !must_wait()) {
        is_waiting_for_room_ = false;
        read_on();
    }
}

void link::answer_mark(std::uint64_t mark) {
    // By post, so that it follows what the frames before it have brought to do in this turn.
    owner_.after_turn([via = weak_from_this(), mark] {
        if (const auto to = via.lock(); to && to->is_open()) {
            const auto before = to->out_.size();
            append_taken(to->out_, mark);
            to->appended(before);
        }
    });
}

void link::garbage(std::string_view what) {
    if (is_open()) {
        base::log::warn("bus", "{} from '{}': link broken", what, with_.id);
    } else if (owner_.is_first_stranger()) {
        base::log::warn("bus", "{} from a stranger: closed; further ones are not logged", what);
    }
    close(link_end::lost);
}

void link::take_frame(const frame_view& frame, base::time_point now) {
    if (is_leaving_) {
        return;
    }
    switch (frame.kind) {
    case frame_kind::call:
        if (!serves_calls_) {
            return;
        }
        if (owner_.stall(now) >= std::chrono::milliseconds(frame.remaining_ms)) {
            // Its caller may have been told so already.
            return send_answer(frame.call,
                               error(errc::timeout, "the server stood still for too long"));
        }
        ++owner_.counts().served;
        owner_.serves().on_call(
            with_, {frame.what, frame.bytes, may_be_old_},
            {now + std::chrono::milliseconds(frame.remaining_ms),
             [via = weak_from_this(), call = frame.call](result<std::string> answer) {
                 if (const auto to = via.lock()) {
                     to->send_answer(call, std::move(answer));
                 }
             }});
        return;
    case frame_kind::cast:
        ++owner_.counts().served;
        owner_.serves().on_cast(with_, {frame.what, frame.bytes, may_be_old_, !serves_calls_});
        return;
    case frame_kind::reply:
        // Unknown: it came after its deadline.
        if (auto done = owner_.calls().take(frame.call, *this)) {
            owner_.counts().calls.note_ok();
            done(std::string(frame.bytes));
        }
        return;
    case frame_kind::failure:
        if (auto done = owner_.calls().take(frame.call, *this)) {
            owner_.counts().calls.note(frame.code);
            done(error(frame.code, std::string(frame.bytes), frame.client_code));
        }
        return;
    case frame_kind::mark:
        owner_.turns().begun_is_late(std::chrono::microseconds(frame.late_us), now);
        answer_mark(frame.call);
        return;
    case frame_kind::taken:
        admission_.taken(frame.call, now);
        return;
    case frame_kind::ping:
        return;
    case frame_kind::bye:
        close(link_end::bye);
        return;
    case frame_kind::hello:
    case frame_kind::refuse:
        garbage("a second greeting");
        return;
    }
}

} // namespace shaddock::bus
