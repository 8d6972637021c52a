#include "control/words.hpp"

namespace shaddock::control {

server_list list_of(const config::system& system) {
    server_list said;
    said.epoch = system.epoch;
    auto& list = said.list.emplace();
    for (const auto& server : system.servers) {
        (server.stopped || server.leaving ? said.guests : list).push_back(server.json);
        if (server.leaving) {
            said.leaving.push_back(server.id);
        }
    }
    return said;
}

} // namespace shaddock::control
