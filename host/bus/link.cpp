#include "link.hpp"

#include "base/log.hpp"
#include "core.hpp"

#include <fmt/format.h>

namespace shaddock::bus {

bool link::has_room(std::size_t payload) {
    const auto fits = [&] {
        return waiting() == 0 || waiting() + payload + frame_overhead <= owner_.self().queue_limit;
    };
    if (!fits()) {
        flush(); // a burst within one turn: the transport may take some of it now
    }
    return fits();
}

void link::send_call(std::uint64_t call, std::uint32_t remaining_ms, envelope_view what) {
    const auto before = out_.size();
    append_call(out_, call, remaining_ms, what.kind, what.bytes);
    appended(before);
}

void link::send_cast(envelope_view what) {
    const auto before = out_.size();
    append_cast(out_, what.kind, what.bytes);
    appended(before);
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
    if (answer && !has_room(answer->size())) {
        // The caller hears of it; the link and everybody else's calls go on.
        answer = error(errc::overloaded,
                       fmt::format("the answer of {} bytes does not fit the queue to '{}'",
                                   answer->size(), with_.id));
    }
    if (!answer && !has_room(answer.error().text().size())) {
        base::log::warn("bus", "the queue to '{}' is full: link broken", with_.id);
        close(link_end::lost);
        return;
    }
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

std::size_t link::take_frames(std::string_view in) {
    const auto now = owner_.clock().now();
    last_heard_ = now;
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
        used += cut.used;
        if (state_ == state::greeting && !take_greeting(cut.frame)) {
            continue;
        }
        if (state_ == state::open) {
            owner_.counts().bytes_in += cut.used;
            take_frame(cut.frame, now);
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

void link::appended(std::size_t before) {
    owner_.counts().bytes_out += out_.size() - before;
    has_sent_ = true;
    if (!std::exchange(is_dirty_, true)) {
        owner_.flush_later(shared_from_this());
    }
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
    switch (frame.kind) {
    case frame_kind::call:
        ++owner_.counts().served;
        owner_.serves().on_call(
            with_, {frame.what, frame.bytes},
            {now + std::chrono::milliseconds(frame.remaining_ms),
             [via = weak_from_this(), call = frame.call](result<std::string> answer) {
                 if (const auto to = via.lock()) {
                     to->send_answer(call, std::move(answer));
                 }
             }});
        return;
    case frame_kind::cast:
        ++owner_.counts().served;
        owner_.serves().on_cast(with_, {frame.what, frame.bytes});
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
