#include "nats/connection.hpp"

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/rare_lines.hpp"
#include "silent_sockets.hpp"
#include "worker.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <map>
#include <set>

namespace shaddock::nats {

namespace {

/// Events that are handled in one turn of the loop.
constexpr std::size_t share_events = 512;

bool is_subject(std::string_view text) {
    return !text.empty() && text.front() != '.' && text.back() != '.' &&
           text.find("..") == std::string_view::npos &&
           std::ranges::all_of(text, [](char each) { return each > ' ' && each < 0x7f; });
}

} // namespace

void subscription::end() {
    if (const auto ended = std::exchange(state_, nullptr)) {
        ended->end();
    }
}

struct connection::impl : std::enable_shared_from_this<connection::impl> {
    impl(boost::asio::any_io_executor on, base::clock& time, options wants)
        : executor(std::move(on)), clock(time), wanted(std::move(wants)), troubles(time) {}

    struct listener {
        observer* who;
        bool was_told_up;
    };
    struct question {
        base::unique_function<void(result<std::string>)> done;
        base::timer late;
    };

    void take();
    void handle_event(event& one);
    void up(const event& seen);
    void down(const std::string& why);
    void tell(void (observer::*news)());
    void tell_up();
    void call(const std::shared_ptr<subscription::state>& at, message bytes);
    void answer(std::string_view number, result<std::string> what);
    void ended();
    /// While it is not up: the library may hang on a server that says nothing.
    void watch();
    void later(base::unique_function<void()> work) {
        boost::asio::post(
            executor, [kept = shared_from_this(), work = std::move(work)]() mutable { work(); });
    }

    boost::asio::any_io_executor executor;
    base::clock& clock;
    options wanted;
    base::rare_lines troubles;
    std::shared_ptr<worker> works;
    std::vector<listener> listeners;
    std::vector<event> taken;
    std::size_t next = 0;
    bool is_up = false;
    bool is_stopping = false;
    std::uint64_t times_up = 0;
    std::string server;
    std::string trouble;
    std::size_t max_payload = 0;
    std::set<std::uint16_t> ports;
    base::timer next_watch;
    std::string answers_at;
    subscription answers;
    std::map<std::uint64_t, question> questions;
    std::uint64_t last_question = 0;
    base::unique_function<void()> stopped;
};

void connection::impl::take() {
    if (next == taken.size()) {
        taken = works->take_events();
        next = 0;
    }
    for (std::size_t share = 0; share < share_events && next < taken.size(); ++share) {
        auto one = std::move(taken[next++]);
        works->let_go(one);
        handle_event(one);
    }
    if (next < taken.size()) {
        later([this] { take(); });
    } else {
        taken.clear();
        next = 0;
    }
}

void connection::impl::handle_event(event& one) {
    switch (one.what) {
    case event::kind::up:
        return up(one);
    case event::kind::down:
        return down(one.text);
    case event::kind::slow:
        if (const auto how = troubles.due(one.text)) {
            base::log::warn("nats",
                            "messages at '{}' were dropped: they came faster than they "
                            "were handled{}",
                            one.text, *how);
        }
        for (const auto& each : std::vector(listeners)) {
            each.who->on_slow_consumer(one.text);
        }
        return;
    case event::kind::room:
        return tell(&observer::on_room);
    case event::kind::trouble:
        if (!is_up) {
            trouble = one.text;
        }
        if (const auto how = troubles.due("trouble")) {
            base::log::warn("nats", "{}{}", one.text, *how);
        }
        return;
    case event::kind::heard:
        return call(one.at, std::move(one.bytes));
    case event::kind::ended:
        return ended();
    }
}

void connection::impl::up(const event& seen) {
    if (is_up) {
        down("it was lost for a moment");
    }
    max_payload = seen.max_payload;
    if (max_payload < wanted.least_max_payload) {
        trouble = fmt::format("the server {} takes {} bytes in one message, at least {} are "
                              "needed: set max_payload in its configuration",
                              seen.text, max_payload, wanted.least_max_payload);
        base::log::error("nats", "{}", trouble);
        return;
    }
    base::log::info("nats", "connected to {}", seen.text);
    ports.insert(seen.ports.begin(), seen.ports.end());
    next_watch.cancel();
    is_up = true;
    ++times_up;
    server = seen.text;
    trouble.clear();
    tell_up();
}

void connection::impl::tell_up() {
    for (std::size_t i = 0; i < listeners.size() && is_up; ++i) {
        if (!std::exchange(listeners[i].was_told_up, true)) {
            listeners[i].who->on_up();
        }
    }
}

void connection::impl::down(const std::string& why) {
    if (!std::exchange(is_up, false)) {
        return;
    }
    server.clear();
    trouble = why;
    if (!is_stopping) {
        base::log::warn("nats", "the connection is lost: {}; trying without end", why);
    }
    watch();
    for (auto& each : std::exchange(questions, {})) {
        each.second.done(error(errc::disconnected, "the connection to NATS was lost"));
    }
    for (auto& each : listeners) {
        each.was_told_up = false;
    }
    tell(&observer::on_down);
}

void connection::impl::tell(void (observer::*news)()) {
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        (listeners[i].who->*news)();
    }
}

