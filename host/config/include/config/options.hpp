#pragma once

#include "base/log.hpp"
#include "base/network.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the files of the config folder say, as plain values. Whoever gets one of these need not
/// check it again: load() has refused everything outside the ranges written here.
///
/// Form in host.yaml: durations are `10 s`, `500 ms`, `2 min` or a bare number in the unit named at
/// the option; sizes are `64 KiB`, `1 MiB` or a bare number of bytes.
namespace shaddock::config {

using milliseconds = std::chrono::milliseconds;

/// Whether the host of a record means all addresses of the machine, `0.0.0.0` or `::`: one can
/// listen there, but nobody can connect to it.
bool is_every_address(std::string_view host);

/// One server of servers.json, cluster records already expanded.
/// Source: Pomelo's config/servers.json.
struct server_record {
    /// Unique in the system. 1-64 letters, digits, `.`, `_`, `-`; it is part of file and socket
    /// names. Never `master` or `web`: those are the files of the master and of the page's server.
    std::string id;
    /// The key of servers.json under which the record stands.
    std::string type;
    /// Address of the server itself; for a bus of one machine, one of this machine. It, the id,
    /// the address of clients and the ports may be `${NAME}` in the file: variables of the
    /// environment.
    std::string host;
    /// Pomelo's RPC port, 1-65535; 0 = the record has none, so nobody can call this server.
    std::uint16_t port = 0;
    /// Name or address that clients are told; empty = `host`.
    std::string client_host;
    /// Where clients connect, 1-65535; 0 = none. A frontend always has one.
    std::uint16_t client_port = 0;
    /// The port that clients are told, 1-65535, where something before the server listens on
    /// another one; 0 = `client_port`.
    std::uint16_t public_port = 0;
    /// Whether clients connect here: `true` or the text "true" in the file.
    bool frontend = false;
    /// It is known, but not in the list over which servers route, and not started: it was stopped.
    bool stopped = false;
    /// It drains (`rooms: stay`): in the list, but it takes no new rooms and ends when those that
    /// it has are empty. When it ends anyway, in milliseconds of Unix time; 0 = never.
    std::optional<std::uint64_t> leaving{};
    /// `max-connections`: overrides connector_options::connections_limit; 0 = no limit.
    std::optional<std::size_t> max_connections;
    /// `auto-restart`: the master starts it again when it dies. Default true.
    bool auto_restart = true;
    /// The machine that read the files is its `host`. Of a bus of one machine: always.
    bool is_here = true;
    /// `restart-force`: killed and started again when its loop stands still, also where
    /// supervision_options says to report only. Default false.
    bool restart_force = false;
    /// The whole record as compact JSON text: keys in file order, custom keys and their numbers as
    /// written; `id` (text) and `serverType` always present, ports as numbers, `frontend` as bool;
    /// without `stopped` and `leaving`.
    std::string json;
};

/// master.json: where the master listens for servers and tools.
struct master_record {
    std::string id;
    /// Where the system is on several machines, and this one has no such address: 127.0.0.1.
    std::string host;
    std::uint16_t port = 0;
};

/// `connector:` of host.yaml, and `types.<type>.connector:` for one type: how a frontend treats
/// client connections. The keys are those of Pomelo's connectorConfig where it has them.
struct connector_options {
    /// Whole seconds, because so it is told to clients in the handshake. Default 0 = heartbeats off
    /// (none sent, none expected).
    milliseconds heartbeat{0};
    /// Seconds. A client silent for so long is closed. Default 0 = twice the heartbeat; at least
    /// the heartbeat.
    milliseconds timeout{0};
    /// Routes may be codes of the dictionary, which is built from the handlers of all types and
    /// dictionary.json. Default false.
    bool dict = false;
    /// Bodies of the routes in serverProtos.json and clientProtos.json are in the protobuf dialect.
    /// Default false.
    bool proto = false;
    /// Clients give an RSA key in the handshake and sign every body. Default false.
    bool crypto = false;
    /// Seconds. A connection without any traffic for so long is closed. Default 90 s; 0 = never.
    milliseconds idle_timeout{std::chrono::seconds(90)};
    /// Seconds from accept to a complete handshake package. Default 10 s; 0 = no limit.
    milliseconds handshake_timeout{std::chrono::seconds(10)};
    /// Seconds from our handshake answer to the client's ack. Default 10 s; 0 = no limit.
    milliseconds ack_timeout{std::chrono::seconds(10)};
    /// Bytes. Body of one package from a client. Default 64 KiB, 1 byte to 16 MiB - 1; 0 is
    /// refused: always bounded.
    std::size_t package_limit = std::size_t{64} * 1024;
    /// Bytes waiting to be written to one client; past it the client is kicked as a slow consumer.
    /// Default 1 MiB, 4 KiB to 1 GiB; 0 is refused: always bounded.
    std::size_t pending_limit = std::size_t{1024} * 1024;
    /// Client connections of one server. Default 10000; 0 = no limit. A record's `max-connections`
    /// wins.
    std::size_t connections_limit = 10000;
    /// Bytes of requests of one client without an answer; past it the client is not read until half
    /// of it was answered. Default 512 KiB, 4 KiB to 1 GiB; 0 is refused: always bounded.
    std::size_t unanswered_limit = std::size_t{512} * 1024;
    /// Bytes of all clients of one server: unfinished packages, input that waits, and requests
    /// without an answer; past it those who hold most are closed, first those who have not logged
    /// in. Default 64 MiB, 1 MiB to 64 GiB; 0 is refused: always bounded.
    std::size_t input_limit = std::size_t{64} * 1024 * 1024;
    /// The same for what waits to be written to clients that do not read. Default 256 MiB, 1 MiB to
    /// 64 GiB; 0 is refused: always bounded.
    std::size_t output_limit = std::size_t{256} * 1024 * 1024;
    /// Bytes per second. A package that comes at least so fast counts as a heartbeat. Default
    /// 1 KiB, 1 byte to 1 GiB; 0 = it does not count.
    std::size_t least_rate = 1024;
    /// Messages (packages and control frames) per second of one client, and at once after it was
    /// quiet. Who sends more is not read until time has paid. Default 100 and 300, 1 to 10000000;
    /// rate 0 = no limit.
    std::size_t message_rate = 100;
    std::size_t message_burst = 300;
    /// Bytes, the same. Default 256 KiB and 1 MiB, 1 byte to 1 GiB; rate 0 = no limit. A package
    /// above the burst is taken when the client has been quiet for so long, and leaves a debt.
    std::size_t byte_rate = std::size_t{256} * 1024;
    std::size_t byte_burst = std::size_t{1024} * 1024;
    /// Clients per second that a server kicks while it stops, so that they do not come to the
    /// others in one burst; more when it would take longer than a quarter of limits.stop_timeout.
    /// Default 500, 1 to 10000000; 0 = all at once.
    std::size_t drain = 500;
    /// For how many messages one of the route counts, where it is not 1. Default none; 1 to
    /// 1000000.
    std::map<std::string, std::size_t, std::less<>> route_cost{};
    /// Client connections of one server from one address; of IPv6 from one /64. Trusted proxies are
    /// not counted. Default 2000; 0 = no limit.
    std::size_t connections_per_address = 2000;
    /// Handshakes of one server per second, and as many at once; one address may have a quarter of
    /// it. Default 2000; 0 = no limit.
    std::size_t handshake_rate = 2000;
    /// Networks of proxies whose word on the addresses of their clients counts. Default none.
    std::vector<base::network> trusted_proxies{};
    /// Every connection begins with a header of the PROXY protocol and comes from a trusted proxy.
    /// Default false.
    bool proxy_protocol = false;
    /// Origins of pages that may connect, `*` = all. Default `*`; never empty.
    std::vector<std::string> origins{"*"};
    /// `distinctHost`. true: listen on the record's `host` only; false (default, as Pomelo): on all
    /// interfaces.
    bool distinct_host = false;
    /// `nodelay`. TCP_NODELAY on client connections. Default true.
    bool no_delay = true;
    /// PEM files of the certificate (with those that lead to its root) and its key, which has no
    /// passphrase; relative to the config folder. Both empty (default): no TLS.
    std::filesystem::path tls_certificate{};
    std::filesystem::path tls_key{};
    /// With TLS: clients that begin without it are refused. Default true.
    bool tls_only = true;

