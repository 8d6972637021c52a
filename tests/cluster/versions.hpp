#pragma once

#include <shaddock/plugin.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/describe.hpp>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// One plugin in really different versions, for tests of reload: doors made without a file. What a
/// version is to do wrong is said in `notes`, what it did is found there.
namespace shaddock::versions {

enum class start_step { works, fails, throws, hangs, waits, is_slow };

struct notes {
    // wanted, of versions from 2 on
    bool create_throws = false;
    bool is_route_twice = false;
    bool is_state_twice = false;
    start_step start = start_step::works;
    bool save_throws = false;
    bool restore_fails = false;
    /// Of the states: version 2 calls its shared state by another name.
    bool is_state_renamed = false;
    /// Version 2 sets the timer that version 1 has set.
    bool is_timer_set_again = true;
    /// Components of version 1 take their time.
    bool is_old_slow_to_stop = false;
    /// Of version 1, and of those from 2 on.
    start_step replacing = start_step::works;
    start_step serving = start_step::works;
    std::chrono::steady_clock::duration tick_period = std::chrono::seconds(10);

    // seen
    /// Objects that live, by version.
    std::map<int, int> alive;
    std::vector<std::string> log;
    /// Frames of a plugin on the stack.
    int frames = 0;
    bool is_destroyed_in_frame = false;
    bool is_restored_into_running = false;
    int retries = 0;
    /// Coroutines that wait for the test.
    std::vector<std::unique_ptr<door::completion>> parked;
    std::map<int, app*> apps;
    /// Why its component was stopped last.
    std::map<int, std::string> stopped;
    /// Seconds since the tick before.
    std::vector<double> beats;
};
inline notes& seen() {
    static notes all;
    return all;
}

template <int V>
struct counted {
    counted() { ++seen().alive[V]; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() {
        --seen().alive[V];
        seen().is_destroyed_in_frame |= seen().frames != 0;
    }
};
struct in_frame {
    in_frame() { ++seen().frames; }
    ~in_frame() { --seen().frames; }
};

/// What a coroutine holds of its object, as a lock; it is let go while that lives.
template <int V>
struct held_by {
    ~held_by() { seen().log.push_back(seen().alive[V] > 0 ? "let go" : "let go of what is gone"); }
};

inline awaitable<result<door::body>> park() {
    return detail::wait(
        [](std::unique_ptr<door::completion> done) { seen().parked.push_back(std::move(done)); });
}

struct answer {
    int version = 0;
    int count = 0;
    std::string note;
};
BOOST_DESCRIBE_STRUCT(answer, (), (version, count, note))
struct numbered {
    int n = 0;
};
BOOST_DESCRIBE_STRUCT(numbered, (), (n))

/// The types of the remote `sum` differ from version to version.
template <int V>
inline constexpr remote_method<answer(std::string)> sum{"probe.probeRemote.sum"};
template <>
inline constexpr remote_method<answer(int)> sum<1>{"probe.probeRemote.sum"};
inline constexpr remote_method<answer()> who{"probe.probeRemote.who"};

inline result<void> take(int& into, std::string_view bytes, std::string_view version,
                         std::string_view what) {
    if (seen().restore_fails) {
        return error(errc::application, "not these bytes");
    }
    into = std::stoi(std::string(bytes));
    seen().log.push_back("restored " + std::string(what) + " of " + std::string(version));
    return {};
}
inline std::string give(int count) {
    if (seen().save_throws) {
        throw error(errc::application, "no ink");
    }
    return std::to_string(count);
}

template <int V>
struct rooms : counted<V> {
    static constexpr std::string_view state_name = "rooms";
    std::string save_state() const { return give(count); }
    result<void> restore_state(std::string_view bytes, std::string_view version) {
        return take(count, bytes, version, "state");
    }
    int count = 0;
};
template <int V>
struct other_rooms : rooms<V> {
    static constexpr std::string_view state_name = "other rooms";
};

template <int V>
struct handler : counted<V> {
    handler(app& with, rooms<V>& shared) : app_(with), rooms_(shared) { seen().apps[V] = &with; }
    ~handler() { seen().apps.erase(V); }

