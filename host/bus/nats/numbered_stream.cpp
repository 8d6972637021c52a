#include "numbered_stream.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace shaddock::bus {

namespace {

/// Bytes of one message: so much of a big frame goes in one, and others go in between.
constexpr std::size_t longest_chunk = std::size_t{128} * 1024;

/// A call that reached somebody who was about to end is not answered.
constexpr int patient_looks = 2;

std::uint64_t cost_of(std::string_view bytes) {
    return bytes.size() + chunk_cost;
}

} // namespace

result<void> numbered_stream::listen() {
    auto at = owner_->over().subscribe(inbox_, [weak = weak_from_this()](nats::message got) {
        if (const auto to = weak.lock()) {
            to->on_message(std::move(got));
        }
    });
    if (!at) {
        return std::move(at).error();
    }
    at_ = std::move(*at);
    return {};
}

result<void> numbered_stream::dial(const std::string& subject) {
    if (auto listens = listen(); !listens) {
        return listens;
    }
    return owner_->over().publish(subject, inbox_, dial_chunk(static_cast<std::uint32_t>(window_)));
}

result<void> numbered_stream::accept(std::string other, std::uint32_t window) {
    if (auto listens = listen(); !listens) {
        return listens;
    }
    other_ = std::move(other);
    other_window_ = window;
    next_out_ = 1;
    return owner_->over().publish(other_, inbox_,
                                  accept_chunk(static_cast<std::uint32_t>(window_)));
}

// ---- the pipe
// --------------------------------------------------------------------------------------------------------------

bool numbered_stream::is_writable() const {
    // One chunk alone always fits, whatever the window.
    return ending_ || (!other_.empty() && !is_over_full_ &&
                       (sent_ == taken_ || sent_ - taken_ + chunk_cost < other_window_));
}

ssize_t numbered_stream::send(std::string_view bytes) {
    if (is_closed_ || ending_) {
        errno = EPIPE;
        return -1;
    }
    if (bytes.empty()) {
        return 0;
    }
    is_over_full_ = false;
    if (!is_writable()) {
        errno = EAGAIN;
        return -1;
    }
    const auto under_way = sent_ - taken_;
    auto most = std::min(longest_chunk, owner_->over().max_payload() - chunk_header);
    if (under_way > 0) {
        most = std::min<std::size_t>(most, other_window_ - under_way - chunk_cost);
    }
    const auto part = bytes.substr(0, most);
    const auto sent = owner_->over().publish(other_, inbox_, data_chunk(next_out_, part));
    if (!sent) {
        if (sent.error().code() == errc::overloaded) {
            is_over_full_ = true;
            errno = EAGAIN;
        } else {
            lose(ECONNRESET);
            errno = EPIPE;
        }
        return -1;
    }
    ++next_out_;
    has_sent_ = true;
    sent_ += cost_of(part);
    return static_cast<ssize_t>(part.size());
}

ssize_t numbered_stream::recv(char* into, std::size_t size) {
    std::size_t got = 0;
    while (got < size && !unread_.empty()) {
        auto& first = unread_.front();
        const auto part = std::min(size - got, first.size() - begin_);
        std::copy_n(first.data() + begin_, part, into + got);
        got += part;
        begin_ += part;
        if (begin_ == first.size()) {
            read_ += cost_of(std::string_view(first).substr(chunk_header));
            unread_.pop_front();
            begin_ = chunk_header;
        }
    }
    if (got > 0) {
        tell_taken();
        return static_cast<ssize_t>(got);
    }
    if (ending_ == 0) {
        return 0;
    }
    errno = ending_ ? *ending_ : EAGAIN;
    return -1;
}

void numbered_stream::tell_taken() {
    if (read_ - told_ >= window_ / 4) {
        say_taken();
    }
}

void numbered_stream::say_taken() {
    if (is_closed_ || ending_ || other_.empty()) {
        return;
    }
    if (owner_->over().publish(other_, inbox_, taken_chunk(next_out_, read_))) {
        ++next_out_;
        has_sent_ = true;
        told_ = read_;
    }
}

void numbered_stream::look() {
    if (other_.empty()) {
        if (++looks_ > patient_looks) {
            lose(ETIMEDOUT);
        }
    } else if (!std::exchange(has_sent_, false)) {
        say_taken();
    }
}

void numbered_stream::close() {
    if (std::exchange(is_closed_, true)) {
        return;
    }
    if (!other_.empty() && ending_ != 0 &&
        !owner_->over().publish(other_, {}, plain_chunk(chunk_kind::end, next_out_))) {
        owner_->tell_end_later(other_, next_out_);
    }
    at_.end();
    owner_->closed(*this);
    owner_ = nullptr;
    unread_.clear();
    if (!ending_) {
        ending_ = ECONNRESET;
    }
    wake_reader();
    wake_writer();
}

void numbered_stream::lose(int why) {
    if (!ending_) {
        ending_ = why;
        wake_reader();
        wake_writer();
    }
}

void numbered_stream::has_room() {
    is_over_full_ = false;
    wake_writer();
    tell_taken();
}

void numbered_stream::wait_readable(std::shared_ptr<pipe_user> user, base::gate::pass held) {
    reader_.emplace(wait{std::move(user), std::move(held)});
    wake_reader();
}

void numbered_stream::wait_writable(std::shared_ptr<pipe_user> user, base::gate::pass held) {
    writer_.emplace(wait{std::move(user), std::move(held)});
    wake_writer();
}

void numbered_stream::wake_reader() {
    if (reader_ && has_unread()) {
        boost::asio::post(executor_, [waits = std::move(*reader_)] { waits.user->on_readable(); });
        reader_.reset();
    }
}

void numbered_stream::wake_writer() {
    if (writer_ && is_writable()) {
        boost::asio::post(executor_, [waits = std::move(*writer_)] { waits.user->on_writable(); });
        writer_.reset();
    }
}

// ---- what comes in
// ---------------------------------------------------------------------------------------------------------

void numbered_stream::on_message(nats::message got) {
    if (is_closed_ || ending_) {
        return;
    }
    if (got.is_no_responders) {
        // Nobody is there now, or not any more.
        return lose(other_.empty() ? ECONNREFUSED : ECONNRESET);
    }
    const auto chunk = read_chunk(got.bytes);
    if (!chunk || chunk->kind == chunk_kind::dial || chunk->kind == chunk_kind::echo ||
        chunk->number != next_in_ || (chunk->kind == chunk_kind::accept) != other_.empty()) {
        return lose(ECONNRESET); // something is missing, came twice or is damaged
    }
    ++next_in_;
    if (chunk->kind != chunk_kind::data) {
        return take(*chunk, got.reply);
    }
    came_ += cost_of(chunk->bytes);
    if (chunk->bytes.empty() || (came_ - read_ > window_ && !unread_.empty())) {
        return lose(ECONNRESET); // it sends more than it may
    }
    if (unread_.empty()) {
        begin_ = chunk_header;
    }
    unread_.push_back(std::move(got.bytes));
    wake_reader();
}

void numbered_stream::take(const chunk_view& chunk, const std::string& reply) {
    switch (chunk.kind) {
    case chunk_kind::accept:
        if (reply.empty()) {
            return lose(ECONNRESET);
        }
        other_ = reply;
        other_window_ = chunk.window;
        return wake_writer();
    case chunk_kind::taken:
        if (chunk.cost > sent_ || chunk.cost < taken_) {
            return lose(ECONNRESET);
        }
        taken_ = chunk.cost;
        return wake_writer();
    case chunk_kind::end:
        return lose(0);
    default:
        return;
    }
}

} // namespace shaddock::bus
