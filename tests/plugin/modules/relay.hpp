#pragma once

#include <shaddock/plugin.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// A plugin of type `probe` whose servers, two or more, call each other.
namespace relaying {

using namespace std::chrono_literals;
using shaddock::awaitable;
using shaddock::remote_method;

/// How a call has ended, and after how long; `ms` is -1 before.
struct ending {
    std::string code;
    std::int64_t ms = -1;
};
BOOST_DESCRIBE_STRUCT(ending, (), (code, ms))

/// `back`: the server to be called. `own_ms`: what that call may take; 0: the default.
inline constexpr remote_method<void(std::string back, int own_ms)> ask{"probe.relayRemote.ask"};
inline constexpr remote_method<void(std::string back, int own_ms)> begin{"probe.relayRemote.begin"};
inline constexpr remote_method<void()> never{"probe.relayRemote.never"};
inline constexpr remote_method<ending()> tell{"probe.relayRemote.tell"};

class relay_remote {
public:
    explicit relay_remote(shaddock::app& app) : app_(app) {}

    /// Calls back, where nobody answers.
    awaitable<void> ask(std::string back, int own_ms) {
        last_ = {};
        const auto since = app_.now();
        shaddock::routing by(shaddock::to_server{back});
        auto calling =
            app_.call(relaying::never, std::move(by).within(std::chrono::milliseconds(own_ms)));
        const auto got = co_await std::move(calling);
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(app_.now() - since);
        last_ = {std::string(to_string(got.error().code())), ms.count()};
    }
    /// The same in a coroutine of its own, once this has been answered.
    void begin(const std::string& back, int own_ms) { app_.spawn("beside", beside(back, own_ms)); }
    awaitable<void> never() {
        auto for_ever = app_.sleep(shaddock::door::duration::max());
        co_await std::move(for_ever);
    }
    /// Of the last `ask`.
    ending tell() { return last_; }

private:
    awaitable<void> beside(std::string back, int own_ms) {
        auto answered = app_.sleep(1ms);
        co_await std::move(answered);
        auto asking = ask(back, own_ms);
        co_await std::move(asking);
    }

    shaddock::app& app_;
    ending last_;
};

struct wish {
    /// `begin` in the place of `ask`.
    bool is_beside = false;
    int own_ms = 0;
};
BOOST_DESCRIBE_STRUCT(wish, (), (is_beside, own_ms))

struct someone {
    std::string uid;
};
BOOST_DESCRIBE_STRUCT(someone, (), (uid))

struct kicked {
    std::uint64_t sessions = 0;
};
BOOST_DESCRIBE_STRUCT(kicked, (), (sessions))

/// What the server that is called has for it.
inline constexpr auto allowed = 500ms;

class relay_handler {
public:
    explicit relay_handler(shaddock::app& app) : app_(app) {}

    awaitable<void> sit(someone who, shaddock::session& session) {
        auto binding = session.bind(who.uid);
        const auto bound = co_await std::move(binding);
        bound.value();
    }
    awaitable<kicked> kick(someone who) {
        auto kicking = app_.sessions().kick(who.uid, "asked for");
        const auto count = co_await std::move(kicking);
        co_return kicked{count.value()};
    }
    /// Calls another server, which may take `allowed`, and gives how the call has ended that was
    /// made there.
    awaitable<ending> bounded(wish wanted) {
        const auto all = app_.servers("probe");
        const auto there = std::ranges::find_if(*all, [&](const auto& each) {
                               return each.id != app_.server_id();
                           })->id;
        shaddock::routing by(shaddock::to_server{there});
        auto asking = app_.call(wanted.is_beside ? begin : ask, std::move(by).within(allowed),
                                app_.server_id(), wanted.own_ms);
        (void)co_await std::move(asking);
        for (;;) {
            shaddock::routing to(shaddock::to_server{there});
            auto telling = app_.call(tell, std::move(to));
            const auto told = co_await std::move(telling);
            if (told.value().ms >= 0) {
                co_return told.value();
            }
            auto pause = app_.sleep(5ms);
            co_await std::move(pause);
        }
    }

private:
    shaddock::app& app_;
};

/// `probe.relayHandler` and `probe.relayRemote`.
inline void setup(shaddock::registrar& into) {
    into.handler<relay_handler>("relayHandler")
        .method("sit", &relay_handler::sit)
        .method("kick", &relay_handler::kick)
        .method("bounded", &relay_handler::bounded);
    into.remote<relay_remote>("relayRemote")
        .method(ask, &relay_remote::ask)
        .method(begin, &relay_remote::begin)
        .method(never, &relay_remote::never)
        .method(tell, &relay_remote::tell);
}

} // namespace relaying
