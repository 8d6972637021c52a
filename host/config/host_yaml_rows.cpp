#include "host_yaml_rows.hpp"

namespace shaddock::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;
constexpr std::size_t gib = 1024 * mib;

} // namespace

const std::vector<option_row<type_options>>& type_rows() {
    using options = type_options;
    static const std::vector<option_row<options>> rows{
        option_by_hand<options>(
            "modules", "list", "one, `<type>.so`", "file names or absolute paths",
            "the type's modules: files in the host's plugins folder, or anywhere"),
        word_option("rooms", &options::rooms,
                    {{"move", room_rule::move}, {"stay", room_rule::stay}}, "'move' or 'stay'",
                    "what becomes of the rooms of a server that is stopped: they move; or, with "
                    "`host stop --within`, they stay until they are empty. `stay` is for types "
                    "without clients, to which others route by `route_by`"),
    };
    return rows;
}

const std::vector<option_row<connector_options>>& connector_rows() {
    using options = connector_options;
    static const std::vector<option_row<options>> rows{
        time_option("heartbeat", &options::heartbeat,
                    {.zero = "no heartbeats", .example = "3 s", .is_whole_seconds = true},
                    "period told to clients (`config/host.yaml` sets 3 s for connectors)"),
        time_option("timeout", &options::timeout, {.zero = "twice the heartbeat", .example = "6 s"},
                    "a client without a heartbeat for so long is closed; at least the heartbeat"),
        flag_option("dict", &options::dict, "routes may be codes of the route dictionary"),
        flag_option("proto", &options::proto,
                    "bodies of the routes in the proto files are in the protobuf dialect"),
        flag_option("crypto", &options::crypto,
                    "clients give an RSA key in the handshake and sign every body"),
        time_option("idle_timeout", &options::idle_timeout, {.zero = "never"},
                    "a connection without any traffic for so long is closed"),
        time_option("handshake_timeout", &options::handshake_timeout, {.zero = "no limit"},
                    "from accept to a complete handshake"),
        time_option("ack_timeout", &options::ack_timeout, {.zero = "no limit"},
                    "from the handshake's answer to the client's ack"),
        size_option("package_limit", &options::package_limit, {.least = 1, .most = 16 * mib - 1},
                    "body of one package from a client"),
        size_option("pending_limit", &options::pending_limit, {.least = 4 * kib, .most = gib},
                    "waiting to be written to one client; past it the client is kicked as a slow "
                    "consumer"),
        count_option("connections_limit", &options::connections_limit,
                     {.noun = "a number of connections", .most = 10'000'000, .zero = "no limit"},
                     "client connections of one server; `max-connections` of `servers.json` wins"),
        // How much one client may ask of the server, and all together.
        size_option("unanswered_limit", &options::unanswered_limit, {.least = 4 * kib, .most = gib},
                    "requests of one client without an answer; past it the client is not read "
                    "until half of it was answered"),
        size_option("input_limit", &options::input_limit, {.least = mib, .most = 64 * gib},
                    "of all clients of a server: unfinished packages, input that waits, requests "
                    "without an answer; past it those who hold most are closed, first those who "
                    "have not logged in"),
        size_option("output_limit", &options::output_limit, {.least = mib, .most = 64 * gib},
                    "the same for what waits to be written to clients that do not read"),
        size_option("least_rate", &options::least_rate,
                    {.most = gib, .zero = "only heartbeats count"},
                    "per second; a package that comes at least so fast counts as a heartbeat"),
        count_option("message_rate", &options::message_rate,
                     {.noun = "a number of messages", .most = 10'000'000, .zero = "no limit"},
                     "messages per second of one client; who sends more is not read until time has "
                     "paid for it"),
        count_option("message_burst", &options::message_burst,
                     {.noun = "a number of messages", .most = 10'000'000},
                     "messages that a client may send at once, after it was quiet"),
        size_option("byte_rate", &options::byte_rate, {.most = gib, .zero = "no limit"},
                    "the same for bytes, per second"),
        size_option("byte_burst", &options::byte_burst, {.most = gib},
                    "the same for bytes, at once; a package above it waits until the client has "
                    "been quiet for so long"),
        count_option("drain", &options::drain,
                     {.noun = "a number of clients", .most = 10'000'000, .zero = "all at once"},
                     "clients per second that a server kicks while it stops, so that others do not "
                     "get them in one burst; more when it would take longer than a quarter of "
                     "`limits.stop_timeout`"),
        option_by_hand<options>("route_cost", "map", "none",
                                "routes and counts, `{connector.entryHandler.enter: 10}`; 1 to "
                                "1000000",
                                "for how many messages one of the route counts"),
        count_option("connections_per_address", &options::connections_per_address,
                     {.noun = "a number of connections", .most = 10'000'000, .zero = "no limit"},
                     "client connections of one server from one address (IPv6: from one /64); "
                     "trusted proxies are not counted"),
        count_option("handshake_rate", &options::handshake_rate,
                     {.noun = "a number of handshakes", .most = 10'000'000, .zero = "no limit"},
                     "handshakes of one server per second; one address may have a quarter of it"),
        option_by_hand<options>("trusted_proxies", "list", "none",
                                "addresses and networks, `[127.0.0.1, 10.0.0.0/8]`",
                                "whose X-Forwarded-For and PROXY headers tell who the client is"),
        flag_option("proxy_protocol", &options::proxy_protocol,
                    "every connection begins with a PROXY header (version 1 or 2) of a trusted "
                    "proxy; others are closed"),
        option_by_hand<options>("origins", "list", "`*`",
                                "origins, `[https://chat.example]`; `*`: all",
                                "of pages whose WebSockets are taken; who tells no origin is no "
                                "page, and is taken"),
        flag_option("distinctHost", &options::distinct_host,
                    "true: listen on the record's `host` only (so in `config/host.yaml`); false: "
                    "on all interfaces"),
        flag_option("nodelay", &options::no_delay, "TCP_NODELAY on client connections"),
        text_option("tls_certificate", &options::tls_certificate, "a PEM file ('' = no TLS)",
                    "PEM file, relative to the config folder; empty: no TLS",
                    "certificate of the clients' port, and those that lead to its root; read again "
                    "when it changes"),
        text_option("tls_key", &options::tls_key, "a PEM file ('' = no TLS)",
                    "PEM file without a passphrase, relative to the config folder",
                    "key of the certificate"),
        flag_option("tls_only", &options::tls_only,
                    "with a certificate: clients that begin without TLS are refused"),
    };
    return rows;
}

