#include "folder.hpp"

namespace shaddock::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

host_options options_of(std::string_view yaml, std::string env = "development") {
    const auto loaded = system_folder("{}", yaml).load(std::move(env));
    EXPECT_TRUE(loaded) << loaded.error().text();
    return loaded ? loaded->host : host_options{};
}

std::string error_of(std::string_view yaml) {
    return system_folder("{}", yaml).load_error();
}

TEST(host_yaml_log, has_levels_of_areas_and_a_format) {
    const auto log = options_of("log: {level: warn, levels: {net: debug, plugin: off}, "
                                "format: json}\n",
                                "production")
                         .log;
    EXPECT_EQ(log.level, base::log::level::warn);
    EXPECT_EQ(log.levels,
              (std::map<std::string, base::log::level, std::less<>>{
                  {"net", base::log::level::debug}, {"plugin", base::log::level::off}}));
    EXPECT_EQ(log.format, base::log::format::json);
    EXPECT_TRUE(options_of("{}", "production").log.levels.empty());
}

TEST(host_yaml, empty_means_the_documented_defaults) {
    for (const char* yaml :
         {"", "# nothing\n", "connector:\nbus:\nlimits:\nlog:\nweb:\ntypes:\n"}) {
        const host_options host = options_of(yaml);
        EXPECT_EQ(host.connector.heartbeat, 0s);
        EXPECT_EQ(host.connector.heartbeat_deadline(), 0s);
        EXPECT_EQ(host.connector.idle_timeout, 90s);
        EXPECT_EQ(host.connector.handshake_timeout, 10s);
        EXPECT_EQ(host.connector.ack_timeout, 10s);
        EXPECT_EQ(host.connector.package_limit, 65536u);
        EXPECT_EQ(host.connector.pending_limit, 1048576u);
        EXPECT_EQ(host.connector.connections_limit, 10000u);
        EXPECT_EQ(host.connector.unanswered_limit, 524288u);
        EXPECT_EQ(host.connector.input_limit, 67108864u);
        EXPECT_EQ(host.connector.output_limit, 268435456u);
        EXPECT_EQ(host.connector.least_rate, 1024u);
        EXPECT_EQ(host.connector.message_rate, 100u);
        EXPECT_EQ(host.connector.message_burst, 300u);
        EXPECT_EQ(host.connector.byte_rate, 262144u);
        EXPECT_EQ(host.connector.byte_burst, 1048576u);
        EXPECT_EQ(host.connector.drain, 500u);
        EXPECT_TRUE(host.connector.route_cost.empty());
        EXPECT_EQ(host.connector.connections_per_address, 2000u);
        EXPECT_EQ(host.connector.handshake_rate, 2000u);
        EXPECT_TRUE(host.connector.trusted_proxies.empty());
        EXPECT_FALSE(host.connector.proxy_protocol);
        EXPECT_EQ(host.connector.origins, std::vector<std::string>{"*"});
        EXPECT_FALSE(host.connector.dict);
        EXPECT_FALSE(host.connector.proto);
        EXPECT_FALSE(host.connector.crypto);
        EXPECT_FALSE(host.connector.distinct_host);
        EXPECT_TRUE(host.connector.no_delay);
        EXPECT_EQ(host.bus.kind, bus_kind::direct);
        EXPECT_EQ(host.bus.call_timeout, 10s);
        EXPECT_EQ(host.bus.queue_limit, 8388608u);
        EXPECT_EQ(host.bus.heartbeat, 1s);
        EXPECT_EQ(host.bus.silence, 5s);
        EXPECT_EQ(host.limits.stop_timeout, 10s);
        EXPECT_EQ(host.limits.blocking_threads, 2u);
        EXPECT_EQ(host.limits.tick_warning, 50ms);
        EXPECT_EQ(host.limits.overload, 100ms);
        EXPECT_EQ(host.limits.requests_per_session, 1024u);
        EXPECT_EQ(host.limits.serial_per_session, 64u);
        EXPECT_EQ(host.limits.generation_timeout, 10s);
        EXPECT_EQ(host.reload.drain, 2s);
        EXPECT_EQ(host.reload.handover, 5s);
        EXPECT_EQ(host.reload.timeout, 2s);
        EXPECT_EQ(host.log.level, base::log::level::info);
        EXPECT_EQ(host.log.folder, "logs");
        EXPECT_EQ(host.log.file_limit, 10485760u);
        EXPECT_EQ(host.log.files, 5u);
        EXPECT_EQ(host.web.port, 3001);
        EXPECT_EQ(host.web.host, "127.0.0.1");
        EXPECT_EQ(host.web.folder, "");
        EXPECT_EQ(host.metrics.token_file, "");
        EXPECT_EQ(host.metrics.token_group, "");
    }
}

