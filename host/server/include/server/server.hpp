#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/loop_watch.hpp"
#include "base/metrics.hpp"
#include "base/turn_budget.hpp"
#include "bus/bus.hpp"
#include "cluster/registry.hpp"
#include "control/status.hpp"
#include "net/listener.hpp"
#include "protocol/dictionary.hpp"
#include "protocol/protos.hpp"

#include <shaddock/config_files.hpp>
#include <shaddock/door.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// One server instance: what is registered by its plugin, its sessions, its channels, and its life
/// from start to stop.
namespace shaddock::server {

/// How servers get the list from each other that its keeper cannot tell one of them. Thread: the
/// loop. Empty: this server neither tells nor asks, since its list comes from where all have it.
struct list_exchange {
    /// The lists later than that epoch as they were told here, in order; of many, the last ones.
    std::function<std::vector<std::string>(std::uint64_t epoch)> told;
    /// What `told` of another server has given.
    std::function<void(std::string_view list)> take;
};

/// What a server needs to be told; a value.
struct server_options {
    /// Own record; `life` is this process's incarnation.
    door::server_info self;
    /// Set exactly when the server is a frontend.
    std::optional<net::listener_options> listener;
    /// Makes the client port; empty: net::make_listener. Thread: the loop.
    std::function<std::unique_ptr<net::listener>(const net::listener_options&)> make_port{};
    /// Frontends: routes may be codes; null: they are text only.
    std::shared_ptr<const protocol::route_dictionary> dictionary;
    /// Frontends: routes whose bodies are in the protobuf dialect; null: all bodies are JSON.
    std::shared_ptr<const protocol::protos> protos;
    /// Frontends: clients give an RSA key in the handshake and sign every body.
    bool crypto = false;
    /// Frontends: for how many messages one of the route counts, where it is not 1.
    std::map<std::string, std::size_t, std::less<>> route_cost;
    /// How long a request or call waits for its answer.
    base::duration call_timeout = std::chrono::seconds(10);
    /// How long a graceful stop may take to send clients away and for requests in flight, together;
    /// and then for components.
    base::duration drain_timeout = std::chrono::seconds(5);
    /// Frontends: clients per second that are kicked while the server stops; more when it would
    /// take longer than half of `drain_timeout`. 0: all at once, and so are so few that it takes no
    /// 100 ms.
    std::size_t drain_rate = 500;
    /// Requests of one session that may be unanswered at a time; further ones are answered
    /// `overloaded`.
    std::size_t requests_limit = 1024;
    /// When a client's bytes wait so long for their turn, requests of sessions without a uid are
    /// refused; from twice as long on, all. Zero: never.
    base::duration overload = std::chrono::milliseconds(100);
    /// Requests of one session that may wait for a serial method; further ones are answered
    /// `overloaded`.
    std::size_t serial_limit = 64;
    /// Reads `config/<name>.json` by the env rule, for plugins.
    std::function<result<door::config_text>(std::string_view name)> read_config;
    /// How long what a generation has under way may go on after it was replaced; then it is
    /// cancelled.
    base::duration generation_timeout = std::chrono::seconds(10);
    /// Runs what plugins give to `blocking`; empty: such work is refused.
    boost::asio::any_io_executor blocking_pool;
    /// What the life before this one has given to `keep_rooms`; empty: nothing.
    std::string kept_rooms;
    /// Given what plugins know of their rooms when the server stops, for its next life. Empty: that
    /// is lost.
    std::function<void(std::string bytes)> keep_rooms;
    /// Asked whenever it matters. No: others may own its rooms by now. It serves none of them until
    /// it may again: requests and calls for it are answered `no_server`, nobody joins its channels,
    /// and they push nothing. A frontend goes on with what is not of its own channels. Empty: it
    /// always may.
    std::function<bool()> may_own;
    /// Asked of a server whose rooms a list has made this one's, and which has not said that it
    /// gave them away. Yes: it may serve them still, so this server lets nobody join them and
    /// pushes nothing in them until it has said so, or the answer is no. Empty: no.
    std::function<bool(std::string_view id)> may_other_own;
    list_exchange lists{};
    /// Plugins are only tried: components start and stop, nothing serves, no timer runs.
    bool is_check = false;
};

/// A plugin that gives the server its type, checked and mapped; it stays mapped for ever.
struct plugin_source {
    const door::plugin_door* door = nullptr;
    /// The file as configured, for people.
    std::string file;
    /// Hexadecimal; empty when the file has none.
    std::string build_id{};
};

/// How a reload goes.
struct reload_options {
    /// New requests, timers and hooks wait at most so long for requests in flight; what still runs
    /// then refuses the reload. Zero: they do not wait for each other, and what runs on past
    /// `on_replacing` may lose what it changes.
    base::duration drain = std::chrono::seconds(2);
    /// The new generation's components must be up within this.
    base::duration setup = std::chrono::seconds(2);
    /// Each of: the old one's on_replacing, the new one's on_serving, the old one's on_serving
    /// after a failure.
    base::duration handover = std::chrono::seconds(5);
};

enum class stop_pace {
    drains,
    /// Clients are kicked and requests in flight are cancelled at once: another server has its
    /// place. Components have their time all the same.
    at_once
};

/// What the master is told, and what it need not know.
struct status : control::server_status {
    std::size_t sessions = 0;
    std::size_t channels = 0;
    std::size_t members = 0;
    std::size_t requests_in_flight = 0;
    std::uint64_t requests = 0;
};

/// One server: a value without globals that is given its loop, clock, bus and registry.
/// Thread: the loop of the executor. Lifetime: `stop` must have ended before destruction; clock,
/// bus and registry outlive it.
class server {
public:
    server(const boost::asio::any_io_executor& executor, base::clock& clock, bus::bus& links,
           cluster::registry& registry, server_options options);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Plugins -> bus -> registry -> components start, then serve -> timers -> client port.
    /// `started` is called once: success, or what failed and why. After a failure call `stop`.
    void start(std::vector<plugin_source> plugins,
               base::unique_function<void(result<void>)> started);