void connection::impl::call(const std::shared_ptr<subscription::state>& at, message bytes) {
    if (at->has_ended) {
        return;
    }
    at->is_being_called = true;
    at->heard(std::move(bytes));
    at->is_being_called = false;
    if (at->has_ended) {
        at->heard = nullptr;
    }
}

void connection::impl::answer(std::string_view number, result<std::string> what) {
    std::uint64_t asked = 0;
    std::from_chars(number.data(), number.data() + number.size(), asked);
    // Unknown: it came after its time.
    if (auto found = questions.extract(asked)) {
        found.mapped().done(std::move(what));
    }
}

void connection::impl::watch() {
    const auto patience = wanted.connect_timeout * (is_stopping ? 1 : 3);
    if (shut_silent_sockets(ports, patience) > 0 && !is_stopping) {
        trouble = "a server takes connections and says nothing more";
        base::log::warn("nats", "{}: given up, trying again", trouble);
    }
    next_watch = clock.after(wanted.connect_timeout, [this] { watch(); });
}

void connection::impl::ended() {
    works->join();
    next_watch.cancel();
    is_up = false;
    if (auto done = std::exchange(stopped, nullptr)) {
        done();
    }
}

// ---- what others see
// -------------------------------------------------------------------------------------------------------

connection::connection(boost::asio::any_io_executor executor, base::clock& clock, options wanted)
    : impl_(std::make_shared<impl>(std::move(executor), clock, std::move(wanted))) {}

connection::~connection() {
    assert((impl_->works == nullptr || (impl_->is_stopping && !impl_->stopped)) && "not stopped");
}

result<void> connection::start() {
    assert(impl_->works == nullptr);
    if (!is_subject(impl_->wanted.inbox_prefix)) {
        return error(errc::config, fmt::format("'{}' is no prefix of a subject of NATS",
                                               impl_->wanted.inbox_prefix));
    }
    auto works = std::make_shared<worker>(
        impl_->wanted, [executor = impl_->executor, weak = std::weak_ptr(impl_)] {
            boost::asio::post(executor, [weak] {
                if (const auto to = weak.lock()) {
                    to->take();
                }
            });
        });
    if (auto started = works->start(); !started) {
        return started;
    }
    impl_->works = std::move(works);
    for (const auto& each : impl_->wanted.servers) {
        impl_->ports.insert(port_of(each));
    }
    impl_->next_watch =
        impl_->clock.after(impl_->wanted.connect_timeout, [in = impl_.get()] { in->watch(); });
    impl_->answers_at = secret_subject(impl_->wanted.inbox_prefix);
    auto answers = subscribe(impl_->answers_at + ".*", [in = impl_.get()](message heard) {
        const auto number = std::string_view(heard.subject).substr(in->answers_at.size() + 1);
        if (heard.is_no_responders) {
            in->answer(number, error(errc::no_server, "nobody listens there"));
        } else {
            in->answer(number, std::move(heard.bytes));
        }
    });
    impl_->answers = std::move(*answers);
    return {};
}

