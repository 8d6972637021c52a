#include "control/requests.hpp"

#include "control/codec.hpp"

#include <fmt/format.h>

#include <set>

namespace shaddock::control {
namespace {

/// `why` is of the reader, or empty.
error expected(std::string_view form, std::string_view why = {}) {
    return {errc::bad_request, fmt::format("expected {}{}{}", form, why.empty() ? "" : ": ", why)};
}

} // namespace

result<std::vector<std::string>> targets_from(std::string_view body) {
    constexpr std::string_view form = R"({"targets":["<type or id>",..]} with at least one)";
    auto read = from_json<target_request>(body);
    if (!read) {
        return expected(form, read.error().text());
    }
    if (read->targets.empty()) {
        return expected(form);
    }
    return {boost::system::in_place_value, std::move(read->targets)};
}

end_request end_of(const std::vector<std::string>& ids) {
    return ids.empty() ? end_request{true, {}} : end_request{{}, ids};
}

result<std::vector<std::string>> ids_from(std::string_view body) {
    constexpr std::string_view form = R"({"ids":["<type or id>",..]} or {"all":true})";
    auto read = from_json<end_request>(body);
    if (!read) {
        return expected(form, read.error().text());
    }
    const bool is_all = read->all.value_or(false);
    if (is_all ? read->ids.has_value() : !read->ids || read->ids->empty()) {
        return expected(form);
    }
    return is_all ? std::vector<std::string>() : std::move(*read->ids);
}

result<drain_request> drain_from(std::string_view body) {
    constexpr std::uint64_t longest = std::chrono::milliseconds(longest_drain).count();
    auto read = from_json<drain_request>(body);
    if (!read || read->ids.empty() || read->within_ms == 0 || read->within_ms > longest) {
        return expected(
            fmt::format(R"({{"ids":["<type or id>",..],"within_ms":N}} with N from 1 to {})",
                        longest),
            read ? "" : read.error().text());
    }
    return read;
}

addition_request addition_of(const addition_keys& keys) {
    addition_request said;
    for (const auto& [key, value] : keys) {
        said[key] = raw_json{to_json(value)};
    }
    return said;
}

result<addition_keys> keys_from(std::string_view body) {
    const auto read = from_json<addition_request>(body);
    if (!read) {
        return expected(R"(an object of texts: {"serverType":"chat","id":"chat-server-9",..})",
                        read.error().text());
    }
    addition_keys keys;
    for (const auto& [key, value] : *read) {
        const auto text = from_json<std::string>(value.text);
        keys.emplace_back(key, text ? *text : value.text);
    }
    return {boost::system::in_place_value, std::move(keys)};
}

result<void> check_keys(const addition_keys& keys) {
    std::set<std::string_view> seen;
    for (const auto& [key, value] : keys) {
        if (!seen.insert(key).second) {
            return error(errc::config,
                         fmt::format("add: {}: found twice, expected each key once", key));
        }
    }
    return {};
}

} // namespace shaddock::control
