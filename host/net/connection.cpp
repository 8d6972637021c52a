#include "connection.hpp"

#include "connection_set.hpp"

#include <base/log.hpp>
#include <protocol/kick.hpp>
#include <protocol/websocket.hpp>

#include <algorithm>
#include <utility>

namespace shaddock::net {

namespace {

using protocol::package_type;
namespace close_code = protocol::close_code;

/// How long a goodbye may take to be read; with the sweep's tick on top it stays under 1 s.
constexpr base::duration linger = std::chrono::milliseconds(700);

} // namespace

client_connection::client_connection(connection_set& owner, std::unique_ptr<stream> bytes,
                                     const client_origin& origin, connection_id id)
    : worker(base::turn_budget::work::fresh), owner_(owner), stream_(std::move(bytes)), id_(id),
      origin_(origin), address_(base::to_text(origin_.from, origin_.port)),
      allowance_(owner.options().rates, owner.clock().now()), since_(owner.clock().now()),
      last_traffic_(since_) {}

void client_connection::start(place_in_list place) {
    place_ = place;
    owner_.watch(*this);
    stream_->wait_readable(this);
}

// Output

send_result client_connection::send(const encoded_package& made) {
    if (phase_ != phase::working) {
        return send_result::closed;
    }
    open_queue().append(framing_->form_of(made));
    ++owner_.counts().packages_out;
    return appended();
}

send_result client_connection::send_package(std::string_view package) {
    if (phase_ != phase::working) {
        return send_result::closed;
    }
    auto& out = open_queue();
    framing_->begin_package(out, package.size());
    out.append(package);
    ++owner_.counts().packages_out;
    return appended();
}

/// For packages of our own; the body's length is checked by the caller.
void client_connection::append_package(package_type type, std::string_view body) {
    auto& out = open_queue();
    framing_->begin_package(out, protocol::package_header_bytes + body.size());
    protocol::append_package_header(out, type, body.size());
    out.append(body);
    ++owner_.counts().packages_out;
}

void client_connection::append_kick(std::string_view reason) {
    if (phase_ == phase::working) {
        append_package(package_type::kick, protocol::kick_body(reason));
    }
}

std::string& client_connection::open_queue() {
    if (!queue_.has_storage()) {
        queue_.lend(owner_.take_storage());
    }
    return queue_.tail();
}

/// The bound, after something was put into the queue. One turn may bring more than the bound for a
/// client that reads well: what the stream still takes does not count as waiting.
send_result client_connection::appended() {
    if (queue_.size() > owner_.options().pending_limit && !is_blocked_) {
        flush();
    }
    if (!is_open()) {
        return send_result::closed;
    }
    if (queue_.size() > owner_.options().pending_limit) {
        overflow();
        return send_result::overflowed;
    }
    if (is_blocked_) {
        count_output();
    } else if (!is_dirty_ && !queue_.is_empty()) {
        is_dirty_ = true;
        owner_.flush_later(*this);
    }
    return send_result::queued;
}

void client_connection::flush_turn(base::time_point now) {
    is_dirty_ = false;
    if (phase_ == phase::gone || is_blocked_) {
        return;
    }
    last_traffic_ = now;
    flush();
}

void client_connection::flush() {
    if (!queue_.is_empty()) {
        const auto waiting = queue_.waiting();
        const auto taken = stream_->write_some(waiting);
        if (taken.status == stream_status::failed) {
            return lost(taken.problem);
        }
        ++owner_.counts().sends;
        owner_.counts().bytes_out += taken.size;
        queue_.sent(taken.size,
                    [this](std::string_view queued) { return framing_->frame_bytes(queued); });
        if (!queue_.is_empty()) {
            return wait_writable();
        }
    }
    written_out();
}

void client_connection::wait_writable() {
    is_blocked_ = true;
    count_output();
    stream_->wait_writable(this);
}

void client_connection::on_writable(const char* problem) {
    if (phase_ == phase::gone) {
        return;
    }
    if (problem != nullptr) {
        return lost(problem);
    }
    is_blocked_ = false;
    last_traffic_ = owner_.clock().now();
    flush();
}

void client_connection::written_out() {
    if (queue_.has_storage()) {
        owner_.give_storage(queue_.take_storage());
    }
    if (output_held_ > 0) {
        count_output();
    }
    if (phase_ != phase::closing) {
        return;
    }
    const auto said = stream_->shut_down();
    if (said.status == stream_status::would_block) {
        wait_writable();
    } else if (said.status == stream_status::failed || is_input_over_) {
        close_stream();
    }
}

// The end

void client_connection::kick(std::string_view reason) {
    if (!is_open()) {
        return;
    }
    append_kick(reason);
    say_goodbye(close_code::normal, reason, drop::kicked);
}

void client_connection::give_way() {
    append_kick(protocol::kick_reason::full);
    leave(phase::closing, protocol::kick_reason::full);
    if (!is_blocked_) {
        flush();
    }
    close_stream();
}

void client_connection::violation(std::uint16_t code, const char* problem) {
    say_goodbye(code, problem, code == close_code::too_big ? drop::too_long : drop::protocol_error);
}

void client_connection::overflow() {
    queue_.cut();
    constexpr auto reason = protocol::kick_reason::slow_consumer;
    append_kick(reason);
    say_goodbye(close_code::policy, reason, drop::slow_consumer);
}

void client_connection::drop_for_memory() {
    if (!is_open()) {
        return;
    }
    constexpr auto reason = protocol::kick_reason::memory;
    if (output_held_ > 0) {
        // It does not read: no word would reach it.
        ++owner_.counts().of(drop::memory);
        return lost(reason);
    }
    append_kick(reason);
    say_goodbye(close_code::policy, reason, drop::memory);
}

/// One of the three that it holds is `now`; the port's sums follow.
void client_connection::account(std::size_t& mine, std::size_t held_bytes::*sum, std::size_t now) {
    owner_.counts().held.*sum += now - mine;
    if (!is_open()) {
        owner_.held_by_leaving().*sum += now - mine;
    }
    mine = now;
}

/// Bytes in the queue of who reads are gone at the end of the turn: they do not count.
void client_connection::count_output() {
    account(output_held_, &held_bytes::output,
            is_blocked_ && !queue_.is_empty() ? queue_.capacity() : 0);
}

/// The last words go into the queue; the rest is waiting until they are written and the peer ends.
void client_connection::say_goodbye(std::uint16_t code, std::string_view reason,
                                    std::optional<drop> why) {
    const bool is_violation = why == drop::protocol_error || why == drop::too_long;
    if (framing_) {
        // The text of a protocol error helps who debugs a client; else the kick has said it.
        const auto text = is_violation ? reason : std::string_view();
        framing_->append_close(open_queue(), code, text);
    }
    if (why) {
        ++owner_.counts().of(*why);
    }
    leave(phase::closing, reason);
    if (!is_dirty_ && !is_blocked_) {
        is_dirty_ = true;
        owner_.flush_later(*this);
    }
}

/// FIN: answers that wait may still be read, in the queue or below it; a goodbye is of no use.
void client_connection::on_end_of_input() {
    is_input_over_ = true;
    if (is_open()) {
        leave(phase::closing, "closed by the client");
    }
    if (queue_.is_empty() && !is_blocked_) {
        written_out();
    }
}

void client_connection::lost(std::string_view reason) {
    if (is_open()) {
        leave(phase::closing, reason);
    }
    close_stream();
}

void client_connection::leave(phase next, std::string_view reason) {
    base::log::debug("net", "connection {} of {} ends: {}", number(id_), address_, reason);
    newcomer_entry::unlink();
    if (std::exchange(was_ready_, false)) {
        owner_.report_closed_later(*this, reason);
    }
    enter(next);
    if (share_ == nullptr) {
        forget_input();
    }
    // What it still sends is thrown away, but its end must be seen.
    if (reading_ == reading::paused) {
        end_pause();
    } else if (reading_ == reading::full) {
        read_on();
    }
}

void client_connection::close_stream() {
    if (phase_ == phase::gone) {
        return;
    }
    abandon();
    owner_.remove(*this);
}

void client_connection::abandon() {
    account(input_held_, &held_bytes::input, 0);
    account(unanswered_, &held_bytes::unanswered, 0);
    account(output_held_, &held_bytes::output, 0);
    phase_ = phase::gone;
    pause_.unlink();
    leave_queue();
    if (queue_.is_empty()) {
        stream_->close();
    } else {
        // What the peer does not read must not stay in the kernel.
        stream_->reset();
    }
}

// Deadlines

void client_connection::enter(phase next) {
    if (is_open() && next >= phase::closing) {
        auto& leaving = owner_.held_by_leaving();
        leaving.input += input_held_;
        leaving.unanswered += unanswered_;
        leaving.output += output_held_;
    }
    phase_ = next;
    since_ = owner_.clock().now();
    owner_.watch(*this);
}

base::time_point client_connection::due() const {
    const auto& options = owner_.options();
    const auto after = [](base::time_point from, base::duration wait) {
        return wait == base::duration::zero() ? base::time_point::max() : from + wait;
    };
    if (phase_ == phase::working && is_resting()) {
        return base::time_point::max();
    }
    const auto idle = after(last_traffic_, options.idle_timeout);
    switch (phase_) {
    case phase::opening:
    case phase::greeting:
    case phase::deciding:
        if (origin_.refused) {
            return since_ + linger;
        }
        return std::min(idle, after(since_, options.handshake_timeout));
    case phase::waiting_for_ack:
        return std::min(idle, after(since_, options.ack_timeout));
    case phase::working:
        return std::min(idle, after(since_, options.heartbeat_timeout));
    case phase::closing:
        return since_ + linger;
    case phase::gone:
        break;
    }
    return base::time_point::max();
}

void client_connection::check_deadline(base::time_point now) {
    if (due() > now) {
        owner_.watch(*this);
        return;
    }
    const auto idle = owner_.options().idle_timeout;
    if (is_open() && idle != base::duration::zero() && last_traffic_ + idle <= now) {
        return say_goodbye(close_code::normal, "idle", drop::idle);
    }
    if (phase_ == phase::working && sends_fast_enough(now)) {
        since_ = under_way_since_ = now;
        under_way_bytes_ = 0;
        return owner_.watch(*this);
    }
    switch (phase_) {
    case phase::opening:
    case phase::greeting:
    case phase::deciding:
        // Who is refused was counted when that was found.
        return say_goodbye(close_code::normal, "no handshake in time",
                           origin_.refused ? std::nullopt : std::optional(drop::handshake_timeout));
    case phase::waiting_for_ack:
        return say_goodbye(close_code::normal, "no ack in time", drop::ack_timeout);
    case phase::working:
        return say_goodbye(close_code::normal, "no heartbeat in time", drop::heartbeat_timeout);
    case phase::closing:
        return close_stream();
    case phase::gone:
        return;
    }
}

} // namespace shaddock::net