TEST(host_yaml, sets_every_option) {
    const host_options host = options_of(R"(
connector: {heartbeat: 3, timeout: 7 s, dict: true, proto: true, crypto: true, idle_timeout: 2 min, handshake_timeout: 0, ack_timeout: 500 ms,
            package_limit: 1 KiB, pending_limit: 2 MiB, connections_limit: 0, connections_per_address: 5, handshake_rate: 0,
            trusted_proxies: [10.0.0.0/8, '::1'], proxy_protocol: true, origins: ['https://chat.example'], distinctHost: true, nodelay: false,
            tls_certificate: a.pem, tls_key: /b.pem, tls_only: false,
            unanswered_limit: 4 KiB, input_limit: 1 MiB, output_limit: 2 MiB, least_rate: 0,
            message_rate: 0, message_burst: 1, byte_rate: 0, byte_burst: 2 KiB, drain: 0, route_cost: {a.b.c: 7}}
bus: {kind: local, call_timeout: 30 s, queue_limit: 64 KiB, heartbeat: 100 ms, silence: 200 ms}
limits: {stop_timeout: 0, blocking_threads: 4, tick_warning: 20, overload: 0, requests_per_session: 1, serial_per_session: 1000000,
         generation_timeout: 1 min}
reload: {watch: false, drain: 20, timeout: 3}
log: {level: warn, folder: '', file_limit: 4096, files: 1}
web: {port: 8080, host: 0.0.0.0, folder: page}
metrics: {token_file: secrets/metrics, token_group: prometheus}
)");
    EXPECT_EQ(host.connector.heartbeat, 3s);
    EXPECT_EQ(host.connector.timeout, 7s);
    EXPECT_TRUE(host.connector.dict);
    EXPECT_TRUE(host.connector.proto);
    EXPECT_TRUE(host.connector.crypto);
    EXPECT_EQ(host.connector.idle_timeout, 2min);
    EXPECT_EQ(host.connector.handshake_timeout, 0s);
    EXPECT_EQ(host.connector.ack_timeout, 500ms);
    EXPECT_EQ(host.connector.package_limit, 1024u);
    EXPECT_EQ(host.connector.pending_limit, 2097152u);
    EXPECT_EQ(host.connector.connections_limit, 0u);
    EXPECT_EQ(host.connector.unanswered_limit, 4096u);
    EXPECT_EQ(host.connector.input_limit, 1048576u);
    EXPECT_EQ(host.connector.output_limit, 2097152u);
    EXPECT_EQ(host.connector.least_rate, 0u);
    EXPECT_EQ(host.connector.message_rate, 0u);
    EXPECT_EQ(host.connector.message_burst, 1u);
    EXPECT_EQ(host.connector.byte_rate, 0u);
    EXPECT_EQ(host.connector.drain, 0u);
    EXPECT_EQ(host.connector.byte_burst, 2048u);
    EXPECT_EQ(host.connector.route_cost.at("a.b.c"), 7u);
    EXPECT_EQ(host.connector.connections_per_address, 5u);
    EXPECT_EQ(host.connector.handshake_rate, 0u);
    EXPECT_EQ(host.connector.trusted_proxies,
              (std::vector{*base::parse_network("10.0.0.0/8"), *base::parse_network("::1")}));
    EXPECT_TRUE(host.connector.proxy_protocol);
    EXPECT_EQ(host.connector.origins, std::vector<std::string>{"https://chat.example"});
    EXPECT_TRUE(host.connector.distinct_host);
    EXPECT_FALSE(host.connector.no_delay);
    EXPECT_EQ(host.connector.tls_certificate, "a.pem");
    EXPECT_EQ(host.connector.tls_key, "/b.pem");
    EXPECT_FALSE(host.connector.tls_only);
    EXPECT_EQ(host.bus.kind, bus_kind::local);
    EXPECT_EQ(host.bus.call_timeout, 30s);
    EXPECT_EQ(host.bus.queue_limit, 65536u);
    EXPECT_EQ(host.bus.heartbeat, 100ms);
    EXPECT_EQ(host.bus.silence, 200ms);
    EXPECT_EQ(host.limits.stop_timeout, 0s);
    EXPECT_EQ(host.limits.blocking_threads, 4u);
    EXPECT_EQ(host.limits.tick_warning, 20ms);
    EXPECT_EQ(host.limits.overload, 0ms);
    EXPECT_EQ(host.limits.requests_per_session, 1u);
    EXPECT_EQ(host.limits.serial_per_session, 1000000u);
    EXPECT_EQ(host.limits.generation_timeout, 60s);
    EXPECT_FALSE(host.reload.watch);
    EXPECT_EQ(host.reload.drain, 20ms);
    EXPECT_EQ(host.reload.timeout, 3s);
    EXPECT_EQ(host.log.level, base::log::level::warn);
    EXPECT_TRUE(host.log.folder.empty());
    EXPECT_EQ(host.log.file_limit, 4096u);
    EXPECT_EQ(host.log.files, 1u);
    EXPECT_EQ(host.web.port, 8080);
    EXPECT_EQ(host.web.host, "0.0.0.0");
    EXPECT_EQ(host.web.folder, "page");
    EXPECT_EQ(host.metrics.token_file, "secrets/metrics");
    EXPECT_EQ(host.metrics.token_group, "prometheus");
}

