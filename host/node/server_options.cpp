#include "node/server_options.hpp"

#include "config/load.hpp"
#include "node/deny_list.hpp"
#include "node/tls_files.hpp"
#include "node/wire_files.hpp"

namespace shaddock::node {
namespace {

net::listener_options listener_of(const config::server_record& record,
                                  const config::connector_options& wanted) {
    net::listener_options listener;
    listener.host = wanted.distinct_host ? record.host : std::string();
    listener.port = record.client_port;
    listener.heartbeat = wanted.heartbeat;
    listener.heartbeat_timeout = wanted.heartbeat_deadline();
    listener.idle_timeout = wanted.idle_timeout;
    listener.handshake_timeout = wanted.handshake_timeout;
    listener.ack_timeout = wanted.ack_timeout;
    listener.package_limit = wanted.package_limit;
    listener.pending_limit = wanted.pending_limit;
    listener.connections_limit = record.max_connections.value_or(wanted.connections_limit);
    listener.connections_per_address = wanted.connections_per_address;
    listener.handshake_rate = wanted.handshake_rate;
    listener.trusted_proxies = base::network_set(wanted.trusted_proxies);
    listener.proxy_protocol = wanted.proxy_protocol;
    listener.origins = wanted.origins;
    listener.no_delay = wanted.no_delay;
    listener.plain = wanted.tls_only ? net::plain_clients::refused : net::plain_clients::served;
    listener.unanswered_limit = wanted.unanswered_limit;
    listener.input_limit = wanted.input_limit;
    listener.output_limit = wanted.output_limit;
    listener.least_rate = wanted.least_rate;
    listener.rates = {wanted.message_rate, wanted.message_burst, wanted.byte_rate,
                      wanted.byte_burst};
    return listener;
}

} // namespace

door::server_info own_info(const config::server_record& record, const base::clock& clock) {
    auto self = cluster::info_of(record);
    self.is_up = true;
    self.life = incarnation{clock.wall_ns()};
    return self;
}

result<void> check_bus_kind(config::bus_kind wanted) {
    if (wanted != config::bus_kind::local) {
        return {};
    }
    return error(errc::config,
                 "host.yaml: bus.kind: found local, which is for tests that run all servers in one "
                 "process; expected direct or nats");
}

bus::direct_options bus_of(const setting& found, const door::server_info& self) {
    const auto& wanted = found.system.host.bus;
    bus::direct_options options;
    options.run_folder = found.run;
    options.id = self.id;
    options.life = self.life;
    options.queue_limit = wanted.queue_limit;
    options.heartbeat = wanted.heartbeat;
    options.silence = wanted.silence;
    options.declares_dead = found.system.host.supervision.stalled == config::stalled_process::kill;
    return options;
}

result<wire_files> read_wire_files(const setting& found, const config::server_record& record) {
    wire_files files;
    const auto wanted = found.system.host.type(record.type).connector;
    if (record.frontend && wanted.dict) {
        auto made = make_dictionary(found, record.id);
        if (!made) {
            return made.error();
        }
        files.dictionary = std::move(*made);
    }
    if (record.frontend && wanted.proto) {
        auto read = read_protos(found.system.folder, found.system.env);
        if (!read) {
            return read.error();
        }
        files.protos = std::move(*read);
    }
    if (record.frontend) {
        auto read = read_identity(found.system.folder, wanted);
        if (!read) {
            return read.error();
        }
        files.identity = std::move(*read);
    }
    return files;
}

std::size_t descriptor_reserve(const config::system& system) {
    return 32 + 2 * system.servers.size();
}

server::server_options options_of(const setting& found, const config::server_record& record,
                                  const door::server_info& self, const wire_files& agreed,
                                  boost::asio::any_io_executor blocking) {
    const auto& host = found.system.host;
    server::server_options options;
    options.self = self;
    if (record.frontend) {
        const auto connector = host.type(record.type).connector;
        options.listener = listener_of(record, connector);
        options.listener->descriptor_reserve = descriptor_reserve(found.system);
        options.listener->tls = agreed.identity;
        options.listener->denied = read_deny_list(found.system.folder, found.system.env).networks();
        options.dictionary = agreed.dictionary;
        options.protos = agreed.protos;
        options.crypto = connector.crypto;
        options.drain_rate = connector.drain;
        options.route_cost = {connector.route_cost.begin(), connector.route_cost.end()};
    }
    options.call_timeout = host.bus.call_timeout;
    options.overload = host.limits.overload;
    options.requests_limit = host.limits.requests_per_session;
    options.serial_limit = host.limits.serial_per_session;
    options.drain_timeout = host.limits.stop_timeout / 2;
    options.generation_timeout = host.limits.generation_timeout;
    options.read_config = [folder = found.system.folder, env = found.system.env](
                              std::string_view name) -> result<door::config_text> {
        auto read = config::read_for_env(folder, env, name);
        if (!read) {
            return read.error();
        }
        return door::config_text{read->path.string(), std::move(read->text),
                                 static_cast<std::uint32_t>(read->line_offset)};
    };
    options.blocking_pool = std::move(blocking);
    return options;
}

} // namespace shaddock::node
