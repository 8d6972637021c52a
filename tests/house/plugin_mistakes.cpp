// What plugin authors get wrong, one mistake each. This file does not compile, and is not built:
// plugin_mistakes.py looks whether the compiler names each mistake, as `expect:` before it says.
#include <shaddock/plugin.hpp>

#include <map>

using shaddock::awaitable;
using shaddock::error;
using shaddock::result;
using shaddock::session;

namespace {

struct request {
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(request, (), (number))

struct other_request {
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(other_request, (), (number))

// expect: the keys of a map in a message are std::string or integers of 16 to 64 bits: JSON has no
struct with_other_keys {
    std::map<bool, int> counts;
};
BOOST_DESCRIBE_STRUCT(with_other_keys, (), (counts))

// expect: `defaults` of this struct names what is no described member of it
struct with_a_slip {
    int limit = 20;
    static constexpr shaddock::defaults defaults{"limt"};
};
BOOST_DESCRIBE_STRUCT(with_a_slip, (), (limit))

struct undescribed {
    int number = 0;
};

inline constexpr shaddock::remote_method<int(std::string)> contract{"house.houseRemote.count"};

struct handler {
    // expect: this type cannot stand in a message: describe it with BOOST_DESCRIBE_STRUCT
    void takes_any_struct(const undescribed&) {}
    void takes_a_map(const with_other_keys&) {}
    void takes_defaults(const with_a_slip&) {}
    // expect: a handler's method takes (const Request&, session&), (const Request&), (session&) or
    void takes_the_session_first(session&, const request&) {}
    // expect: a handler's method takes the session by reference: session&
    void takes_a_copy_of_the_session(const request&, session) {}
};
// expect: a method is a member function of the registered class, such as &my_handler::say
void no_member(const request&) {}

// expect: the object takes neither (app&, args...) nor (args...)
struct handler_with_a_name {
    explicit handler_with_a_name(std::string) {}
};

struct remote {
    // expect: the remote's method does not take the contract's arguments
    int takes_a_number(int) { return 0; }
    // expect: the remote's method does not return the contract's result
    std::string returns_text(const std::string&) { return {}; }
};

// expect: an argument's type does not fit the contract
awaitable<result<int>> calls_with_a_number(shaddock::app& app) {
    return app.call(contract, "key", 7);
}

// expect: a filter has before(std::string_view route, session&[, Message&]) or
struct filter_without_functions {};
// expect: this filter's before is never called: it takes (std::string_view route, session&[,
struct filter_of_text_copies {
    void before(const std::string&, session&) {}
    void after(std::string_view, session&, const error*) {}
};
// expect: this filter's before is never called: it takes (std::string_view route, session&[,
struct filter_of_another_message {
    void before(std::string_view, session&, other_request&) {}
    void after(std::string_view, session&, const error*) {}
};
// expect: this filter's after is never called: it takes (std::string_view route, session&, const
struct filter_of_errors {
    void before(std::string_view, session&) {}
    void after(std::string_view, session&, const error&) {}
};
// expect: a global filter has before(std::string_view route, std::string_view body, const session&)
struct global_filter_without_functions {};
// expect: this global filter's before is never called: it takes (std::string_view route,
struct global_filter_that_changes_sessions {
    void before(std::string_view, std::string_view, session&) {}
    void after(std::string_view, const session&, const error*) {}
};
// expect: this global filter's after is never called: it takes (std::string_view route, const
struct global_filter_of_errors {
    void before(std::string_view, std::string_view, const session&) {}
    void after(std::string_view, const session&, const error&) {}
};

// expect: nobody awaits a global filter's before: it decides at once, or a filter of the server
// expect: nobody awaits a global filter's after: call app.spawn with the coroutine
struct global_filter_of_coroutines {
    awaitable<result<void>> before(std::string_view, std::string_view, const session&) {
        co_return result<void>();
    }
    awaitable<void> after(std::string_view, const session&, const error*) { co_return; }
};

// expect: this component's start is never called: it takes no arguments
struct component_that_wants_the_app {
    void start(shaddock::app&) {}
};
// expect: this component's stop is never called: it takes a shaddock::stop_reason
struct component_that_wants_a_reason {
    void stop(std::string_view) {}
};

// expect: this state would be lost over a reload: it needs both save_state() const and
struct state_that_is_only_saved {
    std::string save_state() const { return {}; }
};
// expect: this state would be lost over a reload: it needs both save_state() const and
struct state_that_changes_while_saved {
    static constexpr std::string_view state_name = "changing";
    std::string save_state() { return {}; }
    void restore_state(std::string_view, std::string_view) {}
};
// expect: what it knows of a room would be lost when the room moves: it needs both
struct room_that_is_only_saved {
    static constexpr std::string_view state_name = "rooms";
    std::string save_room(std::string_view) { return {}; }
};
// expect: a state that crosses a reload, or moves with its rooms, has a name
struct state_without_a_name {
    std::string save_state() const { return {}; }
    void restore_state(std::string_view, std::string_view) {}
};

// expect: restore_state returns void or result<void>: nobody awaits a coroutine, and nobody looks
// at
struct state_that_is_restored_later {
    static constexpr std::string_view state_name = "later";
    std::string save_state() const { return {}; }
    awaitable<void> restore_state(std::string_view, std::string_view) { co_return; }
};

awaitable<void> waits(shaddock::app&) {
    co_return;
}
// expect: nobody awaits this coroutine: call app.spawn with it
void sets_a_timer_for_a_coroutine(shaddock::app& app) {
    app.every("waits", std::chrono::seconds(1), [&app] { return waits(app); });
}
// expect: a pool thread runs no coroutine: give a function to app.blocking
awaitable<void> gives_a_coroutine_to_a_thread(shaddock::app& app) {
    co_await app.blocking([&app] { return waits(app); });
}
awaitable<result<std::string>> picks_later(const shaddock::route_param&) {
    co_return std::string();
}

} // namespace

SHADDOCK_PLUGIN("house", registrar) {
    registrar.handler<handler>("houseHandler")
        .method("a", &handler::takes_any_struct)
        .method("map", &handler::takes_a_map)
        .method("defaults", &handler::takes_defaults)
        .method("b", &handler::takes_the_session_first)
        .method("c", &handler::takes_a_copy_of_the_session)
        .method("d", &no_member);
    registrar.handler<handler_with_a_name>("otherHandler");
    registrar.remote<remote>("houseRemote")
        .method(contract, &remote::takes_a_number)
        .method(contract, &remote::returns_text);
    registrar.filter<filter_without_functions>();
    registrar.filter<filter_of_text_copies>();
    registrar.filter<filter_of_another_message, request>();
    registrar.filter<filter_of_errors>();
    registrar.global_filter<global_filter_without_functions>();
    registrar.global_filter<global_filter_that_changes_sessions>();
    registrar.global_filter<global_filter_of_errors>();
    registrar.global_filter<global_filter_of_coroutines>();
    registrar.component<component_that_wants_the_app>("one");
    registrar.component<component_that_wants_a_reason>("two");
    registrar.component<state_that_is_only_saved>("three");
    registrar.component<room_that_is_only_saved>("three");
    registrar.state<state_that_changes_while_saved>();
    registrar.state<state_without_a_name>();
    registrar.state<state_that_is_restored_later>();
    // expect: nobody awaits a route function: it decides at once, on what is known here
    registrar.route_by("chat", picks_later);
    // expect: nobody awaits a route function: it decides at once, on what is known here
    registrar.route("chat", [](const shaddock::route_param& by,
                               std::span<const shaddock::server_info>) { return picks_later(by); });
    // expect: nobody awaits check_client: what takes its time is for on_handshake
    registrar.check_client(
        [](std::string_view, std::string_view) -> awaitable<bool> { co_return true; });
    // expect: nobody looks at what this hook's coroutine gives: it is an awaitable<void>, and
    // throws
    registrar.on_started(
        [](shaddock::app&) -> awaitable<result<void>> { co_return result<void>(); });
    // expect: nobody awaits on_member_lost: call app.spawn with the coroutine
    registrar.on_member_lost(
        [](shaddock::app& app, std::string_view, const shaddock::member&) { return waits(app); });
    // expect: nobody awaits on_session_closed: call app.spawn with the coroutine
    registrar.on_session_closed(
        [](shaddock::app& app, const session&, std::string_view) { return waits(app); });
}
