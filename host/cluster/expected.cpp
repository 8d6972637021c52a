#include "expected.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::cluster {

namespace {

/// All but `is_up` and `life`.
bool is_same_record(const door::server_info& one, const door::server_info& other) {
    return one.id == other.id && one.type == other.type && one.host == other.host &&
           one.client_host == other.client_host && one.client_port == other.client_port &&
           one.is_frontend == other.is_frontend && one.is_leaving == other.is_leaving &&
           one.record_json == other.record_json;
}

/// What was known of each before.
void keep_lives(std::vector<door::server_info>& servers, const view& before) {
    for (auto& each : servers) {
        if (const auto* known = before.find(each.id)) {
            each.is_up = known->is_up;
            each.life = known->life;
        }
    }
}

} // namespace

const door::server_info* view::find(std::string_view id) const {
    const auto* found = find_in(servers, id);
    return found != nullptr ? found : find_in(guests, id);
}

door::server_info* find_in(view& list, std::string_view id) {
    auto* found = find_in(list.servers, id);
    return found != nullptr ? found : find_in(list.guests, id);
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

void put_into(std::vector<door::server_info>& servers, door::server_info record) {
    const auto place = std::ranges::lower_bound(servers, record.id, {}, &door::server_info::id);
    if (place == servers.end() || place->id != record.id) {
        servers.insert(place, std::move(record));
    } else {
        *place = std::move(record);
    }
}

view changed_list(const view& before, std::vector<door::server_info> servers) {
    view after{before.epoch, expected_list(std::move(servers)), before.guests};
    keep_lives(after.servers, before);
    std::erase_if(after.guests, [&](const auto& each) { return find_in(after.servers, each.id); });
    for (const auto& each : before.servers) {
        if (find_in(after.servers, each.id) == nullptr) {
            put_into(after.guests, each);
        }
    }
    after.epoch += is_same_list(after.servers, before.servers) ? 0 : 1;
    return after;
}

view with_self(view list, const door::server_info& self) {
    auto* known = find_in(list.servers, self.id);
    if (known == nullptr) {
        put_into(list.guests, self);
        known = find_in(list.guests, self.id);
    }
    known->is_up = true;
    known->life = self.life;
    return list;
}

} // namespace shaddock::cluster
