#include "expected.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::cluster {

namespace {

auto place_of(std::vector<door::server_info>& servers, std::string_view id) {
    return std::lower_bound(servers.begin(), servers.end(), id,
                            [](const door::server_info& server, std::string_view wanted) {
                                return server.id < wanted;
                            });
}

} // namespace

bool is_same_record(const door::server_info& one, const door::server_info& other) {
    return one.id == other.id && one.type == other.type && one.host == other.host &&
           one.client_host == other.client_host && one.client_port == other.client_port &&
           one.is_frontend == other.is_frontend && one.record_json == other.record_json;
}

std::vector<door::server_info> expected_list(std::vector<door::server_info> servers) {
    std::vector<door::server_info> sorted;
    sorted.reserve(servers.size());
    for (auto& server : servers) {
        server.is_up = false;
        server.life = {};
        put_into(sorted, std::move(server));
    }
    return sorted;
}

door::server_info* find_in(std::vector<door::server_info>& servers, std::string_view id) {
    const auto place = place_of(servers, id);
    return place != servers.end() && place->id == id ? &*place : nullptr;
}

bool put_into(std::vector<door::server_info>& servers, door::server_info record) {
    const auto place = place_of(servers, record.id);
    if (place == servers.end() || place->id != record.id) {
        servers.insert(place, std::move(record));
        return true;
    }
    const bool is_same = is_same_record(*place, record);
    *place = std::move(record);
    return !is_same;
}

} // namespace shaddock::cluster
