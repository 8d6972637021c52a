#include "kept.hpp"

#include <shaddock/json.hpp>

#include <algorithm>
#include <set>

namespace shaddock::cluster {

namespace {

constexpr std::string_view claim_prefix = "claim.";
/// What any reader of JSON takes exactly.
constexpr std::uint64_t largest_epoch = std::uint64_t{1} << 53;

/// As the configuration takes it for ids and types. Anything else has no place in a line of a log.
bool is_plain(std::string_view name) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !name.empty() && name.size() <= 64 &&
           name.find_first_not_of(allowed) == std::string_view::npos;
}

} // namespace

kept_server kept(const door::server_info& server) {
    return {server.id,          server.type,        server.host,
            server.client_host, server.client_port, server.public_port,
            server.is_frontend, server.is_leaving,  server.record_json};
}

door::server_info told(const kept_server& server) {
    door::server_info info;
    info.id = server.id;
    info.type = server.type;
    info.host = server.host;
    info.client_host = server.client_host;
    info.client_port = server.client_port;
    info.public_port = server.public_port;
    info.is_frontend = server.is_frontend;
    info.is_leaving = server.is_leaving;
    info.record_json = server.record;
    return info;
}

result<kept_list> read_list(std::string_view text) {
    auto read = json::decode_tolerant<kept_list>(text, list_key);
    if (!read) {
        return read;
    }
    if (read->epoch == 0 || read->epoch > largest_epoch) {
        return error(errc::bad_request, "epoch: expected 1 to 2^53");
    }
    std::set<std::string, std::less<>> ids;
    for (const auto& each : read->servers) {
        if (!is_plain(each.id) || !is_plain(each.type) || !ids.insert(each.id).second) {
            return error(errc::bad_request,
                         "servers: expected an id, each once, and a type for each");
        }
    }
    std::erase_if(read->lost,
                  [&](const auto& id) { return ids.contains(id) || !is_plain(id); });
    std::ranges::sort(read->lost);
    std::ranges::sort(read->servers, {}, &kept_server::id);
    return read;
}

result<kept_claim> read_claim(std::string_view text, std::string_view id) {
    auto read = json::decode_tolerant<kept_claim>(text, claim_key(id));
    if (!read) {
        return read;
    }
    const auto& record = read->record;
    if (read->boot.empty() || !is_plain(read->machine) || record.id != id ||
        !is_plain(record.type)) {
        return error(errc::bad_request,
                     "expected a machine, a boot, and a record with that id and a type");
    }
    return read;
}

kept_claim unreadable_claim(const std::string& id) {
    kept_claim claim;
    claim.record.id = id;
    return claim;
}

std::string text_of(const kept_list& list) {
    return json::encode(list);
}

std::string text_of(const kept_claim& claim) {
    return json::encode(claim);
}

std::string claim_key(std::string_view id) {
    std::string key(claim_prefix);
    key += id;
    std::replace(key.begin() + static_cast<std::ptrdiff_t>(claim_prefix.size()), key.end(), '.',
                 '/');
    return key;
}

std::string id_of_claim(std::string_view key) {
    if (!key.starts_with(claim_prefix)) {
        return {};
    }
    std::string id(key.substr(claim_prefix.size()));
    std::ranges::replace(id, '/', '.');
    return is_plain(id) ? id : std::string();
}

} // namespace shaddock::cluster