    answer who() {
        const in_frame here;
        return {V, ++rooms_.count, ""};
    }
    answer echo(const numbered& request, session& from) {
        const in_frame here;
        const std::string text = std::to_string(V) + ":" + std::to_string(request.n);
        (void)app_.push_to("onEcho", answer{V, request.n, ""}, std::vector{from.ref()});
        return {V, request.n, text};
    }
    awaitable<answer> wait(numbered request) {
        const auto n = request.n;
        seen().log.push_back("begins " + std::to_string(n) + " in " + std::to_string(V));
        co_await park();
        seen().log.push_back("ends " + std::to_string(n) + " in " + std::to_string(V));
        answer made{V, ++rooms_.count, ""};
        co_return made;
    }
    /// Waits, then calls its own type: with this version's router and contract.
    awaitable<answer> call(numbered request) {
        const auto n = request.n;
        co_await park();
        auto calling = app_.call(versions::who, routing("key"));
        auto got = co_await std::move(calling);
        auto calling_sum = app_.call(sum<V>, routing("key"), argument());
        auto added = co_await std::move(calling_sum);
        answer made{V, got ? got->version : n, added ? "" : added.error().text()};
        co_return made;
    }
    static auto argument() {
        if constexpr (V == 1) {
            return 1;
        } else {
            return std::string("one");
        }
    }
    void spawn() { app_.spawn("sleeper", sleeper(app_)); }
    void spawn_stubborn() { app_.spawn("stubborn", stubborn(app_)); }
    void spawn_caller() { app_.spawn("caller", caller(app_)); }
    void spawn_parked() { app_.spawn("parked", parked()); }
    void arm_late() {
        app_.once("late", std::chrono::seconds(1), [] {});
    }

    std::string save_state() const { return give(own); }
    void restore_state(std::string_view bytes, std::string_view version) {
        take(own, bytes, version, "handler").value();
    }
    int own = 0;

