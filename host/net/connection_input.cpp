// What a client sends: stream -> framing -> packages -> events. How it begins is in
// connection_opening.cpp, the rest in connection.cpp.
#include "connection.hpp"

#include "connection_set.hpp"

#include <protocol/websocket.hpp>

#include <algorithm>
#include <utility>

namespace shaddock::net {

namespace {

using protocol::cut_status;
using protocol::package_type;
namespace close_code = protocol::close_code;

} // namespace

void client_connection::on_readable(const char* problem) {
    if (phase_ == phase::gone) {
        return;
    }
    if (problem != nullptr) {
        return lost(problem);
    }
    const auto now = owner_.clock().now();
    if (origin_.must_have_header) {
        last_traffic_ = now;
        if (!read_proxy_header()) {
            return;
        }
    }
    reading_ = reading::in_queue;
    if (owner_.turns().may_work(*this, now)) {
        work(now);
    }
}

void client_connection::go_on() {
    const connection_ptr alive(this);
    work(owner_.clock().now());
}

/// One share: first what was kept, then what the stream has.
void client_connection::work(base::time_point now) {
    read_now_ = 0;
    base::turn_budget::share mine(owner_.clock(), now);
    allowance_.refill(owner_.options().rates, now);
    share_ = &mine;
    reading_ = next_ = reading::now;
    take_kept();
    while (next_ == reading::now && phase_ != phase::gone && may_take(0)) {
        read();
    }
    share_ = nullptr;
    if (!is_open()) {
        forget_input();
    }
    note_progress();
    if (phase_ != phase::gone && !is_input_over_) {
        rest();
    }
}

void client_connection::read() {
    char* buffer = owner_.read_buffer();
    const auto wanted = read_size();
    const auto got = stream_->read_some(buffer, wanted);
    if (got.status == stream_status::ended) {
        next_ = reading::at_stream;
        return on_end_of_input();
    }
    if (got.status == stream_status::failed) {
        return lost(got.problem);
    }
    if (got.size < wanted) {
        next_ = reading::at_stream;
    }
    // What comes over the line is paid for, also when nothing can be made of it.
    const auto unseen = got.raw > got.size ? got.raw - got.size : 0;
    allowance_.take_bytes(unseen);
    share_->take_bytes(unseen);
    read_now_ += unseen;
    if (got.size == 0) {
        return;
    }
    last_traffic_ = share_->began();
    owner_.counts().bytes_in += got.size;
    read_now_ += got.size;
    if (is_open()) {
        take(buffer, got.size);
    }
    share_->take_bytes(got.size);
}

/// Who has sent much is read in small pieces: what must wait after that is kept in memory.
std::size_t client_connection::read_size() const {
    if (allowance_.has_room(owner_.options().rates)) {
        return connection_set::read_bytes;
    }
    const auto missing = wanted_ > partial_.size() ? wanted_ - partial_.size() : 0;
    return std::clamp(missing, connection_set::read_bytes / 16, connection_set::read_bytes);
}

/// Whether a message in a frame of so many bytes (0: not known yet) may be taken now; if not, it
/// says who is next.
bool client_connection::may_take(std::size_t frame_bytes) {
    if (unanswered_ >= owner_.options().unanswered_limit && is_open()) {
        next_ = reading::full;
        return false;
    }
    if (is_open() && !allowance_.allows(owner_.options().rates, frame_bytes)) {
        front_bytes_ = frame_bytes;
        next_ = reading::paused;
        return false;
    }
    if (share_->is_over()) {
        next_ = reading::in_queue;
        return false;
    }
    return true;
}

/// The share is over, or nothing is left to do.
void client_connection::rest() {
    reading_ = next_;
    switch (next_) {
    case reading::now:
    case reading::at_stream:
        reading_ = reading::at_stream;
        return stream_->wait_readable(this);
    case reading::in_queue:
        return owner_.turns().later(*this);
    case reading::paused:
        paused_since_ = owner_.clock().now();
        ++owner_.counts().throttled;
        ++owner_.counts().throttles;
        return owner_.wake(pause_,
                           paused_since_ + allowance_.wait(owner_.options().rates, front_bytes_));
    case reading::full:
        return;
    }
}

void client_connection::end_pause() {
    pause_.unlink();
    --owner_.counts().throttled;
    owner_.counts().throttled_for += owner_.clock().now() - paused_since_;
    read_on();
}

/// What a client does not say while it is not read is not its fault.
void client_connection::read_on() {
    const auto now = owner_.clock().now();
    last_traffic_ = under_way_since_ = now;
    under_way_bytes_ = 0;
    reading_ = reading::in_queue;
    if (phase_ == phase::working) {
        since_ = now;
        owner_.watch(*this);
    }
    owner_.turns().later(*this);
}

/// What waited until its client might send again, or others had their turn.
void client_connection::take_kept() {
    if (!packages_.is_empty()) {
        if (is_open()) {
            const auto left = on_packages(packages_.view());
            packages_.take(packages_.size() - left.size());
        }
    }
    if (packages_.is_empty() && is_open() && !partial_.is_empty() && partial_.size() >= wanted_) {
        take_partial();
    }
}

bool client_connection::may_take_front(std::string_view sent) {
    const bool has_all = allowance_.has_bytes(owner_.options().rates, sent.size());
    return may_take(has_all ? 0 : framing_->front_bytes(sent));
}

void client_connection::take_message() {
    allowance_.take_messages(1);
    share_->take(0);
}

/// The shared buffer is parsed where it is; only what is left is kept.
void client_connection::take(char* data, std::size_t size) {
    if (partial_.is_empty()) {
        const auto used = parse(data, size);
        partial_.append({data + used, size - used});
        return;
    }
    partial_.append({data, size});
    if (partial_.size() >= wanted_) {
        take_partial();
    }
}

void client_connection::take_partial() {
    partial_.take(parse(partial_.data(), partial_.size()));
}

void client_connection::forget_input() {
    packages_.clear();
    partial_.clear();
    count_input();
}

// Slow lines: heartbeats wait behind a large package.

bool client_connection::has_package_under_way() const {
    return !partial_.is_empty() || (framing_ && framing_->kept_bytes() > 0) ||
           stream_->held_bytes() > 0;
}

void client_connection::note_progress() {
    const bool was_under_way = std::exchange(is_package_under_way_, has_package_under_way());
    if (was_under_way) {
        under_way_bytes_ += read_now_;
    } else if (is_package_under_way_) {
        under_way_since_ = last_traffic_;
        under_way_bytes_ = read_now_;
    }
    if (input_held_ > 0 || is_package_under_way_ || !packages_.is_empty()) {
        count_input();
    }
}

bool client_connection::sends_fast_enough(base::time_point now) const {
    const auto rate = owner_.options().least_rate;
    const std::chrono::duration<double> since = now - under_way_since_;
    return rate != 0 && is_package_under_way_ &&
           static_cast<double>(under_way_bytes_) >= since.count() * static_cast<double>(rate);
}

// What it holds

void client_connection::keep(std::size_t bytes) {
    account(unanswered_, &held_bytes::unanswered, unanswered_ + bytes);
}

void client_connection::give_back(std::size_t bytes) {
    if (phase_ == phase::gone) {
        return; // all was given back at once
    }
    account(unanswered_, &held_bytes::unanswered, unanswered_ - bytes);
    if (reading_ == reading::full && unanswered_ <= owner_.options().unanswered_limit / 2) {
        read_on();
    }
}

void client_connection::count_input() {
    const auto now = partial_.capacity() + packages_.capacity() +
                     (framing_ && is_open() ? framing_->kept_bytes() : 0) +
                     (is_open() ? stream_->held_bytes() : 0);
    account(input_held_, &held_bytes::input, now);
}

/// Handles all that is whole. Returns the bytes used; all of them when the connection ends.
std::size_t client_connection::parse(char* data, std::size_t size) {
    std::size_t used = 0;
    if (!framing_) {
        used = open_framing(data, size);
    }
    while (framing_ && is_open()) {
        const auto left = size - used;
        if (left > 0 && !may_take_front({data + used, left})) {
            wanted_ = 0;
            break;
        }
        const auto event = framing_->next(data + used, left);
        used += event.used;
        allowance_.take_bytes(event.used);
        if (event.kind == websocket_event_kind::need_more) {
            wanted_ = event.wanted;
            break;
        }
        on_event(event);
        if (!packages_.is_empty()) {
            wanted_ = 0;
            break;
        }
    }
    return is_open() ? used : size;
}

void client_connection::on_event(const framing_event& event) {
    switch (event.kind) {
    case websocket_event_kind::text:
    case websocket_event_kind::binary:
        packages_.append(on_packages(event.payload));
        return;
    case websocket_event_kind::ping:
        take_message();
        framing_->append_pong(open_queue(), event.payload);
        appended();
        return;
    case websocket_event_kind::close:
        return say_goodbye(event.code, "closed by the client", std::nullopt);
    case websocket_event_kind::error:
        return violation(event.code, event.problem);
    case websocket_event_kind::pong:
        return take_message();
    case websocket_event_kind::need_more:
        return;
    }
}

/// What must wait for another share or for an allowance.
std::string_view client_connection::on_packages(std::string_view packages) {
    do {
        const auto cut = protocol::cut_package(packages, owner_.options().package_limit);
        switch (cut.status) {
        case cut_status::ok:
            packages.remove_prefix(cut.size);
            on_package(cut.type, cut.body);
            break;
        case cut_status::need_more:
            violation(close_code::protocol_error, "a package longer than its frame");
            return {};
        case cut_status::bad_type:
            violation(close_code::protocol_error, "unknown package type");
            return {};
        case cut_status::too_long:
            violation(close_code::too_big, "package too long");
            return {};
        }
        if (packages.empty() || !is_open()) {
            return {};
        }
    } while (may_take(0));
    return packages;
}

/// Source: protocol.md 2.2 of the original's behaviour: what does not fit the phase is ignored
/// without a word.
void client_connection::on_package(package_type type, std::string_view body) {
    ++owner_.counts().packages_in;
    take_message();
    switch (type) {
    case package_type::handshake:
        if (phase_ == phase::greeting) {
            on_handshake(body);
        }
        return;
    case package_type::handshake_ack:
        if (phase_ == phase::waiting_for_ack) {
            on_ack();
        }
        return;
    case package_type::heartbeat:
        if (phase_ == phase::working && has_heartbeat()) {
            since_ = last_traffic_;
            append_package(package_type::heartbeat, {});
            appended();
        }
        return;
    case package_type::data:
        if (phase_ == phase::working) {
            newcomer_entry::unlink();
        }
        if (phase_ == phase::working && !owner_.events().on_data(*this, body) && is_open()) {
            violation(close_code::protocol_error, "malformed message");
        }
        return;
    case package_type::kick:
        return violation(close_code::protocol_error, "a kick package from a client");
    }
}

bool client_connection::has_heartbeat() const {
    return owner_.options().heartbeat != base::duration::zero();
}

} // namespace shaddock::net
