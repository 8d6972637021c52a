#include <protocol/kick.hpp>

#include <shaddock/detail/json_text.hpp>

namespace shaddock::protocol {

std::string kick_body(std::string_view reason) {
    std::string json = R"({"reason":)";
    detail::append_string(json, reason);
    json += '}';
    return json;
}

} // namespace shaddock::protocol