    /// The time after which a client without heartbeats is closed; 0 = never (heartbeats are off).
    milliseconds heartbeat_deadline() const {
        if (heartbeat.count() == 0) {
            return heartbeat;
        }
        return timeout.count() != 0 ? timeout : 2 * heartbeat;
    }
    friend bool operator==(const connector_options&, const connector_options&) = default;
};

/// Which bus links the servers.
enum class bus_kind {
    /// Unix sockets between the processes of one machine.
    direct,
    /// All servers in one process; for tests.
    local,
    /// Processes of several machines, over NATS.
    nats,
};

/// How two servers of one machine reach each other while others are reached over NATS.
enum class local_way {
    /// Their Unix socket, as without NATS.
    socket,
    /// NATS; for tests.
    nats,
};

/// Text that no log, list or error shows: it has no form but this one.
class secret {
public:
    secret() = default;
    explicit secret(std::string text) : text_(std::move(text)) {}
    const std::string& reveal() const { return text_; }
    bool is_empty() const { return text_.empty(); }

private:
    std::string text_;
};

/// `bus.nats:` of host.yaml: where NATS is, and who we are there. Files are relative to the config
/// folder and are read at start.
struct nats_options {
    /// `nats://host:port` or `tls://host:port`, at least one; without user or password.
    std::vector<std::string> servers;
    /// Name of this system, which may share its NATS with others. 1-64 letters, digits, `_`, `-`;
    /// required.
    std::string cluster;
    local_way local_pairs = local_way::socket;
    /// Seconds. A server that nobody on the other machines hears for so long is dead, and gives up
    /// its rooms before. Default 10 s, from 2 s to 10 min.
    milliseconds host_lost{std::chrono::seconds(10)};
    /// Seconds. A machine whose servers are all dead for so long leaves the list. Default 30 s, at
    /// most 24 h; 0 = by a word only.
    milliseconds machine_lost{std::chrono::seconds(30)};
    /// Copies of the list that NATS keeps. Default 1, 1 to 5; as many as its servers can have.
    std::size_t replicas = 1;
    /// At most one of: user and password, token, credentials, nkey.
    std::string user;
    secret password;
    secret token;
    /// Of a user's JWT and seed, as `nsc` writes it.
    std::filesystem::path credentials;
    /// Of an nkey's seed.
    std::filesystem::path nkey;
    /// PEM files: who may have signed the certificate of NATS (default: as the system trusts), and
    /// our own certificate and key, both or none.
    std::filesystem::path tls_ca;
    std::filesystem::path tls_certificate;
    std::filesystem::path tls_key;
};

/// `bus:` of host.yaml.
struct bus_options {
    bus_kind kind = bus_kind::direct;
    /// Seconds until a call without a deadline of its own ends in `timeout`. Default 10 s; 0 is
    /// refused.
    milliseconds call_timeout{std::chrono::seconds(10)};
    /// Bytes waiting on the link to one server, and work given ahead; what is over it is refused
    /// as `overloaded`. Default 8 MiB, 64 KiB to 1 GiB; 0 is refused.
    std::size_t queue_limit = std::size_t{8} * 1024 * 1024;
    /// Seconds between two signs of life on a quiet link. Default 1 s; 0 is refused.
    milliseconds heartbeat{std::chrono::seconds(1)};
    /// Seconds without a sign of life after which the other side counts as gone. Default 5 s,
    /// longer than `heartbeat`; 0 is refused.
    milliseconds silence{std::chrono::seconds(5)};
    /// Of `kind: nats` only.
    nats_options nats{};
};

/// `limits:` of host.yaml.
struct limit_options {
    /// Seconds that a graceful stop may take before the process ends anyway. Default 10 s; 0 = do
    /// not wait for requests.
    milliseconds stop_timeout{std::chrono::seconds(10)};
    /// Threads for `app.blocking`. Default 2, 1 to 64; 0 is refused.
    std::size_t blocking_threads = 2;
    /// Milliseconds: one turn of the loop that takes longer is logged. Default 50 ms; 0 = never.
    milliseconds tick_warning{50};
    /// Milliseconds. When a client's bytes wait so long for their turn, requests of sessions
    /// without a uid are refused `overloaded` at once; from twice as long on, all. Default 100 ms;
    /// 0 = never.
    milliseconds overload{100};
    /// Requests of one session that may be unanswered at a time; further ones are answered
    /// `overloaded`. Default 1024, 1 to 1000000; 0 is refused: always bounded.
    std::size_t requests_per_session = 1024;
    /// Requests of one session that may wait for a serial method; further ones are answered
    /// `overloaded`. Default 64, 1 to 1000000; 0 is refused: always bounded.
    std::size_t serial_per_session = 64;
    /// Seconds. What a replaced generation has under way may go on for so long; then it is
    /// cancelled. Default 10 s, at most 1 h; 0 = it is cancelled at once.
    milliseconds generation_timeout{std::chrono::seconds(10)};
};

/// `log:` of host.yaml.
struct log_options {
    /// debug, info (default), warn, error or off.
    base::log::level level = base::log::level::info;
    /// Of areas that have a level of their own (base::log::areas); `plugin` is what plugins say.
    std::map<std::string, base::log::level, std::less<>> levels{};
    /// text (default): lines for people; json: one object per line. Files and console.
    base::log::format format = base::log::format::text;
    /// Folder of the files `<server id>.log`; relative to the working directory. Default `logs`;
    /// empty = no files.
    std::filesystem::path folder = "logs";
    /// Bytes of one file before the next is begun. Default 10 MiB, at least 4 KiB; 0 is refused.
    std::size_t file_limit = std::size_t{10} * 1024 * 1024;
    /// Files kept per server. Default 5, 1 to 1000; 0 is refused.
    std::size_t files = 5;
};

/// `web:` of host.yaml: the server of the chat page.
struct web_options {
    /// Default 3001, 1-65535; 0 = no web server is started.
    std::uint16_t port = 3001;
    /// Address to listen on. Default 127.0.0.1; 0.0.0.0 = all interfaces.
    std::string host = "127.0.0.1";
    /// Folder of the page; relative to the working directory. Empty (default) = the page that
    /// belongs to this host.
    std::filesystem::path folder;
};

/// `metrics:` of host.yaml: who may read numbers, and nothing else, from the master.
struct metrics_options {
    /// File of the token for it, relative to the working directory; made when it is absent, and
    /// kept. Empty (default) = `metrics_token` in the run folder.
    std::filesystem::path token_file;
    /// Name of a group that may read that file. Default: none.
    std::string token_group;
};

/// What becomes of a process whose loop does not turn for `bus: silence`.
enum class stalled_process {
    /// The master kills it and starts it anew.
    kill,
    /// It is only named, and no server declares it dead: somebody debugs it.
    report,
};

/// `supervision:` of host.yaml.
struct supervision_options {
    /// Default: report in the env development, else kill.
    stalled_process stalled = stalled_process::kill;
};

/// `reload:` of host.yaml, and `types.<type>.reload:` for one type: how running servers change over
/// to new module files.
struct reload_options {
    /// A server reloads by itself when one of its module files changes. Default: true in the env
    /// development, else false.
    bool watch = false;
    /// Milliseconds. New requests wait at most so long for those in flight; what still runs then
    /// refuses the reload. Default 2 s, at most 10 s; 0 = swap at once, without the promise that no
    /// data is lost.
    milliseconds drain{std::chrono::seconds(2)};
    /// Seconds. Each of: on_replacing of the old generation's components, on_serving of the new
    /// one's. Default 5 s, 100 ms to 60 s.
    milliseconds handover{std::chrono::seconds(5)};
    /// Seconds. How long the check in a process of its own may take, and then the setup of the new
    /// generation. Default 2 s, 100 ms to 60 s.
    milliseconds timeout{std::chrono::seconds(2)};