TEST(host_yaml, gives_each_type_its_modules) {
    const host_options host =
        options_of("types: {a: , b: {modules: [b.so, more.so]}, c: {modules: c-2.so}, "
                   "d: {modules: /opt/shop/d.so}}");
    EXPECT_THAT(host.types.at("d").modules, ElementsAre("/opt/shop/d.so"));
    EXPECT_THAT(host.types.at("a").modules, ElementsAre("a.so"));
    EXPECT_THAT(host.types.at("b").modules, ElementsAre("b.so", "more.so"));
    EXPECT_THAT(host.types.at("c").modules, ElementsAre("c-2.so"));
    EXPECT_THAT(host.type("unlisted").modules, ElementsAre("unlisted.so"));
}

TEST(host_yaml, overlays_the_connector_of_a_type_wherever_the_default_stands) {
    const host_options host =
        options_of("types: {connector: {connector: {heartbeat: 3 s, idle_timeout: 7 s}}, gate: }\n"
                   "connector: {idle_timeout: 5 s, package_limit: 1 KiB}");
    const connector_options& connector = host.types.at("connector").connector;
    EXPECT_EQ(connector.heartbeat, 3s);
    EXPECT_EQ(connector.idle_timeout, 7s);
    EXPECT_EQ(connector.package_limit, 1024u);
    EXPECT_EQ(host.types.at("gate").connector, host.connector);
    EXPECT_EQ(host.type("unlisted").connector, host.connector);
    EXPECT_EQ(host.connector.heartbeat, 0s);
}

TEST(host_yaml, overlays_the_reload_of_a_type) {
    const host_options host =
        options_of("types: {chat: {reload: {watch: false, drain: 5}}, gate: }\n"
                   "reload: {timeout: 4}");
    EXPECT_EQ(host.types.at("chat").reload, (reload_options{false, 5ms, 5s, 4s}));
    EXPECT_EQ(host.types.at("gate").reload, (reload_options{true, 2s, 5s, 4s}));
    EXPECT_EQ(host.type("unlisted").reload, host.types.at("gate").reload);
}

TEST(host_yaml, watches_modules_in_development_only_unless_told) {
    EXPECT_TRUE(options_of("").reload.watch);
    EXPECT_FALSE(options_of("", "production").reload.watch);
    EXPECT_TRUE(options_of("reload: {watch: true}", "production").reload.watch);
    const folder without;
    without.write("master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3005})");
    without.write("servers.json", "{}");
    for (const auto* const env : {"development", "production"}) {
        const auto loaded = config::load({without.path(), env, std::nullopt});
        ASSERT_TRUE(loaded) << loaded.error().text();
        EXPECT_EQ(loaded->host.type("chat").reload.watch, env == std::string_view("development"));
    }
}

TEST(host_yaml, waits_twice_the_heartbeat_unless_told) {
    EXPECT_EQ(options_of("connector: {heartbeat: 3}").connector.heartbeat_deadline(), 6s);
    EXPECT_EQ(options_of("connector: {heartbeat: 3, timeout: 4}").connector.heartbeat_deadline(),
              4s);
    EXPECT_EQ(options_of("connector: {timeout: 4}").connector.heartbeat_deadline(), 0s);
}

