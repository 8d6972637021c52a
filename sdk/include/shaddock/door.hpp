#pragma once

#include <shaddock/error.hpp>
#include <shaddock/ids.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The plugin door: every type that crosses between the host and a plugin, and nothing else, but
/// for the extensions, which have files of their own.
///
/// One exported C data symbol per plugin (`shaddock_plugin_door`) is checked first; behind the
/// check everything is C++20 abstract classes, called both ways. Interfaces only grow at their end,
/// with a bump of `sdk_abi`. Plugin authors use app, session, channel and friends, which wrap
/// these. Thread: the server's loop, for every function that does not say `Thread: any`. Errors:
/// nothing throws through the door; every function is noexcept or returns a result.
namespace shaddock::door {

inline constexpr std::uint32_t sdk_abi = 8;

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;
/// `by` after `from`; durations up to `max()` end in the time point that never comes.
constexpr time_point later(time_point from, duration by) {
    return by < time_point::max() - from ? from + by : time_point::max();
}

/// The body of a message: JSON text, forwarded unparsed, parsed once in the typed wrapper. Empty:
/// there is none.
using body = std::string;
using body_view = std::string_view;

/// One key of a session; `json` is the value as compact JSON text.
struct setting {
    std::string key;
    std::string json;
};

/// What a server knows of a session while it serves a request: a snapshot.
struct session_data {
    session_ref ref;
    std::vector<setting> settings;
    /// IP address of the client, without a port; of one behind trusted proxies its own. Empty: not
    /// known.
    std::string address{};
    /// IP address at which the client has reached this server, as far as the server knows. Empty on
    /// every server but the session's frontend.
    std::string reached_at{};
};

/// A server of the cluster as seen from here.
struct server_info {
    std::string id;
    std::string type;
    std::string host;
    /// Name or address for clients, where it is another than `host`; else empty.
    std::string client_host;
    /// Where it listens for clients.
    std::uint16_t client_port = 0;
    /// Port for clients, where it is another than `client_port`; else 0.
    std::uint16_t public_port = 0;
    bool is_frontend = false;
    /// False while it is expected but down.
    bool is_up = false;
    incarnation life{};
    /// The whole record of servers.json as compact JSON text, custom keys included.
    std::string record_json;
    /// It takes no new rooms and ends when those that it has are empty: it is not among the servers
    /// of its type.
    bool is_leaving = false;
};
using server_list = std::shared_ptr<const std::vector<server_info>>;

// ---- work that the host runs or completes
// ------------------------------------------------------------------------------------

/// A piece of work handed to the host; run once or dropped.
class task {
public:
    virtual ~task() = default;
    virtual void run() noexcept = 0;
};

/// What a timer runs, again and again.
class timer_task {
public:
    virtual ~timer_task() = default;
    /// `since`: the time since it ran before, in this generation or, under the same name, in the
    /// one before it; the first time since it was set.
    virtual void run(duration since) noexcept = 0;
};

/// Where an asynchronous operation ends: called exactly once, by post, on the loop. Also on stop
/// (errc::cancelled).
class completion {
public:
    virtual ~completion() = default;
    virtual void done(result<body> outcome) noexcept = 0;
};

// ---- requests
// ----------------------------------------------------------------------------------------------------------------

/// One request, notify or remote call that is being served. The plugin owns it until it answers.
/// Destroyed without `finish`: the host answers errc::internal. For a notify the answer is dropped
/// by the host.
class invocation {
public:
    virtual ~invocation() = default;
    /// `type.handler.method`. Valid as long as the invocation.
    virtual std::string_view route() const noexcept = 0;
    virtual body_view request() const noexcept = 0;
    /// The caller's session; null for a remote call that carries none.
    virtual const session_data* session() const noexcept = 0;
    /// Hash of the caller's types for a remote call; 0 for a client's request.
    virtual std::uint64_t contract() const noexcept = 0;
    virtual bool is_notify() const noexcept = 0;
    /// When the caller stops waiting.
    virtual time_point deadline() const noexcept = 0;
    /// Answers. Exactly once; the invocation may be destroyed at any time after.
    virtual void finish(result<body> answer) noexcept = 0;
};

/// A handler's or remote's method as the host sees it; lives in the plugin.
class callable {
public:
    virtual void invoke(std::unique_ptr<invocation> call) noexcept = 0;

protected:
    ~callable() = default;
};

/// What is registered for one method.
struct method_info {
    std::string_view object; // "chatHandler"
    std::string_view method; // "send"
    /// One request of a session at a time, the next starts when this one has answered.
    bool is_serial = false;
    /// Remotes: hash over the described argument and result types. Handlers: 0.
    std::uint64_t contract = 0;
    /// The shapes of request and reply for people: `{content: string, target: string}`
    /// (detail/shape.hpp). A remote's request is the array of its arguments. Empty: not known.
    std::string_view request_shape{};
    std::string_view reply_shape{};
};

/// What a route function decides on: a session, or whatever key the caller gave.
struct route_param {
    const session_data* session = nullptr;
    std::string_view text;
    std::optional<std::int64_t> number;
};

/// A plugin's choice of server for a type; called for client requests that go to that type and for
/// calls from this server.
class router {
public:
    /// The id of one of `expected` (never empty, sorted by id). Errors: answered to the caller.
    virtual result<std::string> pick(const route_param& by,
                                     std::span<const server_info> expected) noexcept = 0;
    /// The name of the room that it is for, which may have stayed on a server that leaves
    /// (`rooms: stay` of host.yaml) and is then not among `expected`. Empty: the function picks
    /// servers and knows no rooms, or the key cannot be told; then `pick` says.
    virtual std::optional<std::string> key(const route_param& by) noexcept = 0;

protected:
    ~router() = default;
};

/// Runs on frontends around every client request, forwarded ones too.
class global_filter {
public:
    /// An error answers the client without going further. `settings` of the session may not change
    /// here.
    virtual result<void> before(std::string_view route, body_view request,
                                const session_data& session) noexcept = 0;
    /// After the answer was sent; cannot change it. `failed` is null on success.
    virtual void after(std::string_view route, const session_data& session,
                       const error* failed) noexcept = 0;

protected:
    ~global_filter() = default;
};

/// What a client says of itself in its handshake. Views valid during the call.
struct client_info {
    /// `sys.type`, e.g. "js-websocket"; empty when it gave none.
    std::string_view type{};
    /// `sys.version`; empty when it gave none.
    std::string_view version{};
    /// `ip:port`.
    std::string_view address{};
    /// `user` as JSON text; empty when it gave none.
    std::string_view user{};
};

/// A frontend plugin's word in the handshake of every client.
class handshake_hook {
public:
    /// False: the client is too old, answered 501. Errors: answered with their client code.
    virtual result<bool> accepts(const client_info& client) noexcept = 0;
    /// Ends `done` with the JSON that the client gets as `user` (no bytes or a falsy value: the key
    /// is left out), or with an error, whose client code is the answer. Called after `accepts`.
    virtual void shake_hands(const client_info& client,
                             std::unique_ptr<completion> done) noexcept = 0;

protected:
    ~handshake_hook() = default;
};

/// A member of a channel: a session, and its place in the order of joining.
struct member {
    session_ref ref;
    std::uint64_t joined = 0;
};

/// State of one object of a plugin on its way to the next generation, or to another server.
struct saved_state {
    /// Who saved it, and who gets it: "handler chatHandler", "state rooms".
    std::string name;
    std::string bytes;
};

/// What the host tells a plugin. Defaults do nothing.
class hooks {
public:
    /// A member left its channel without `remove`: its session closed, its frontend died, or the
    /// join came too late. The channel no longer lists it; it is not there when nobody else was in
    /// it and this server is a new life.
    virtual void on_member_lost(std::string_view channel, const member& gone) noexcept {
        (void)channel;
        (void)gone;
    }
    /// Frontends: a session of this server has closed. `reason` is for logs.
    virtual void on_session_closed(const session_data& session, std::string_view reason) noexcept {
        (void)session;
        (void)reason;
    }
    /// The list of servers, or who of them is up, has changed.
    virtual void on_servers_changed() noexcept {}
    /// This server serves: all components started, listeners open. After a reload for the new
    /// generation.
    virtual void on_started() noexcept {}
    /// The channel goes to another server by a new list of servers, or this server stops, before
    /// any component does: what the plugin knows of it. No request for it comes here any more, and
    /// the plugin is to forget it.
    virtual std::vector<saved_state> save_room(std::string_view channel) noexcept {
        (void)channel;
        return {};
    }
    /// The channel has come from another server, or from this one's life before a planned restart,
    /// with its members, and no request for it has come here: what the plugin there has saved.
    virtual void restore_room(std::string_view channel,
                              std::span<const saved_state> states) noexcept {
        (void)channel;
        (void)states;
    }

protected:
    ~hooks() = default;
};

/// Why a component stops.
enum class stop_reason : std::uint8_t {
    /// The server stops: what is not written by now is lost.
    server_stops,
    /// A newer generation serves already: what this one writes would overwrite newer data.
    replaced,
    /// It was made for a reload that was refused, and has never served.
    refused,
    /// It was made by a check, and never serves.
    check,
};

/// A part of a plugin with a life cycle. Each step ends `done` with any body, or with an error.
///
///     start -> on_serving [-> on_replacing -> on_serving]... [-> on_replacing] -> stop
///
/// In order of registration; `on_replacing` and `stop` in reverse.
class component {
public:
    virtual std::string_view name() const noexcept = 0;
    /// Sets up; also of a candidate that may never serve. An error stops the server's start, or
    /// refuses the reload.
    virtual void start(std::unique_ptr<completion> done) noexcept = 0;
    /// Takes what only one generation can have: a port, a lock. An error stops the server's start,
    /// or refuses the reload. Of the old generation again when a reload was refused after its
    /// `on_replacing`.
    virtual void on_serving(std::unique_ptr<completion> done) noexcept = 0;
    /// Writes what must not be lost and lets go of what on_serving took. No request runs here. An
    /// error refuses the reload.
    virtual void on_replacing(std::unique_ptr<completion> done) noexcept = 0;
    virtual void stop(stop_reason why, std::unique_ptr<completion> done) noexcept = 0;
    /// What its author should mend, for `host check`; empty: nothing.
    virtual std::string_view advice() const noexcept = 0;

protected:
    ~component() = default;
};

/// Where a plugin's registrations go. The host keeps the pointers in the tables of one generation,
/// and no longer than the plugin lives. When routes are only listed (`plugin_door::describe`)
/// nothing is constructed and every pointer is null.
class registration {
public:
    virtual ~registration() = default;
    virtual void handler(const method_info& info, callable* target) noexcept = 0;
    virtual void remote(const method_info& info, callable* target) noexcept = 0;
    virtual void route(std::string_view type, router* target) noexcept = 0;
    virtual void filter(global_filter* target) noexcept = 0;
    virtual void hook(hooks* target) noexcept = 0;
    virtual void part(component* target) noexcept = 0;
    /// In the order of registration, one after the other; the last `user` that is not empty counts.
    virtual void handshake(handshake_hook* target) noexcept = 0;
    /// A contract under which the plugin calls others. For people and checks: a call needs none.
    virtual void call(std::string_view route, std::uint64_t contract,
                      std::string_view shape) noexcept = 0;
};

// ---- what the host offers
// ----------------------------------------------------------------------------------------------------

/// Where a call goes and how.
struct call_target {
    /// Empty: the server type comes from the route's first word and routing by `param` picks the
    /// server.
    std::string server_id;
    route_param param;
    /// Zero: the default of host.yaml (`bus: call_timeout`); `max()`: none of its own. A call that
    /// is made while an invocation is served ends at the deadline of that at the latest; one that
    /// is made after its answer or its deadline has its own time alone.
    duration timeout{};
    /// The request being served, if any: its session travels along.
    const session_data* session = nullptr;
    /// Gives the contract's types as text (detail/shape.hpp, contract_shape); called within `call`
    /// and `cast` only. Null: the call has no contract.
    std::string (*shape)() noexcept = nullptr;
};

/// A room of members, owned by this server. Valid until `destroy_channel`.
class channel {
public:
    virtual std::string_view name() const noexcept = 0;
    /// In order of joining. Valid until the channel changes.
    virtual std::span<const member> members() const noexcept = 0;
    virtual const member* find(std::string_view uid) const noexcept = 0;
    virtual const member* find(const session_ref& session) const noexcept = 0;
    /// Adds at the end. Errors: duplicate (the session is in it already, or the uid from any
    /// frontend), closed (its frontend is not up in that incarnation). A session that its frontend
    /// no longer has comes back as hooks::on_member_lost.
    virtual result<void> add(const session_ref& session) noexcept = 0;
    /// False when it was not a member. The hook is not called.
    virtual bool remove(const session_ref& session) noexcept = 0;
    /// To all members of this moment, in order with all other pushes of this server.
    virtual result<void> push(std::string_view route, body_view message) noexcept = 0;
    /// To these members only (others are ignored).
    virtual result<void> push_to(std::string_view route, body_view message,
                                 std::span<const session_ref> to) noexcept = 0;

protected:
    ~channel() = default;
};

/// A change of a session, carried out by its frontend, which alone owns the truth.
struct session_change {
    enum class kind : std::uint8_t {
        /// `uid`: binds; errors: closed, duplicate (bound to another uid).
        bind = 1,
        /// Unbinds; errors: closed.
        unbind = 2,
        /// `uid`: replaces the bound uid in one step; errors: closed.
        rebind = 3,
        /// `settings`: each key is set; errors: closed.
        push = 4,
        /// `text` is the reason that the client is told; errors: closed.
        kick = 5,
    };
    kind what{};
    std::string uid;
    std::vector<setting> settings;
    std::string text;
};

class extension;

enum class log_level : std::uint8_t { debug, info, warn, error };

/// The host as one plugin generation sees it. Lifetime: outlives the plugin object.
class host {
public:
    virtual ~host() = default;