    /// Client port closes -> clients are kicked with `reason` one after the other, the others are
    /// served meanwhile (`drain_rate`) -> deregisters -> requests in flight end (at most
    /// `drain_timeout`) -> the last clients are kicked
    /// -> components stop in reverse -> the plugin's objects are destroyed. `stopped` is posted
    /// when all is over. Call once.
    void stop(std::string_view reason, base::unique_function<void()> stopped,
              stop_pace pace = stop_pace::drains);

    /// Replaces all that plugins registered by a new generation, at one point between two turns of
    /// the loop:
    ///
    ///   create -> start -> hold what comes -> what is in flight ends -> on_replacing of the old ->
    ///   save -> restore -> on_serving of the new -> swap -> what was held runs
    ///
    /// `done` once, never inline: what serves now, or why nothing changed (a step failed or took
    /// too long, another reload or the stop is under way). After a failure the old one serves on.
    void reload(std::vector<plugin_source> plugins, reload_options how,
                base::unique_function<void(result<void>)> done);

    /// Whom a reload to these plugins would cut off, since types of contracts differ: a line for
    /// each route and server, of those that are linked. Changes nothing. `done` once, never inline.
    void look_ahead(const std::vector<plugin_source>& plugins,
                    base::unique_function<void(std::vector<std::string>)> done);

    /// Frontends: new proto files. Clients that are told another set in a later handshake speak the
    /// new one; those that are connected keep theirs. Nothing when the server was started without.
    void use_protos(std::shared_ptr<const protocol::protos> now);

    /// Frontends: from now on clients of these networks are denied, and no others.
    void deny(base::network_set networks);

    status now() const;
    /// Called whenever `status::epoch` has changed. Before the start.
    void on_settled(base::unique_function<void()> told);
    /// All that it counts, under the names that docs/operations.md lists; its loop: add_loop.
    base::metric_families metrics() const;
    /// The port that clients use; 0 for a backend.
    std::uint16_t client_port() const;
    /// What the plugins' authors should mend, a line each.
    std::vector<std::string> advice() const;

private:
    class parts;
    std::unique_ptr<parts> parts_;
};

/// Adds what was measured of the server's loop, which is the process's, not the server's.
/// Thread: the loop.
void add_loop(base::metric_families& all, const base::loop_watch& watch,
              const base::turn_budget& turns);

} // namespace shaddock::server
