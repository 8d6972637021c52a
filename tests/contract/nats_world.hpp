#pragma once

#include "bus/direct.hpp"
#include "bus_world.hpp"
#include "nats/connection.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace shaddock::contract {

/// What a server of the tests over NATS is made of.
struct nats_place {
    std::string url;
    std::string cluster;
    std::filesystem::path folder;
};
std::unique_ptr<bus::bus> make_nats_bus(boost::asio::any_io_executor executor, base::clock& clock,
                                        base::random& random, nats::connection& over,
                                        const nats_place& place, bus::direct_options options,
                                        std::function<bool(std::string_view)> is_local);
nats::options options_for(const nats_place& place, const std::string& id);

/// All pairs over a real server of NATS, each server with a connection of its own. Victims are
/// processes of their own (nats_victim.cpp).
class nats_world final : public world {
public:
    /// Over a server that all tests of the program share.
    nats_world();
    explicit nats_world(std::string url);
    ~nats_world() override;
    std::unique_ptr<victim> add_victim(std::string id, std::uint64_t life,
                                       std::vector<std::string> peers) override;
    nats_place place;
    /// Who is on the same machine as all others: those pairs use sockets.
    std::set<std::string, std::less<>> local;
    /// The connections of the servers, in order of their making.
    nats::connection& connection(std::size_t index) { return *connections_.at(index); }

protected:
    std::unique_ptr<bus::bus> make(std::string id, incarnation life, limits with) override;

private:
    std::vector<std::unique_ptr<nats::connection>> connections_;
};

} // namespace shaddock::contract
