#include "socket_link.hpp"

#include "core.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>
#include <cstring>

namespace shaddock::bus {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{64} * 1024;
/// Grown for a big frame, a buffer above this goes back when it is empty.
constexpr std::size_t keep_bytes = std::size_t{1024} * 1024;
constexpr std::size_t room_bytes = std::size_t{16} * 1024;

} // namespace

socket_link::socket_link(core& owner, greeter& greets, std::unique_ptr<pipe> way,
                         std::string called)
    : link(owner, owner.self().queue_limit), worker(base::turn_budget::work::begun),
      greets_(greets), way_(std::move(way)), called_(std::move(called)), in_(buffer_bytes) {}

void socket_link::start_reading() {
    wait_readable();
}

void socket_link::say_hello(const hello& greeting) {
    append_hello(out_, greeting);
    flush();
}

void socket_link::refuse(std::string_view text, incarnation dead) {
    append_refuse(out_, text, dead);
    flush();
    close(link_end::lost);
}

void socket_link::become_open(peer with) {
    patience.cancel();
    open(std::move(with));
}

void socket_link::flush() {
    if (is_closed() || is_waiting_writable_) {
        return;
    }
    const auto before = sent_;
    const bool had_any = sent_ < out_.size();
    if (is_write_broken_) {
        sent_ = out_.size(); // nobody takes it; but what waits for room must not wait for ever
    }
    while (sent_ < out_.size()) {
        const auto written = way_->send(std::string_view(out_).substr(sent_));
        if (written >= 0) {
            sent_ += static_cast<std::size_t>(written);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            wait_writable();
            break;
        } else if (errno != EINTR) {
            // The reading side finds the end, after what the peer still said (a goodbye).
            is_write_broken_ = true;
            sent_ = out_.size();
        }
    }
    if (sent_ > before || !had_any) {
        stalled_since_ = base::time_point::max();
    }
    if (is_waiting_writable_ && stalled_since_ == base::time_point::max()) {
        stalled_since_ = owner_.clock().now();
    }
    if (sent_ == out_.size()) {
        out_.clear();
        sent_ = 0;
        if (out_.capacity() > keep_bytes) {
            out_ = std::string();
        }
    } else if (sent_ > keep_bytes) {
        out_.erase(0, sent_);
        sent_ = 0;
    }
    if (is_open() && had_any) {
        progressed();
    }
}

void socket_link::drain() {
    if (is_reading_) {
        return; // the bytes under the feet of who handles a frame would move
    }
    look(portion::all);
    handle();
    while (read_some()) {
    }
    read_up();
}

bool socket_link::take_greeting(const frame_view& frame) {
    return greets_.on_greeting(*this, frame);
}

void socket_link::shut() {
    const bool was_greeting = with_.id.empty();
    patience.cancel();
    leave_queue();
    way_->close();
    if (was_greeting) {
        greets_.on_greeting_failed(*this);
    }
}

void socket_link::wait_readable() {
    way_->wait_readable(std::static_pointer_cast<socket_link>(shared_from_this()), owner_.enter());
}

void socket_link::on_readable() {
    if (owner_.turns().may_work(*this, owner_.clock().now())) {
        go_on();
    }
}

void socket_link::go_on() {
    const auto kept = shared_from_this();
    if (is_closed()) {
        return; // the wait ended with the link
    }
    const bool has_more = was_interrupted();
    look(portion::share);
    if (is_open() && owner_.was_silent(now()) && is_hung_up()) {
        owner_.learn_own_death(with_.id);
        return close(link_end::lost);
    }
    owner_.begin_read();
    if (has_more) {
        handle();
    }
    while (!was_interrupted() && read_some()) {
    }
    if (!was_interrupted()) {
        read_up();
    }
    owner_.end_read();
    if (is_closed()) {
        return;
    }
    if (must_wait()) {
        wait_for_room();
    } else if (was_interrupted()) {
        read_on();
    } else {
        wait_readable();
    }
}

void socket_link::read_on() {
    owner_.turns().later(*this);
}

void socket_link::look(portion what) {
    begin_reading(what);
    looked_after(now() - std::exchange(looked_at_, now()));
    if (owner_.stall(now()) != base::duration::zero() && is_hung_up()) {
        // This process stood still, and the callers have been told that the link is broken.
        serve_no_calls();
    }
}

void socket_link::handle() {
    if (is_closed()) {
        return;
    }
    is_reading_ = true;
    begin_ += take_frames({in_.data() + begin_, end_ - begin_});
    is_reading_ = false;
}

bool socket_link::read_some() {
    // Not from inside the handling of a frame: the bytes under its feet would move.
    if (is_closed() || is_reading_) {
        return false;
    }
    make_room();
    const auto room = in_.size() - end_;
    const auto got = way_->recv(in_.data() + end_, room);
    if (got < 0 && errno == EINTR) {
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return false;
    }
    if (got <= 0) {
        was_refused_ = got < 0 && errno == ECONNREFUSED;
        close(link_end::lost);
        return false;
    }
    end_ += static_cast<std::size_t>(got);
    handle();
    return !is_closed() && static_cast<std::size_t>(got) == room;
}

void socket_link::make_room() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (in_.size() > keep_bytes) {
            in_ = std::vector<char>(buffer_bytes);
        }
    }
    if (in_.size() - end_ >= room_bytes) {
        return;
    }
    if (begin_ > 0) {
        std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (in_.size() - end_ < room_bytes) {
        in_.resize(in_.size() * 2);
    }
}

bool socket_link::has_unread() {
    return was_interrupted() || way_->has_unread();
}

bool socket_link::is_hung_up() {
    return way_->is_hung_up();
}

void socket_link::wait_writable() {
    is_waiting_writable_ = true;
    way_->wait_writable(std::static_pointer_cast<socket_link>(shared_from_this()), owner_.enter());
}

void socket_link::on_writable() {
    is_waiting_writable_ = false;
    flush();
}

} // namespace shaddock::bus