const std::vector<option_row<reload_options>>& reload_rows() {
    using options = reload_options;
    static const std::vector<option_row<options>> rows{
        with_default(flag_option("watch", &options::watch,
                                 "a server reloads by itself when one of its module files changes"),
                     "true in `development`, else false"),
        time_option("drain", &options::drain,
                    {.unit = 1ms,
                     .most = 10s,
                     .zero = "swap at once, without the promise that no data is lost",
                     .example = "500 ms"},
                    "new requests wait at most so long for those in flight before the change-over; "
                    "what still runs then refuses the reload"),
        time_option("handover", &options::handover, {.least = 100ms, .most = 60s},
                    "for `on_replacing` of the old components, and as much again for `on_serving` "
                    "of the new ones"),
        time_option("timeout", &options::timeout, {.least = 100ms, .most = 60s},
                    "for the check of the new files in a process of its own, and as much again "
                    "for their setup"),
    };
    return rows;
}

const std::vector<option_row<bus_options>>& bus_rows() {
    using options = bus_options;
    static const std::vector<option_row<options>> rows{
        word_option(
            "kind", &options::kind,
            {{"direct", bus_kind::direct}, {"local", bus_kind::local}, {"nats", bus_kind::nats}},
            "'direct' (Unix sockets on one machine), 'nats' (several machines) or 'local' "
            "(one process)",
            "`direct`: Unix sockets between the processes of one machine; `nats`: several "
            "machines, see `bus.nats`; `local` is for tests in one process and refused at "
            "start"),
        time_option("call_timeout", &options::call_timeout, {.least = 1ms},
                    "until a client's request, or a call without a deadline of its own, ends in "
                    "`timeout`; calls made for a request never take longer than that"),
        size_option(
            "queue_limit", &options::queue_limit, {.least = 64 * kib, .most = gib},
            "of the link to one server. Above half of it a room or session may have only its "
            "share waiting, above three quarters pushes and calls are refused "
            "`overloaded`. A push counts with what the frontend writes for it, so this is "
            "also the most work that a frontend is given ahead; less when it takes over "
            "8 ms for it"),
        time_option("heartbeat", &options::heartbeat, {.least = 1ms},
                    "between two signs of life on a quiet link"),
        time_option("silence", &options::silence, {.least = 1ms},
                    "without a sign of life for so long the other side counts as gone; longer than "
                    "the heartbeat. A server that takes nothing for so long loses its link"),
    };
    return rows;
}

