#include "expected.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::cluster {

namespace {

/// All but `is_up` and `life`.
bool is_same_record(const door::server_info& one, const door::server_info& other) {
    return one.id == other.id && one.type == other.type && one.host == other.host &&
           one.client_host == other.client_host && one.client_port == other.client_port &&
           one.is_frontend == other.is_frontend && one.record_json == other.record_json;
}

} // namespace

const door::server_info* view::find(std::string_view id) const {
    return find_in(servers, id);
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

bool is_same_list(const std::vector<door::server_info>& one,
                  const std::vector<door::server_info>& other) {
    return std::ranges::equal(one, other, is_same_record);
}

bool put_into(std::vector<door::server_info>& servers, door::server_info record) {
    const auto place = std::ranges::lower_bound(servers, record.id, {}, &door::server_info::id);
    if (place == servers.end() || place->id != record.id) {
        servers.insert(place, std::move(record));
        return true;
    }
    const bool is_same = is_same_record(*place, record);
    *place = std::move(record);
    return !is_same;
}

} // namespace shaddock::cluster
