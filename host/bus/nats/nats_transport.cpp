#include "nats_transport.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace shaddock::bus {

namespace {

/// Callers that wait to be accepted, and ends to be told.
constexpr std::size_t callers_limit = 256;
constexpr std::size_t ends_limit = 4096;
/// A connection that brings back none of so many messages is not whole.
constexpr int lost_echoes = 3;

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char each) {
        return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
               (each >= '0' && each <= '9') || each == '-' || each == '_';
    });
}

/// An id as one token: what cannot stand in one is `=` and two digits.
std::string token_of(std::string_view id) {
    std::string made;
    for (const char each : id) {
        if (is_token({&each, 1})) {
            made += each;
        } else {
            made += fmt::format("={:02x}", static_cast<unsigned char>(each));
        }
    }
    return made;
}

class nats_pipe final : public pipe {
public:
    explicit nats_pipe(std::shared_ptr<numbered_stream> over) : over_(std::move(over)) {}
    ~nats_pipe() override { over_->close(); }
    ssize_t send(std::string_view bytes) override { return over_->send(bytes); }
    ssize_t recv(char* into, std::size_t size) override { return over_->recv(into, size); }
    void close() override { over_->close(); }
    bool has_unread() const override { return over_->has_unread(); }
    bool is_hung_up() const override { return over_->is_hung_up(); }
    bool is_local() const override { return false; }
    void wait_readable(std::shared_ptr<pipe_user> user, base::gate::pass held) override {
        over_->wait_readable(std::move(user), std::move(held));
    }
    void wait_writable(std::shared_ptr<pipe_user> user, base::gate::pass held) override {
        over_->wait_writable(std::move(user), std::move(held));
    }

private:
    std::shared_ptr<numbered_stream> over_;
};

} // namespace

std::unique_ptr<transport> make_nats_transport(boost::asio::any_io_executor executor,
                                               base::clock& clock, nats::connection& over,
                                               nats_transport_options options) {
    return std::make_unique<nats_transport>(std::move(executor), clock, over, std::move(options));
}

result<void> nats_transport::open() {
    if (!is_token(options_.cluster)) {
        return error(errc::config,
                     fmt::format("nats: cluster '{}' is not of letters, digits, '-' and '_'",
                                 options_.cluster));
    }
    auto calls = over_.subscribe(subject_of(options_.id),
                                 [this](const nats::message& got) { on_call(got); });
    if (!calls) {
        return std::move(calls).error();
    }
    echoes_at_ =
        nats::connection::secret_subject(fmt::format("shaddock.{}.bus.echo", options_.cluster));
    auto echoes = over_.subscribe(echoes_at_, [this](const nats::message&) {
        last_echo_ = clock_.now();
        whole_since_ = std::min(whole_since_, last_echo_);
    });
    if (!echoes) {
        return std::move(echoes).error();
    }
    calls_ = std::move(*calls);
    echoes_ = std::move(*echoes);
    is_open_ = true;
    over_.observe(*this);
    look();
    return {};
}

void nats_transport::close() {
    if (!std::exchange(is_open_, false)) {
        return;
    }
    over_.forget(*this);
    next_look_.cancel();
    calls_.end();
    echoes_.end();
    callers_.clear();
    hand_over();
}

// ---- callers
// ---------------------------------------------------------------------------------------------------------------

void nats_transport::accept(base::unique_function<void(arrival)> done) {
    accepts_ = std::move(done);
    hand_over();
}

void nats_transport::hand_over() {
    if (!accepts_ || (is_open_ && callers_.empty())) {
        return;
    }
    arrival who{arrival::trouble::failed, nullptr, "closed"};
    if (!callers_.empty()) {
        who = {arrival::trouble::none, std::move(callers_.front()), {}};
        callers_.pop_front();
    }
    boost::asio::post(executor_, [done = std::exchange(accepts_, nullptr),
                                  who = std::move(who)]() mutable { done(std::move(who)); });
}

void nats_transport::on_call(const nats::message& got) {
    const auto chunk = read_chunk(got.bytes);
    if (!chunk || chunk->kind != chunk_kind::dial || got.reply.empty() ||
        callers_.size() >= callers_limit) {
        if (const auto untold = strange_calls_.due(clock_.now())) {
            base::log::warn("bus",
                            "a message at '{}' is no call of a server, or too many call at once: "
                            "dropped; {} more since the last line of this kind",
                            got.subject, *untold);
        }
        return;
    }
    auto stream = make_stream();
    if (!stream->accept(got.reply, chunk->window)) {
        stream->close();
        return;
    }
    callers_.push_back(std::make_unique<nats_pipe>(std::move(stream)));
    hand_over();
}

boost::system::result<std::unique_ptr<pipe>, dial_failure>
nats_transport::dial(std::string_view id) {
    if (!over_.is_up()) {
        return dial_failure::try_again;
    }
    auto stream = make_stream();
    const auto called = stream->dial(subject_of(id));
    std::unique_ptr<pipe> made = std::make_unique<nats_pipe>(std::move(stream));
    if (!called) {
        return dial_failure::try_again;
    }
    return made;
}

std::shared_ptr<numbered_stream> nats_transport::make_stream() {
    auto made = std::make_shared<numbered_stream>(
        *this, executor_,
        nats::connection::secret_subject(fmt::format("shaddock.{}.bus.pipe", options_.cluster)),
        options_.window);
    streams_.insert(made.get());
    return made;
}

std::string nats_transport::subject_of(std::string_view id) const {
    return fmt::format("shaddock.{}.bus.to.{}", options_.cluster, token_of(id));
}

// ---- the own connection
// ----------------------------------------------------------------------------------------------------

void nats_transport::look() {
    next_look_ = clock_.after(options_.heartbeat, [this] { look(); });
    if (clock_.now() - last_echo_ > lost_echoes * options_.heartbeat) {
        whole_since_ = base::time_point::max();
    }
    (void)over_.publish(echoes_at_, {}, plain_chunk(chunk_kind::echo, 0));
    for (auto* const each : streams_) {
        each->look();
    }
}

void nats_transport::on_up() {
    for (const auto& [inbox, number] : std::exchange(ends_to_tell_, {})) {
        (void)over_.publish(inbox, {}, plain_chunk(chunk_kind::end, number));
    }
    look();
}

void nats_transport::on_down() {
    whole_since_ = base::time_point::max();
    for (auto* const each : streams_) {
        each->lose(ECONNRESET);
    }
}

void nats_transport::on_room() {
    for (auto* const each : streams_) {
        each->has_room();
    }
}

void nats_transport::on_slow_consumer(std::string_view subject) {
    for (auto* const each : streams_) {
        if (each->inbox() == subject) {
            each->lose(ECONNRESET);
        }
    }
}

void nats_transport::tell_end_later(const std::string& inbox, std::uint64_t number) {
    // Who is not told finds out by the silence.
    if (ends_to_tell_.size() < ends_limit) {
        ends_to_tell_.emplace_back(inbox, number);
    }
}

} // namespace shaddock::bus