const std::vector<option_row<nats_options>>& nats_rows() {
    using options = nats_options;
    constexpr std::string_view file = "a file";
    static const std::vector<option_row<options>> rows{
        option_by_hand<options>("servers", "list", "none", "`nats://host:port`, `tls://host:port`",
                                "where NATS is; needed, and one of a NATS cluster is enough"),
        text_option("cluster", &options::cluster, "1 to 55 letters, digits, '_' or '-'", "needed",
                    "name of this system, at most 55 letters: others on the same NATS have other "
                    "names"),
        word_option("local_pairs", &options::local_pairs,
                    {{"socket", local_way::socket}, {"nats", local_way::nats}},
                    "'socket' or 'nats'",
                    "how two servers of one machine reach each other: by their Unix socket; `nats` "
                    "is for tests"),
        time_option("host_lost", &options::host_lost, {.least = 2s, .most = 10min},
                    "a server that others do not hear for so long is dead; it gives up its rooms "
                    "before that, and its clients come back; at least three times "
                    "`bus.heartbeat`"),
        time_option("machine_lost", &options::machine_lost,
                    {.most = 24h, .zero = "by `host stop` only"},
                    "a machine whose servers are all dead for so long leaves the list, and its "
                    "rooms move; at least `host_lost`"),
        count_option("replicas", &options::replicas, {.noun = "a number of copies", .most = 5},
                     "how many servers of NATS keep the list; 3 of a NATS cluster of 3"),
        text_option("user", &options::user, "a name", "default: none", "user of NATS"),
        option_by_hand<options>("password", "`${NAME}`", "none", "a variable of the environment",
                                "of the user; never in the file itself"),
        option_by_hand<options>("password_file", "path", "none", "",
                                "the file whose first line is the password"),
        option_by_hand<options>("token", "`${NAME}`", "none", "a variable of the environment",
                                "instead of user and password; never in the file itself"),
        option_by_hand<options>("token_file", "path", "none", "",
                                "the file whose first line is the token"),
        text_option("credentials", &options::credentials, file, "default: none",
                    "of a user with a JWT, as `nsc` writes it"),
        text_option("nkey", &options::nkey, file, "default: none", "of the seed of an nkey"),
        text_option("tls_ca", &options::tls_ca, file, "default: whom the system trusts",
                    "PEM: who has signed the certificate of NATS"),
        text_option("tls_certificate", &options::tls_certificate, file, "default: none",
                    "PEM: our own certificate, with `tls_key`"),
        text_option("tls_key", &options::tls_key, file, "default: none", "PEM: its key"),
    };
    return rows;
}