void connection::observe(observer& told) {
    impl_->listeners.push_back({&told, false});
    if (impl_->is_up) {
        impl_->later([in = impl_.get()] { in->tell_up(); });
    }
}

void connection::forget(observer& told) {
    std::erase_if(impl_->listeners, [&](const auto& each) { return each.who == &told; });
}

bool connection::is_up() const {
    return impl_->is_up;
}

std::uint64_t connection::times_up() const {
    return impl_->times_up;
}

std::string connection::server() const {
    return impl_->server;
}

std::string connection::trouble() const {
    return impl_->trouble;
}

std::size_t connection::max_payload() const {
    return impl_->max_payload;
}

std::size_t connection::waiting() const {
    return impl_->works != nullptr ? impl_->works->waiting() : 0;
}

std::string connection::secret_subject(std::string_view prefix) {
    std::string made(prefix);
    made += '.';
    for (const char each : base::random_bytes(16)) {
        made += fmt::format("{:02x}", static_cast<unsigned char>(each));
    }
    return made;
}

result<void> connection::publish(std::string_view subject, std::string_view reply,
                                 std::string_view bytes, headers with) {
    if (!impl_->is_up || impl_->is_stopping) {
        return error(errc::disconnected, "no connection to NATS");
    }
    if (!is_subject(subject) || (!reply.empty() && !is_subject(reply))) {
        return error(errc::bad_request, fmt::format("'{}' is no subject of NATS", subject));
    }
    if (bytes.size() > impl_->max_payload) {
        return error(errc::bad_request,
                     fmt::format("a message of {} bytes is over the {} that the server {} takes: "
                                 "max_payload in its configuration",
                                 bytes.size(), impl_->max_payload, impl_->server));
    }
    if (!impl_->works->publish(subject, reply, bytes, std::move(with))) {
        return error(errc::overloaded,
                     fmt::format("{} bytes wait for NATS to take them", impl_->works->waiting()));
    }
    return {};
}

result<subscription> connection::subscribe(std::string_view subject, on_message heard) {
    if (impl_->works == nullptr || impl_->is_stopping) {
        return error(errc::cancelled, "the connection to NATS does not run");
    }
    if (!is_subject(subject)) {
        return error(errc::bad_request, fmt::format("'{}' is no subject of NATS", subject));
    }
    auto made = std::make_shared<subscription::state>();
    made->subject = subject;
    made->heard = std::move(heard);
    made->in = impl_->works;
    impl_->works->subscribe(made);
    return subscription(std::move(made));
}

void connection::request(std::string_view subject, std::string_view bytes,
                         std::chrono::milliseconds timeout,
                         base::unique_function<void(result<std::string>)> done, headers with) {
    const auto number = ++impl_->last_question;
    const auto sent =
        publish(subject, fmt::format("{}.{}", impl_->answers_at, number), bytes, std::move(with));
    if (!sent) {
        return impl_->later(
            [done = std::move(done), why = sent.error()]() mutable { done(std::move(why)); });
    }
    impl_->questions.emplace(
        number,
        impl::question{std::move(done), impl_->clock.after(timeout, [in = impl_.get(), number] {
                           in->answer(std::to_string(number),
                                      error(errc::timeout, "no answer came over NATS in time"));
                       })});
}

void connection::stop(base::unique_function<void()> done) {
    assert(!impl_->is_stopping);
    impl_->is_stopping = true;
    for (auto& each : std::exchange(impl_->questions, {})) {
        impl_->later([asked = std::move(each.second.done)]() mutable {
            asked(error(errc::cancelled, "the connection to NATS is stopping"));
        });
    }
    impl_->answers.end();
    if (impl_->works == nullptr) {
        return impl_->later(std::move(done));
    }
    impl_->stopped = std::move(done);
    impl_->works->stop();
    impl_->next_watch =
        impl_->clock.after(impl_->wanted.connect_timeout, [in = impl_.get()] { in->watch(); });
}

handle connection::raw() const {
    return handle([works = std::weak_ptr(impl_->works)]() -> handle::held {
        const auto now = works.lock();
        return now != nullptr ? now->now() : nullptr;
    });
}

} // namespace shaddock::nats
