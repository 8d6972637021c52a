#include "cluster/registry.hpp"

#include <algorithm>

namespace shaddock::cluster {

const door::server_info* view::find(std::string_view id) const {
    const auto found = std::lower_bound(servers.begin(), servers.end(), id,
                                        [](const door::server_info& server,
                                           std::string_view wanted) { return server.id < wanted; });
    return found != servers.end() && found->id == id ? &*found : nullptr;
}

} // namespace shaddock::cluster
