#include "tls_stream.hpp"

#include <boost/asio/post.hpp>

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace shaddock::net {

namespace {

/// The first byte of a client that begins with TLS: a handshake record.
constexpr char handshake_record = 22;
/// Plain bytes of one record.
constexpr std::size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;
/// What a client may send without a plain byte coming of it: a handshake, or a record whose end has
/// not come.
constexpr std::size_t unseen_limit = std::size_t{24} * 1024;
/// What may wait for a client that does not read: a record of ours, and answers to its key updates.
constexpr std::size_t unsent_limit = std::size_t{32} * 1024;

constexpr std::string_view use_tls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 43\r\n"
    "Connection: close\r\n\r\nThis port speaks TLS: use wss:// or https.\n";

/// Where OpenSSL reads and writes: memory, never the socket.
struct pipe {
    /// Came from the peer and was not read yet.
    std::string_view in;
    /// For the peer, and how much of it the stream below has taken.
    std::string out;
    std::size_t sent = 0;

    bool is_empty() const { return sent == out.size(); }
};

pipe& pipe_of(BIO* bio) {
    return *static_cast<pipe*>(BIO_get_data(bio));
}
int read_pipe(BIO* bio, char* into, std::size_t size, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    auto& from = pipe_of(bio).in;
    *count = std::min(size, from.size());
    if (*count == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    std::memcpy(into, from.data(), *count);
    from.remove_prefix(*count);
    return 1;
}
int write_pipe(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
    pipe_of(bio).out.append(bytes, size);
    *count = size;
    return 1;
}
long control_pipe(BIO* /*bio*/, int command, long /*number*/, void* /*more*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* pipe_method() {
    static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> method = [] {
        std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> made(
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory"), &BIO_meth_free);
        BIO_meth_set_read_ex(made.get(), read_pipe);
        BIO_meth_set_write_ex(made.get(), write_pipe);
        BIO_meth_set_ctrl(made.get(), control_pipe);
        return made;
    }();
    return method.get();
}

class tls_stream final : public stream {
public:
    tls_stream(std::unique_ptr<stream> below, const tls_context& with, tls_terms terms,
               std::shared_ptr<tls_line> line)
        : below_(std::move(below)), with_(with), line_(std::move(line)), terms_(std::move(terms)),
          writing_(new below_writable(*this)) {}
    ~tls_stream() override { writing_->stream = nullptr; }

    stream_result read_some(char* into, std::size_t size) override;
    stream_result write_some(std::string_view bytes) override;
    stream_result shut_down() override;
    std::size_t held_bytes() const override {
        return unseen_ + rest_.size() + pipe_.out.size() - pipe_.sent;
    }
    void close() override { below_->close(); }
    void reset() override { below_->reset(); }
    void wait_readable(user_ptr user) override;
    void wait_writable(user_ptr user) override;

private:
    enum class mode : std::uint8_t { undecided, plain, tls };

    /// Waits below until something can be written, for what OpenSSL has made and for the user.
    struct below_writable final : stream_user {
        explicit below_writable(tls_stream& of) : stream(&of) {}
        void on_readable(const char* /*problem*/) override {}
        void on_writable(const char* problem) override {
            is_waiting = false;
            if (stream != nullptr && problem == nullptr) {
                return stream->below_is_writable();
            }
            if (auto waits = std::exchange(user, nullptr)) {
                waits->on_writable(problem != nullptr ? problem : "closed");
            }
        }
        tls_stream* stream;
        user_ptr user;
        bool is_waiting = false;
    };
    /// Stands in line before it goes on with a handshake.
    struct in_line final : stream_user {
        in_line(std::shared_ptr<tls_line> for_turns, user_ptr for_whom)
            : line(std::move(for_turns)), user(std::move(for_whom)) {}
        void on_readable(const char* problem) override {
            if (problem != nullptr) {
                return user->on_readable(problem);
            }
            line->wake_later(std::move(user));
        }
        void on_writable(const char* /*problem*/) override {}
        std::shared_ptr<tls_line> line;
        user_ptr user;
    };

    bool is_established() const { return mode_ == mode::tls && SSL_is_init_finished(ssl_.get()); }
    /// Bytes that were decrypted and not read.
    bool has_plain() const { return ssl_ && SSL_pending(ssl_.get()) > 0; }
    std::optional<stream_result> decide(char* into, std::string_view first);
    stream_result begin();
    stream_result refuse_plain(std::string_view first);
    void read_records(char* into, std::size_t size, std::size_t& taken);
    void count_unseen(std::size_t raw, bool has_got_somewhere);
    void note_end(int outcome);
    stream_result fail(const char* problem);
    void flush();
    void below_is_writable();
    void wait_below();

    std::unique_ptr<stream> below_;
    const tls_context& with_;
    std::shared_ptr<tls_line> line_;
    tls_terms terms_;
    mode mode_ = mode::undecided;
    boost::intrusive_ptr<below_writable> writing_;
    std::unique_ptr<SSL, ssl_free> ssl_;
    pipe pipe_;
    /// Came from below when there was no room for what it holds.
    std::string rest_;
    /// How reading has ended, once all before it was read.
    stream_status end_ = stream_status::done;
    /// Came from below since the last plain byte.
    std::size_t unseen_ = 0;
    std::string problem_;
    bool has_said_goodbye_ = false;
};

stream_result tls_stream::read_some(char* into, std::size_t size) {
    if (mode_ == mode::plain) {
        return below_->read_some(into, size);
    }
    if (end_ != stream_status::done) {
        return {.status = end_, .problem = problem_.c_str()};
    }
    if (pipe_.out.size() - pipe_.sent > unsent_limit) {
        return fail("TLS: it takes no answers");
    }
    const auto kept = std::exchange(rest_, {});
    pipe_.in = kept;
    std::size_t raw = 0;
    if (kept.empty() && !has_plain()) {
        const auto got = below_->read_some(line_->buffer(), std::min(size, tls_line::buffer_bytes));
        if (got.status != stream_status::done) {
            return got;
        }
        pipe_.in = {line_->buffer(), got.size};
        raw = got.size;
    }
    if (mode_ == mode::undecided) {
        if (const auto decided = decide(into, pipe_.in)) {
            return *decided;
        }
    }
    const bool was_established = is_established();
    std::size_t taken = 0;
    read_records(into, size, taken);
    rest_.assign(pipe_.in);
    pipe_.in = {};
    const bool is_agreed_now = !was_established && is_established();
    if (is_agreed_now) {
        ++line_->counts().tls_handshakes;
        line_->counts().tls_resumed += SSL_session_reused(ssl_.get()) == 1 ? 1U : 0U;
    }
    count_unseen(raw, taken > 0 || is_agreed_now);
    flush();
    if (unseen_ > unseen_limit && end_ == stream_status::done) {
        line_->counts().tls_refused += is_established() ? 0U : 1U;
        fail("TLS: too much without a message");
    }
    if (taken == 0 && end_ != stream_status::done) {
        return {.status = end_, .problem = problem_.c_str()};
    }
    return {.status = taken == 0 ? stream_status::would_block : stream_status::done,
            .size = taken,
            .raw = raw};
}

/// What OpenSSL keeps of a record whose end has not come is not told; it is a record at most.
void tls_stream::count_unseen(std::size_t raw, bool has_got_somewhere) {
    if (!has_got_somewhere) {
        unseen_ += raw;
    } else {
        unseen_ = ssl_ && SSL_has_pending(ssl_.get()) == 1 ? std::min(raw, record_bytes) : 0;
    }
}

/// Nothing: it is TLS, go on.
std::optional<stream_result> tls_stream::decide(char* into, std::string_view first) {
    if (first.front() == handshake_record) {
        mode_ = mode::tls;
        const auto begun = begin();
        return begun.status == stream_status::done ? std::nullopt : std::optional(begun);
    }
    if (terms_.plain == plain_clients::refused) {
        return refuse_plain(first);
    }
    mode_ = mode::plain;
    std::memcpy(into, first.data(), first.size());
    return stream_result{.size = first.size()};
}

stream_result tls_stream::begin() {
    if (terms_.may_begin && !terms_.may_begin()) {
        ++line_->counts().tls_refused;
        return fail("TLS: too many handshakes");
    }
    ssl_ = with_.begin();
    auto* const bio = ssl_ ? BIO_new(pipe_method()) : nullptr;
    if (bio == nullptr) {
        return fail("TLS: out of memory");
    }
    BIO_set_data(bio, &pipe_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
    return {};
}

stream_result tls_stream::refuse_plain(std::string_view first) {
    ++line_->counts().tls_refused;
    if (first.front() >= 'A' && first.front() <= 'Z') {
        below_->write_some(use_tls);
    }
    return fail("no TLS, which this port wants");
}

void tls_stream::read_records(char* into, std::size_t size, std::size_t& taken) {
    ERR_clear_error();
    int outcome = 1;
    while (outcome == 1 && taken < size) {
        std::size_t count = 0;
        outcome = SSL_read_ex(ssl_.get(), into + taken, size - taken, &count);
        taken += count;
    }
    if (outcome != 1) {
        note_end(SSL_get_error(ssl_.get(), outcome));
    }
}

void tls_stream::note_end(int outcome) {
    if (outcome == SSL_ERROR_WANT_READ) {
        return;
    }
    if (outcome == SSL_ERROR_ZERO_RETURN) {
        end_ = stream_status::ended;
        return;
    }
    line_->counts().tls_refused += is_established() ? 0U : 1U;
    fail(("TLS: " + tls_problem()).c_str());
}

stream_result tls_stream::fail(const char* problem) {
    problem_ = problem;
    end_ = stream_status::failed;
    return {.status = end_, .problem = problem_.c_str()};
}

/// Each record is offered below before the next is made, so that a client that does not read holds
/// one of them here and not many.
stream_result tls_stream::write_some(std::string_view bytes) {
    if (mode_ == mode::plain) {
        return below_->write_some(bytes);
    }
    if (!is_established()) {
        return {.status = stream_status::failed, .problem = "nothing is agreed yet"};
    }
    flush();
    std::size_t taken = 0;
    while (taken < bytes.size() && pipe_.is_empty() && end_ != stream_status::failed) {
        ERR_clear_error();
        std::size_t count = 0;
        const auto part = bytes.substr(taken, record_bytes);
        if (SSL_write_ex(ssl_.get(), part.data(), part.size(), &count) != 1) {
            fail(("TLS: " + tls_problem()).c_str());
        }
        taken += count;
        flush();
    }
    if (end_ == stream_status::failed) {
        return {.status = end_, .problem = problem_.c_str()};
    }
    return {.status = taken == 0 ? stream_status::would_block : stream_status::done, .size = taken};
}

stream_result tls_stream::shut_down() {
    if (is_established() && end_ != stream_status::failed && !has_said_goodbye_) {
        has_said_goodbye_ = true;
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
        flush();
    }
    if (!pipe_.is_empty()) {
        return {.status = stream_status::would_block};
    }
    return below_->shut_down();
}

/// Hands down what OpenSSL has made. What is not taken goes when there is room.
void tls_stream::flush() {
    while (!pipe_.is_empty()) {
        const auto took = below_->write_some(std::string_view(pipe_.out).substr(pipe_.sent));
        if (took.status == stream_status::failed) {
            fail(took.problem);
        }
        if (took.status != stream_status::done) {
            break;
        }
        pipe_.sent += took.size;
    }
    if (end_ == stream_status::failed || pipe_.is_empty()) {
        pipe_.out = {};
        pipe_.sent = 0;
    } else {
        wait_below();
    }
}

void tls_stream::below_is_writable() {
    flush();
    if (!pipe_.is_empty()) {
        return;
    }
    if (auto user = std::exchange(writing_->user, nullptr)) {
        user->on_writable(nullptr);
    }
}

void tls_stream::wait_below() {
    if (!std::exchange(writing_->is_waiting, true)) {
        below_->wait_writable(writing_);
    }
}

void tls_stream::wait_readable(user_ptr user) {
    const bool has_more = !rest_.empty() || end_ != stream_status::done || has_plain();
    if (has_more) {
        return line_->wake_later(std::move(user));
    }
    if (mode_ == mode::plain || is_established()) {
        return below_->wait_readable(std::move(user));
    }
    below_->wait_readable(new in_line(line_, std::move(user)));
}

void tls_stream::wait_writable(user_ptr user) {
    if (mode_ == mode::plain) {
        return below_->wait_writable(std::move(user));
    }
    writing_->user = std::move(user);
    wait_below();
}

} // namespace

tls_line::tls_line(boost::asio::any_io_executor executor, base::clock& clock,
                   listener_counts& counts)
    : executor_(std::move(executor)), clock_(clock), counts_(counts),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_bytes)) {}

void tls_line::wake_later(stream::user_ptr user) {
    waiting_.push_back(std::move(user));
    if (waiting_.size() == 1) {
        post_turn();
    }
}

void tls_line::post_turn() {
    boost::asio::post(executor_, [self = shared_from_this()] { self->turn(); });
}

void tls_line::turn() {
    const auto end = clock_.now() + slice;
    int left = most;
    do {
        // Who is gone by now takes nobody's turn.
        while (waiting_.front()->is_over()) {
            waiting_.pop_front();
            if (waiting_.empty()) {
                return;
            }
        }
        const auto next = waiting_.front();
        // It stays the first meanwhile, so that who comes posts no second turn.
        next->on_readable(nullptr);
        waiting_.pop_front();
    } while (!waiting_.empty() && --left > 0 && clock_.now() < end);
    if (!waiting_.empty()) {
        post_turn();
    }
}

std::unique_ptr<stream> make_tls_stream(std::unique_ptr<stream> below, const tls_context& with,
                                        tls_terms terms, std::shared_ptr<tls_line> line) {
    return std::make_unique<tls_stream>(std::move(below), with, std::move(terms), std::move(line));
}

} // namespace shaddock::net