TEST(host_yaml, may_have_sections_for_envs) {
    const std::string_view yaml = "production: {log: {level: error}}\nlog: {level: debug}";
    EXPECT_EQ(options_of(yaml, "production").log.level, base::log::level::error);
    // For another env the section is a key like any other, and unknown.
    EXPECT_EQ(error_of(yaml),
              "host.yaml:1: production: found 'production', expected one of the keys: connector, "
              "reload, types, bus, limits, log, web, metrics, supervision; nearest known key: "
              "'connector'");
}

TEST(host_yaml_errors, unknown_key_names_the_nearest) {
    EXPECT_EQ(error_of("web: {port: 0}\nbus:\n  kind: direct\n  call_timout: 5 s\n"),
              "host.yaml:4: bus.call_timout: found 'call_timout', expected one of the keys: kind, "
              "call_timeout, "
              "queue_limit, heartbeat, silence, nats; nearest known key: 'call_timeout'");
    EXPECT_THAT(error_of("types:\n  chat:\n    conector:\n      heartbeat: 3\n"),
                StartsWith("host.yaml:3: types.chat.conector: found 'conector', expected one of "
                           "the keys: modules, rooms, connector, reload; nearest known key: "
                           "'connector'"));
    EXPECT_THAT(
        error_of("types:\n  chat:\n    connector:\n      hartbeat: 3\n"),
        AllOf(StartsWith("host.yaml:4: types.chat.connector.hartbeat: found 'hartbeat', expected"),
              HasSubstr("; nearest known key: 'heartbeat'")));
    EXPECT_THAT(error_of("log: {file: x}"), HasSubstr("nearest known key: 'files'"));
    EXPECT_THAT(error_of("limits: {tick: x}"),
                StartsWith("host.yaml:1: limits.tick: found 'tick', expected one of"));
    EXPECT_THAT(error_of("web: {prot: 1}"), HasSubstr("nearest known key: 'port'"));
}

