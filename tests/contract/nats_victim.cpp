// A server of the contract suites over NATS, in a process of its own, until it is killed.
// Usage: nats_victim URL CLUSTER FOLDER ID LIFE [PEER..]
#include "nats_world.hpp"

#include <cstdlib>

int main(int count, char** words) {
    using namespace shaddock;
    if (count < 6) {
        return 2;
    }
    const contract::nats_place place{words[1], words[2], words[3]};
    boost::asio::io_context io;
    base::steady_clock clock(io.get_executor());
    base::random random(2);
    bus::direct_options options;
    options.id = words[4];
    options.life = static_cast<incarnation>(std::strtoull(words[5], nullptr, 10));
    nats::connection over(io.get_executor(), clock, contract::options_for(place, options.id));
    if (!over.start()) {
        return 1;
    }
    contract::server self(contract::make_nats_bus(io.get_executor(), clock, random, over, place,
                                                  std::move(options),
                                                  [](std::string_view) { return false; }));
    if (!self.start({words + 6, words + count})) {
        return 1;
    }
    io.run();
    return 1;
}