    /// Its limits together: two for the check and the setup, the drain, and three times the
    /// handover, the old generation's return after a failure included.
    milliseconds longest() const { return 2 * timeout + drain + 3 * handover; }

    friend bool operator==(const reload_options&, const reload_options&) = default;
};

/// What becomes of the rooms of a server that is taken out of the list.
enum class room_rule {
    /// They move to other servers at once.
    move,
    /// `host stop --within` drains it: they stay until they are empty. Of backends only.
    stay,
};

/// `types.<type>:` of host.yaml.
struct type_options {
    /// File names of the type's modules in the plugins folder, or absolute paths. Default: one,
    /// `<type>.so`; never empty.
    std::vector<std::string> modules;
    /// Default move.
    room_rule rooms = room_rule::move;
    /// `connector:` of the file, overlaid by `types.<type>.connector:`.
    connector_options connector;
    /// `reload:` of the file, overlaid by `types.<type>.reload:`.
    reload_options reload;
};

/// host.yaml. A missing file means: all defaults, every type allowed.
struct host_options {
    /// Types by name: those of the file and, after load(), every type of servers.json.
    std::map<std::string, type_options, std::less<>> types;
    /// What a type has that does not override it.
    connector_options connector;
    reload_options reload;
    bus_options bus;
    limit_options limits;
    log_options log;
    web_options web;
    metrics_options metrics;
    supervision_options supervision;

    /// The type's options; for a type that is in no file: `<type>.so`, and what all types have.
    type_options type(std::string_view name) const;
};

} // namespace shaddock::config