    // who am I, who is there
    virtual const server_info& self() const noexcept = 0;
    /// Servers registered, also those down and awaited, sorted by id. Empty list for an unknown
    /// type. Never null.
    virtual server_list servers(std::string_view type) const noexcept = 0;
    virtual server_list all_servers() const noexcept = 0;
    /// True where the plugin is only tried (`host check --module`, and before each reload):
    /// components start and stop, nothing serves, timers do not run.
    virtual bool is_check() const noexcept = 0;

    // the loop. Thread: any for `post` and `is_on_loop`.
    virtual boost::asio::any_io_executor executor() const noexcept = 0;
    virtual bool is_on_loop() const noexcept = 0;
    virtual void post(std::unique_ptr<task> work) noexcept = 0;
    /// Runs `work` on a pool thread, then `after` on the loop. Errors of a full pool: `after` runs
    /// without `work` (see its own state).
    virtual void blocking(std::unique_ptr<task> work, std::unique_ptr<task> after) noexcept = 0;
    virtual time_point now() const noexcept = 0;
    /// Ends with an empty body when due, or errc::cancelled on stop. `max()`: only so.
    virtual void sleep(duration how_long, std::unique_ptr<completion> done) noexcept = 0;
    /// A timer with a name: replaces one of the same name. `period` zero: once; `max()`: never. It
    /// runs while its generation serves. Set anew by the generation that replaces this one with the
    /// same `first` and `period`, it keeps its due time; else it counts from the swap.
    virtual void set_timer(std::string_view name, duration first, duration period,
                           std::unique_ptr<timer_task> tick) noexcept = 0;
    virtual bool cancel_timer(std::string_view name) noexcept = 0;

