#include "message.hpp"

#include <shaddock/json.hpp>

#include <map>

namespace shaddock::cluster {

std::optional<message> read_message(std::string_view line) {
    auto members = json::decode<std::map<std::string, raw_json>>(line);
    if (!members || members->size() != 1) {
        return std::nullopt;
    }
    auto only = members->extract(members->begin());
    return message{std::move(only.key()), std::move(only.mapped().text)};
}

std::string write_message(std::string_view word, std::string_view body) {
    std::string line = "{";
    json::append(line, word);
    return line.append(":").append(body).append("}\n");
}

} // namespace shaddock::cluster
