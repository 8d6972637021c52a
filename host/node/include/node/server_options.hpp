#pragma once

#include "base/clock.hpp"
#include "bus/direct.hpp"
#include "cluster/records.hpp"
#include "node/setting.hpp"
#include "server/server.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

/// From what the config folder says to what the rooms are told.
namespace shaddock::node {

/// The record of the server that this process is, as others see it: up, with a new life.
door::server_info own_info(const config::server_record& record, const base::clock& clock);

/// Whether `host` runs servers on this bus. Errors: config: only tests do.
result<void> check_bus_kind(config::bus_kind wanted);
bus::direct_options bus_of(const setting& found, const door::server_info& self);

/// What a frontend and its clients agree on; null is off. Read with read_wire_files.
struct wire_files {
    std::shared_ptr<const protocol::route_dictionary> dictionary;
    std::shared_ptr<const protocol::protos> protos;
    std::shared_ptr<net::tls_identity> identity;
};
/// What the connector options of the record's type ask for; nothing for a backend. Errors: config.
result<wire_files> read_wire_files(const setting& found, const config::server_record& record);

/// What a server keeps of its descriptors for links (two to each server: one may be made while the
/// old one ends), logs and modules.
std::size_t descriptor_reserve(const config::system& system);

/// Half of the time to stop in is for requests in flight, so that the rest of the stop has some
/// too.
server::server_options options_of(const setting& found, const config::server_record& record,
                                  const door::server_info& self, const wire_files& agreed,
                                  boost::asio::any_io_executor blocking);

} // namespace shaddock::node