const std::vector<option_row<limit_options>>& limit_rows() {
    using options = limit_options;
    constexpr count_rule requests{.noun = "a number of requests", .most = 1'000'000};
    static const std::vector<option_row<options>> rows{
        time_option("stop_timeout", &options::stop_timeout, {.zero = "do not wait"},
                    "how long a graceful stop may take, requests in flight included"),
        count_option("blocking_threads", &options::blocking_threads,
                     {.noun = "a number of threads", .most = 64}, "threads for `app.blocking`"),
        time_option(
            "tick_warning", &options::tick_warning, {.unit = 1ms, .zero = "never"},
            "a turn of the loop that takes longer is logged as a warning, once a second at most"),
        time_option("overload", &options::overload, {.unit = 1ms, .zero = "never"},
                    "when a client's bytes wait so long for their turn, requests of those without "
                    "a uid are answered `overloaded` at once; from twice as long on, all"),
        count_option("requests_per_session", &options::requests_per_session, requests,
                     "unanswered at a time; further ones are answered `overloaded`"),
        count_option("serial_per_session", &options::serial_per_session, requests,
                     "waiting for a serial method; further ones are answered `overloaded`"),
        time_option("generation_timeout", &options::generation_timeout,
                    {.most = 1h, .zero = "cancel at once"},
                    "what replaced code has under way may go on for so long after a reload, then "
                    "it is cancelled"),
    };
    return rows;
}

const std::vector<option_row<log_options>>& log_rows() {
    using options = log_options;
    using base::log::level;
    static const std::vector<option_row<options>> rows{
        word_option("level", &options::level,
                    {{"debug", level::debug},
                     {"info", level::info},
                     {"warn", level::warn},
                     {"error", level::error},
                     {"off", level::off}},
                    "debug, info, warn, error or off", "what is less important is not logged"),
        option_by_hand<options>("levels", "map", "none", "areas and levels, `{net: debug}`",
                                "areas with a level of their own: `base`, `bus`, `cluster`, "
                                "`config`, `host`, `master`, `module`, `net`, `plugin` (all that "
                                "plugins say), `reload`, `server`, `web`"),
        word_option("format", &options::format,
                    {{"text", base::log::format::text}, {"json", base::log::format::json}},
                    "'text' or 'json'", "lines for people, or one JSON object per line"),
        text_option("folder", &options::folder, "a folder such as 'logs' ('' = no files)",
                    "empty: no files", "of the files `<server id>.log`"),
        size_option("file_limit", &options::file_limit, {.least = 4 * kib, .most = 16 * gib},
                    "of one file before the next is begun"),
        count_option("files", &options::files, {.noun = "a number of files", .most = 1000},
                     "kept per server"),
    };
    return rows;
}

const std::vector<option_row<web_options>>& web_rows() {
    using options = web_options;
    static const std::vector<option_row<options>> rows{
        count_option("port", &options::port,
                     {.noun = "a port", .most = 65535, .zero = "no web server"},
                     "of the chat page"),
        text_option("host", &options::host, "an address such as '127.0.0.1'",
                    "0.0.0.0: all interfaces", "address to listen on"),
        text_option("folder", &options::folder, "a folder ('' = the page of this host)",
                    "empty: the page that belongs to the host", "of the page's files"),
    };
    return rows;
}

const std::vector<option_row<metrics_options>>& metrics_rows() {
    using options = metrics_options;
    static const std::vector<option_row<options>> rows{
        text_option("token_file", &options::token_file,
                    "a file ('' = metrics_token in the run folder)",
                    "empty: `metrics_token` in the run folder",
                    "of the token that reads metrics and the list of servers, and nothing else"),
        text_option("token_group", &options::token_group, "the name of a group", "",
                    "that may read the file; default: the system's user alone"),
    };
    return rows;
}

const std::vector<option_row<supervision_options>>& supervision_rows() {
    using options = supervision_options;
    static const std::vector<option_row<options>> rows{
        with_default(
            word_option("stalled", &options::stalled,
                        {{"kill", stalled_process::kill}, {"report", stalled_process::report}},
                        "'kill' or 'report'",
                        "a process whose loop stands still for `bus.silence` is killed and started "
                        "anew; or it is only named, and no server declares it dead, so that one "
                        "can debug it"),
            "`report` in `development`, else `kill`"),
    };
    return rows;
}

} // namespace shaddock::config