TEST(host_yaml_errors, values_out_of_their_range) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"connector: {heartbeat: often}",
         "connector.heartbeat: found 'often', expected whole seconds such as '3 s' (0 = no "
         "heartbeats)"},
        {"connector: {heartbeat: 500 ms}",
         "connector.heartbeat: found '500 ms', expected whole seconds such as '3 s' (0 = no "
         "heartbeats)"},
        {"connector: {heartbeat: 1.5}",
         "connector.heartbeat: found '1.5', expected whole seconds such as '3 s' (0 = no "
         "heartbeats)"},
        {"connector: {dict: on}", "connector.dict: found 'on', expected true or false"},
        {"connector: {proto: 1}", "connector.proto: found '1', expected true or false"},
        {"connector: {crypto: [true]}", "connector.crypto: found a list, expected true or false"},
        {"connector: {timeout: -1}", "connector.timeout: found '-1', expected "
                                     "a time such as '6 s' (0 = twice the heartbeat)"},
        {"connector: {idle_timeout: [1]}",
         "connector.idle_timeout: found a list, expected a time such as '90 s' (0 = never)"},
        {"connector: {handshake_timeout: {}}",
         "connector.handshake_timeout: found a map, expected a time such as '10 s' (0 = no limit)"},
        {"connector: {ack_timeout: }",
         "connector.ack_timeout: found nothing, expected a time such as '10 s' (0 = no limit)"},
        {"connector: {package_limit: 0}", "connector.package_limit: found '0', expected a size "
                                          "such as '64 KiB', from 1 B to 16777215 B"},
        {"connector: {package_limit: 16 MiB}", "connector.package_limit: found '16 MiB', expected "
                                               "a size such as '64 KiB', from 1 B to 16777215 B"},
        {"connector: {pending_limit: 4095}", "connector.pending_limit: found '4095', expected a "
                                             "size such as '1 MiB', from 4 KiB to 1 GiB"},
        {"connector: {connections_limit: 1.5}",
         "connector.connections_limit: found '1.5', expected a number of connections from "
         "1 to 10000000 (0 = no limit)"},
        {"connector: {message_burst: 0}", "connector.message_burst: found '0', expected a number "
                                          "of messages from 1 to 10000000"},
        {"connector: {byte_rate: much}", "connector.byte_rate: found 'much', expected a size such "
                                         "as '256 KiB', from 1 B to 1 GiB (0 = no limit)"},
        {"connector: {route_cost: {a.b.c: 0}}",
         "connector.route_cost.a.b.c: found '0', expected a number of messages from 1 to 1000000"},
        {"connector: {trusted_proxies: 10.0.0.0/8}",
         "connector.trusted_proxies: found '10.0.0.0/8', expected a list of networks such as "
         "[127.0.0.1, 10.0.0.0/8]"},
        {"connector: {trusted_proxies: [10.0.0.0/8, proxy]}",
         "connector.trusted_proxies[1]: found 'proxy', expected an address or a network such as "
         "'10.0.0.0/8'"},
        {"connector: {origins: [chat.example]}",
         "connector.origins[0]: found 'chat.example', expected an origin such as "
         "'https://chat.example', or '*'"},
        {"connector: {origins: ['https://chat.example/page']}",
         "connector.origins[0]: found 'https://chat.example/page', expected an origin such as "
         "'https://chat.example', or '*'"},
        {"connector: {origins: []}", "connector.origins: found an empty list, expected an origin "
                                     "such as 'https://chat.example', or '*'"},
        {"connector: {proxy_protocol: true}",
         "connector.proxy_protocol: found true without trusted_proxies, so that nobody could "
         "connect, expected the proxies' networks in trusted_proxies"},
        {"connector: {distinctHost: yes}",
         "connector.distinctHost: found 'yes', expected true or false"},
        {"connector: {tls_certificate: a.pem}", "connector.tls_certificate: found a "
                                                "tls_certificate without a tls_key, expected both, "
                                                "or none"},
        {"connector: {nodelay: 1}", "connector.nodelay: found '1', expected true or false"},
        {"connector: {heartbeat: 5, timeout: 4}",
         "connector.timeout: found a timeout of 4000 ms with a heartbeat of "
         "5000 ms, expected a "
         "timeout at least as long as the heartbeat"},
        {"bus: {kind: direkt}", "bus.kind: found 'direkt', expected 'direct' (Unix sockets on one "
                                "machine), 'nats' (several machines) or 'local' (one process)"},
        {"bus: {call_timeout: 0}",
         "bus.call_timeout: found '0', expected a time such as '10 s', more than 0"},
        {"bus: {queue_limit: 1 KiB}",
         "bus.queue_limit: found '1 KiB', expected a size such as '8 MiB', from 64 KiB to 1 GiB"},
        {"bus: {heartbeat: 0}",
         "bus.heartbeat: found '0', expected a time such as '1 s', more than 0"},
        {"bus: {silence: 0}", "bus.silence: found '0', expected a time such as '5 s', more than 0"},
        {"bus: {silence: 1}",
         "bus.silence: found a silence of 1000 ms with a heartbeat of 1000 ms, expected a silence "
         "longer than the heartbeat"},
        {"bus: {heartbeat: 6}", "bus.heartbeat: found a silence of 5000 ms with a heartbeat of "
                                "6000 ms, expected a silence "
                                "longer than the heartbeat"},
        {"limits: {stop_timeout: x}",
         "limits.stop_timeout: found 'x', expected a time such as '10 s' (0 = do not wait)"},
        {"limits: {blocking_threads: 0}",
         "limits.blocking_threads: found '0', expected a number of threads from 1 to 64"},
        {"limits: {tick_warning: x}",
         "limits.tick_warning: found 'x', expected a time such as '50 ms' (0 = never)"},
        {"limits: {requests_per_session: 0}",
         "limits.requests_per_session: found '0', expected a number of requests from 1 to "
         "1000000"},
        {"limits: {serial_per_session: 1000001}",
         "limits.serial_per_session: found '1000001', expected a number of requests from 1 to "
         "1000000"},
        {"limits: {generation_timeout: 61 min}",
         "limits.generation_timeout: found '61 min', expected a time such as '10 s', at most "
         "1 h (0 = cancel at once)"},
        {"reload: {watch: yes}", "reload.watch: found 'yes', expected true or false"},
        {"reload: {drain: 11 s}",
         "reload.drain: found '11 s', expected a time such as '500 ms', at "
         "most 10 s (0 = swap at once, without the promise that no data "
         "is lost)"},
        {"reload: {timeout: 0}", "reload.timeout: found '0', expected a time such as '2 s', from "
                                 "100 ms to 60 s"},
        {"types: {a: {reload: {timeout: 61}}}",
         "types.a.reload.timeout: found '61', expected a time such as '2 s', from 100 ms to 60 s"},
        {"log: {level: loud}", "log.level: found 'loud', expected debug, info, warn, error or off"},
        {"log: {levels: {net: loud}}",
         "log.levels.net: found 'loud', expected debug, info, warn, error or off"},
        {"log: {levels: {nte: debug}}",
         "log.levels.nte: found 'nte', expected an area of the log: base, bus, "
         "cluster, config, host, master, module, net, plugin, reload, server, web; nearest known "
         "key: 'net'"},
        {"log: {format: xml}", "log.format: found 'xml', expected 'text' or 'json'"},
        {"log: {folder: [x]}",
         "log.folder: found a list, expected a folder such as 'logs' ('' = no files)"},
        {"log: {file_limit: 1}",
         "log.file_limit: found '1', expected a size such as '10 MiB', from 4 KiB to 16 GiB"},
        {"log: {files: 0}", "log.files: found '0', expected a number of files from 1 to 1000"},
        {"web: {port: 65536}",
         "web.port: found '65536', expected a port from 1 to 65535 (0 = no web server)"},
        {"web: {host: ''}", "web.host: found '', expected an address such as '127.0.0.1'"},
        {"web: {folder: {}}",
         "web.folder: found a map, expected a folder ('' = the page of this host)"},
    };
    for (const auto& [yaml, expected] : cases) {
        EXPECT_EQ(error_of("\n" + yaml), "host.yaml:2: " + expected);
    }
}

