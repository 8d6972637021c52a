#include "server_list.hpp"

#include "control/codec.hpp"
#include "control/words.hpp"

#include <algorithm>
#include <string>

namespace shaddock::node {
namespace {

/// As cluster::info_of() of the record that the text was made of.
result<door::server_info> info_from(std::string text) {
    const auto record = control::from_json<control::listed_server>(text, "record");
    if (!record) {
        return record.error();
    }
    door::server_info info;
    info.id = record->id;
    info.type = record->serverType;
    info.host = record->host;
    info.client_host = record->clientHost;
    info.client_port = record->clientPort;
    info.public_port = record->publicPort;
    info.is_frontend = record->frontend;
    if (info.id.empty() || info.type.empty()) {
        return error(errc::bad_request, "a record has no id or no serverType");
    }
    info.record_json = std::move(text);
    return {boost::system::in_place_value, std::move(info)};
}

result<std::vector<door::server_info>> infos_from(std::vector<std::string> records) {
    std::vector<door::server_info> all;
    for (auto& record : records) {
        auto info = info_from(std::move(record));
        if (!info) {
            return info.error();
        }
        all.push_back(std::move(*info));
    }
    return {boost::system::in_place_value, std::move(all)};
}

} // namespace

result<cluster::view> list_from_json(std::string_view text) {
    auto said = control::from_json<control::server_list>(text, "servers");
    if (!said) {
        return said.error();
    }
    if (!said->list) {
        return error(errc::bad_request, R"(expected {"list":["<record as JSON text>",..]})");
    }
    auto list = infos_from(std::move(*said->list));
    auto guests = infos_from(std::move(said->guests));
    if (!list || !guests) {
        return list ? guests.error() : list.error();
    }
    for (const auto& id : said->leaving) {
        const auto at = std::ranges::find(*guests, id, &door::server_info::id);
        if (at != guests->end()) {
            at->is_leaving = true;
            list->push_back(std::move(*at));
            guests->erase(at);
        }
    }
    return cluster::view{said->epoch, std::move(*list), std::move(*guests)};
}

void told_lists::keep(std::uint64_t epoch, std::string_view text) {
    constexpr std::size_t limit = 4;
    if (epoch == 0) {
        return;
    }
    texts_.insert_or_assign(epoch, std::string(text));
    if (texts_.size() > limit) {
        texts_.erase(texts_.begin());
    }
}

std::vector<std::string> told_lists::after(std::uint64_t epoch) const {
    std::vector<std::string> later;
    for (auto at = texts_.upper_bound(epoch); at != texts_.end(); ++at) {
        later.push_back(at->second);
    }
    return later;
}

} // namespace shaddock::node
