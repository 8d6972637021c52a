#pragma once

#include "versions.hpp"

#include <atomic>
#include <future>
#include <string>
#include <utility>

/// A plugin in two versions whose routes and types differ, for tests of what a reload meets.
namespace shaddock::edges {

using versions::answer;
using versions::counted;
using versions::seen;

/// What the thread of blocking work and the test tell each other.
struct rendezvous {
    std::atomic<int> begun = 0;
    std::promise<void> open;
    std::shared_future<void> is_open{open.get_future()};
};
inline rendezvous* meeting = nullptr;

struct asked {
    std::string server;
};
BOOST_DESCRIBE_STRUCT(asked, (), (server))
struct greeting {
    int version = 0;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(greeting, (), (version, name))

/// Version 2 has members more, which the other side may lack.
template <int V>
struct wanted {
    std::string text;
    friend bool operator==(const wanted&, const wanted&) = default;
};
template <>
struct wanted<2> {
    std::string text;
    int limit = 20;
    std::optional<std::string> note;
    static constexpr shaddock::defaults defaults{"limit"};
};
BOOST_DESCRIBE_STRUCT(wanted<1>, (), (text))
BOOST_DESCRIBE_STRUCT(wanted<2>, (), (text, limit, note))
template <int V>
inline constexpr remote_method<wanted<V>(bool, wanted<V>)> find{"probe.findRemote.find"};

/// Says what it was asked for: as version 2 has it, with the limit.
template <int V>
struct find_remote : counted<V> {
    wanted<V> find(bool, wanted<V> asked) {
        if constexpr (V == 2) {
            asked.text += " to " + std::to_string(asked.limit) + asked.note.value_or("");
            asked.limit = 7;
            asked.note = "!";
        }
        return asked;
    }
};

template <int V>
struct edge_handler : counted<V> {
    explicit edge_handler(app& with) : app_(with) {}

    answer who() { return {V, 0, ""}; }
    /// On a thread of the pool until the test opens.
    awaitable<answer> block() {
        auto work = [] {
            ++meeting->begun;
            meeting->is_open.wait();
            return std::string("worked");
        };
        auto text = co_await app_.blocking(std::move(work));
        answer made{V, ++served, std::move(text)};
        co_return made;
    }
    /// The same, waiting no longer than a moment. What the thread holds belongs to the loop.
    awaitable<answer> block_briefly() {
        auto work = [held = std::make_unique<counted<V>>()]() mutable {
            ++meeting->begun;
            meeting->is_open.wait();
            return std::move(held);
        };
        try {
            auto late = app_.blocking(std::move(work), std::chrono::milliseconds(20));
            co_await std::move(late);
        } catch (const error& failed) {
            co_return answer{V, ++served, failed.text()};
        }
        co_return answer{V, ++served, "worked"};
    }
    /// Wakes when its generation is cancelled, and not before.
    void spawn() { app_.spawn("sleeper", versions::handler<V>::sleeper(app_)); }
    /// Calls another server by the types of this build.
    awaitable<answer> sum(asked request) {
        routing by(to_server(request.server));
        auto calling = app_.call(versions::sum<V>, std::move(by), argument());
        auto got = co_await std::move(calling);
        answer made{V, got ? got->version : 0, got ? "" : got.error().text()};
        co_return made;
    }
    /// The same with types that fit.
    awaitable<answer> find(asked request) {
        routing by(to_server(request.server));
        wanted<V> asking;
        asking.text = "up";
        auto calling = app_.call(edges::find<V>, std::move(by), true, asking);
        auto got = co_await std::move(calling);
        answer made{V, 0, got ? got->text : got.error().text()};
        if constexpr (V == 2) {
            made.count = got ? got->limit : 0;
        }
        co_return made;
    }
    static auto argument() {
        if constexpr (V == 1) {
            return 1;
        } else {
            return std::string("one");
        }
    }
    int served = 0;

private:
    app& app_;
};

template <int V>
awaitable<greeting> greet(app&, client_hello client) {
    const auto name = client.user_as<std::string>().value();
    seen().log.push_back("greets " + name + " in " + std::to_string(V));
    co_await versions::park();
    greeting made{V, name};
    co_return made;
}

/// Version 1 has the method `removed`, version 2 has `added` in its place.
template <int V>
void setup(registrar& into) {
    into.handler<edge_handler<V>>("edge")
        .method("who", &edge_handler<V>::who)
        .method("block", &edge_handler<V>::block)
        .method("block_briefly", &edge_handler<V>::block_briefly)
        .method("spawn", &edge_handler<V>::spawn)
        .method("sum", &edge_handler<V>::sum)
        .method("find", &edge_handler<V>::find)
        .method(V == 1 ? "removed" : "added", &edge_handler<V>::who);
    into.remote<versions::remote<V>>("probeRemote")
        .method(versions::sum<V>, &versions::remote<V>::sum);
    into.remote<find_remote<V>>("findRemote").method(edges::find<V>, &find_remote<V>::find);
    into.check_client([](std::string_view type, std::string_view) {
        return type != (V == 1 ? "only 2" : "only 1");
    });
    into.on_handshake(
        [](app& with, client_hello client) { return greet<V>(with, std::move(client)); });
}

template <int V>
const door::plugin_door& edge_door() {
    static const std::string version = std::to_string(V);
    static const auto made = detail::door_of<&setup<V>>("probe", version.c_str());
    return made;
}

} // namespace shaddock::edges