TEST(host_yaml_errors, an_override_that_does_not_fit_its_default) {
    EXPECT_EQ(error_of("connector: {timeout: 4 s}\ntypes:\n  gate:\n    connector:\n     "
                       " heartbeat: 5 s\n"),
              "host.yaml:5: types.gate.connector.heartbeat: found a timeout of 4000 ms "
              "with a heartbeat of 5000 "
              "ms, expected a timeout at least as long as the heartbeat");
}

TEST(host_yaml_errors, wrong_modules) {
    const std::string rule =
        ", expected the name of a module in the plugins folder, such as 'chat.so', or an absolute "
        "path";
    EXPECT_EQ(error_of("types:\n  a:\n    modules:\n      - a.so\n      - ../b.so\n"),
              "host.yaml:5: types.a.modules[1]: found '../b.so'" + rule);
    EXPECT_EQ(error_of("types:\n  a:\n    modules: /opt/../b.so\n"),
              "host.yaml:3: types.a.modules: found '/opt/../b.so'" + rule);
    EXPECT_EQ(error_of("types:\n  a:\n    modules: a\n"),
              "host.yaml:3: types.a.modules: found 'a'" + rule);
    EXPECT_EQ(
        error_of("types: {a: {modules: [a.so, a.so]}}"),
        "host.yaml:1: types.a.modules[1]: found 'a.so' a second time, expected each module once");
    EXPECT_EQ(
        error_of("types: {a: {modules: []}}"),
        "host.yaml:1: types.a.modules: found a list, expected a list of modules such as [chat.so]");
    EXPECT_EQ(error_of("types:\n  a:\n    modules:\n"),
              "host.yaml:3: types.a.modules: found nothing, expected a list of modules such as "
              "[chat.so]");
}

TEST(host_yaml_errors, wrong_shape) {
    EXPECT_EQ(error_of("[1]"), "host.yaml:1: found a list, expected a map of options");
    EXPECT_EQ(error_of("bus: direct"),
              "host.yaml:1: bus: found 'direct', expected a map of options");
    EXPECT_EQ(error_of("types:\n  chat: chat.so\n"),
              "host.yaml:2: types.chat: found 'chat.so', expected a map of options");
    EXPECT_EQ(error_of("types:\n  a b: \n"), "host.yaml:2: types.a b: found the type 'a b', "
                                             "expected 1 to 64 letters, digits, '_' or '-'");
    EXPECT_EQ(error_of("{? [1] : 2}"), "host.yaml:1: found a list as a key, expected a name");
}

TEST(host_yaml_errors, a_key_twice) {
    EXPECT_EQ(
        error_of("bus: {}\nweb: {}\nbus: {}\n"),
        "host.yaml:3: bus: found the key a second time (first on line 1), expected each key once");
}

TEST(host_yaml_errors, broken_yaml_names_the_line) {
    EXPECT_THAT(error_of("web:\n  port: [1\nbus: }\n"),
                AllOf(StartsWith("host.yaml:3: found no YAML ("), HasSubstr("expected YAML")));
    // Deep nesting is an error, not the end of the stack.
    EXPECT_THAT(error_of(std::string(100000, '[')), StartsWith("host.yaml"));
    EXPECT_THAT(error_of("a: &x [*x]"), StartsWith("host.yaml"));
}

} // namespace
} // namespace shaddock::config