    static awaitable<void> sleeper(app& with) {
        try {
            co_await with.sleep(std::chrono::hours(1));
        } catch (const error& ended) {
            seen().log.push_back("sleep: " + std::string(to_string(ended.code())));
        }
    }
    static awaitable<void> stubborn(app& with) {
        const counted<V> mine;
        for (;;) {
            try {
                co_await with.sleep(std::chrono::hours(1));
            } catch (const error&) {
                ++seen().retries;
            }
        }
    }
    static awaitable<void> caller(app& with) {
        routing nobody(to_server("silent-server-1"));
        auto calling = with.call("silent.remote.method", std::move(nobody));
        const auto got = co_await std::move(calling);
        seen().log.push_back("call: " + std::string(got ? "" : to_string(got.error().code())));
    }
    static awaitable<void> parked() { co_await park(); }

private:
    app& app_;
    rooms<V>& rooms_;
};

template <int V>
struct twin : counted<V> {
    answer who() { return {V, 0, ""}; }
};

template <int V>
struct remote : counted<V> {
    answer who() { return {V, 0, ""}; }
    answer sum(std::conditional_t<V == 1, int, std::string>) { return {V, 0, ""}; }
    std::string save_state() const { return give(own); }
    void restore_state(std::string_view bytes, std::string_view version) {
        take(own, bytes, version, "remote").value();
    }
    int own = 0;
};

template <int V>
struct part : counted<V> {
    explicit part(app& with) : app_(with) {
        if (V >= 2 && seen().create_throws) {
            with.spawn("begun too early", handler<V>::sleeper(with));
            throw error(errc::application, "no wood");
        }
    }
    awaitable<result<void>> start() {
        if (V == 1 || seen().is_timer_set_again) {
            app_.every("tick", V == 1 ? std::chrono::seconds(10) : seen().tick_period,
                       [] { seen().log.push_back("tick " + std::to_string(V)); });
            app_.tick(std::chrono::seconds(4), [](double dt) { seen().beats.push_back(dt); });
        }
        if (V >= 2 && seen().start == start_step::hangs) {
            co_await park();
        }
        if (V >= 2 && seen().start == start_step::is_slow) {
            co_await app_.sleep(std::chrono::milliseconds(100));
        }
        if (V >= 2 && seen().start == start_step::throws) {
            throw error(errc::application, "no power");
        }
        if (V >= 2 && seen().start == start_step::fails) {
            error failed(errc::application, "no water");
            co_return failed;
        }
        seen().log.push_back("starts " + std::to_string(V));
        co_return result<void>();
    }
    awaitable<result<void>> on_serving() {
        auto going = go("takes", V >= 2 ? seen().serving : start_step::works);
        co_return co_await std::move(going);
    }
    awaitable<result<void>> on_replacing() {
        auto going = go("leaves", V == 1 ? seen().replacing : start_step::works);
        co_return co_await std::move(going);
    }
    awaitable<result<void>> go(std::string what, start_step how) {
        if (how == start_step::hangs) {
            co_await park();
        }
        if (how == start_step::waits) {
            const held_by<V> mine;
            boost::asio::steady_timer never(app_.executor(),
                                            boost::asio::steady_timer::time_point::max());
            auto wait = never.async_wait(boost::asio::use_awaitable);
            co_await app_.until_end(std::move(wait));
        }
        if (how == start_step::is_slow) {
            co_await app_.sleep(std::chrono::milliseconds(100));
        }
        seen().log.push_back(what + " " + std::to_string(V));
        if (how == start_step::fails) {
            error failed(errc::application, "no lock");
            co_return failed;
        }
        co_return result<void>();
    }
    awaitable<void> stop(stop_reason why) {
        constexpr std::array<std::string_view, 4> reasons{"server_stops", "replaced", "refused",
                                                          "check"};
        seen().log.push_back("stops " + std::to_string(V));
        seen().stopped[V] = reasons.at(static_cast<std::size_t>(why));
        if (V == 1 && seen().is_old_slow_to_stop) {
            co_await app_.sleep(std::chrono::milliseconds(100));
        }
    }
    std::string save_state() const { return give(own); }
    void restore_state(std::string_view bytes, std::string_view version) {
        take(own, bytes, version, "component").value();
    }
    int own = 0;

private:
    app& app_;
};

template <int V>
struct filter : counted<V> {
    void before(std::string_view, session&) { seen().log.push_back("filter " + std::to_string(V)); }
};
template <int V>
struct global_filter : counted<V> {
    void before(std::string_view, std::string_view, const session&) {
        seen().log.push_back("before " + std::to_string(V));
    }
    void after(std::string_view, const session&, const error*) {
        seen().log.push_back("after " + std::to_string(V));
    }
};

template <int V>
void setup(registrar& into) {
    const bool is_odd = V >= 2;
    auto shared = into.state<rooms<V>>();
    if (is_odd && seen().is_state_twice) {
        into.state<rooms<V>>();
    }
    if (is_odd && seen().is_state_renamed) {
        into.state<other_rooms<V>>();
    }
    into.filter<filter<V>>();
    into.global_filter<global_filter<V>>();
    into.handler<handler<V>>("probeHandler", shared)
        .method("who", &handler<V>::who)
        .method("echo", &handler<V>::echo)
        .method("wait", &handler<V>::wait)
        .method("serial", &handler<V>::wait)
        .serial()
        .method("call", &handler<V>::call)
        .method("spawn", &handler<V>::spawn)
        .method("spawnStubborn", &handler<V>::spawn_stubborn)
        .method("spawnCaller", &handler<V>::spawn_caller)
        .method("spawnParked", &handler<V>::spawn_parked)
        .method("armLate", &handler<V>::arm_late);
    if (is_odd && seen().is_route_twice) {
        into.handler<twin<V>>("probeHandler").method("who", &twin<V>::who);
    }
    into.remote<remote<V>>("probeRemote")
        .method(versions::who, &remote<V>::who)
        .method(sum<V>, &remote<V>::sum);
    into.component<part<V>>("part");
    into.route("probe", [](const route_param&, std::span<const server_info> all) {
        seen().log.push_back("routed by " + std::to_string(V));
        return result<std::string>(all.front().id);
    });
    into.on_started([](app&) { seen().log.push_back("serves " + std::to_string(V)); });
    into.on_session_closed([](app&, const session&, std::string_view) {
        seen().log.push_back("closed in " + std::to_string(V));
    });
}

/// Version "1", "2", ...
template <int V>
const door::plugin_door& door() {
    static const std::string version = std::to_string(V);
    static const auto made = detail::door_of<&setup<V>>("probe", version.c_str());
    return made;
}

} // namespace shaddock::versions