    /// Runs `told` when what this generation has under way is cancelled (`generation_timeout` after
    /// it was replaced, or the server stops), unless forgotten before. The number is never 0.
    virtual std::uint64_t at_end(std::unique_ptr<task> told) noexcept = 0;
    virtual void forget_end(std::uint64_t number) noexcept = 0;

    // servers
    /// Calls a remote. `arguments` is taken before it returns; `done` gets the result, always, by
    /// post.
    virtual void call(std::string_view route, std::uint64_t contract, const call_target& to,
                      body_view arguments, std::unique_ptr<completion> done) noexcept = 0;
    /// As `call` without an answer. Errors: what is known at once (no_server, overloaded, routing).
    virtual result<void> cast(std::string_view route, std::uint64_t contract, const call_target& to,
                              body_view arguments) noexcept = 0;

    // channels of this server
    virtual channel* find_channel(std::string_view name) noexcept = 0;
    /// The existing one, or a new one.
    virtual channel* create_channel(std::string_view name) noexcept = 0;
    virtual void destroy_channel(std::string_view name) noexcept = 0;
    virtual std::vector<std::string> channel_names() const = 0;

    // sessions, wherever they live
    virtual void change_session(const session_ref& who, session_change change,
                                std::unique_ptr<completion> done) noexcept = 0;
    /// The snapshot of a session of a frontend; empty when it is not there. Ends with the JSON of
    /// `[{"ref":{..},"settings":{..}}]`. By uid when `who.id` is 0, else by id.
    virtual void find_sessions(const session_ref& who,
                               std::unique_ptr<completion> done) noexcept = 0;
    /// Kicks every session of the uid on every frontend; ends with the JSON number of sessions
    /// kicked.
    virtual void kick_uid(std::string_view uid, std::string_view reason,
                          std::unique_ptr<completion> done) noexcept = 0;
    /// A push to sessions anywhere, one bus message per frontend.
    virtual result<void> push_to_sessions(std::string_view route, body_view message,
                                          std::span<const session_ref> to) noexcept = 0;
    /// A push to all sessions of all frontends of the type; `only_bound`: those with a uid.
    virtual result<void> broadcast(std::string_view frontend_type, std::string_view route,
                                   body_view message, bool only_bound) noexcept = 0;
    /// Sessions of this frontend: bound to `uid`, or all for an empty uid.
    virtual std::vector<session_ref> local_sessions(std::string_view uid) const = 0;

    // settings, log
    /// The application's settings of this process, as JSON text.
    virtual std::optional<std::string> setting(std::string_view key) const = 0;
    virtual void set_setting(std::string_view key, std::string json) = 0;
    /// Thread: any.
    virtual bool logs(log_level at) const noexcept = 0;
    virtual void log(log_level at, std::string_view text) noexcept = 0;

    /// What else the host offers, by name and version (shaddock/extension.hpp). Valid as long as
    /// the host. Errors: not_found; the text says what there is, and what to do.
    virtual result<door::extension*> extension(std::string_view name,
                                               std::uint32_t version) noexcept = 0;
};

// ---- the door itself
// ---------------------------------------------------------------------------------------------------------

/// What the plugin made of itself; destroyed by `plugin_door::destroy` only.
class plugin {
protected:
    ~plugin() = default;
};

/// The one exported symbol, `extern "C" const plugin_door shaddock_plugin_door`.
/// Read field by field in this order: `struct_size` and `abi` first, nothing else before they fit.
struct plugin_door {
    std::uint32_t struct_size;
    std::uint32_t abi;
    /// Everything that must be equal on both sides: standard library, its ABI switches, Boost, Asio
    /// switches, sanitizers.
    const char* fingerprint;
    const char* type;
    const char* version;
    const char* build_id;
    /// Lists what the plugin registers; constructs nothing.
    void (*describe)(registration& into);
    /// Constructs and registers. `*failed` says why when the plugin threw; what was made by then is
    /// given too, to be destroyed once nothing of it runs. Null: nothing was made, it failed.
    /// `failed` is never null.
    plugin* (*create)(host& with, registration& into, std::string* failed);
    void (*destroy)(plugin* made);
    /// The state of all objects that have `save_state`. Changes nothing. Null: there is none.
    result<std::vector<saved_state>> (*save)(const plugin* made) = nullptr;
    /// Gives the new plugin what the one before it saved; `version` is that one's. Errors: refused
    /// by an object, or two objects of one name; the new plugin is then given up.
    result<void> (*restore)(plugin* made, std::span<const saved_state> states,
                            std::string_view version) = nullptr;
};

inline constexpr const char* door_symbol = "shaddock_plugin_door";

} // namespace shaddock::door
