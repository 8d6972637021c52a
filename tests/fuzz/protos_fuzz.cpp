#include "check.hpp"

#include <protocol/protobuf.hpp>

#include <string>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

/// A proto file, and behind its first zero byte a body of its route `r`.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    const std::size_t zero = in.find('\0');
    const auto set = proto_set::parse(in.substr(0, zero));
    if (!set) {
        check(set.error().text.starts_with("found "), "says what was found");
        check(set.error().text.find("expected ") != std::string::npos, "and what was expected");
        return 0;
    }
    // No key in it is a field or a nested message: each route is an object without fields.
    const auto again = proto_set::parse(set->parsed_json());
    check(again.has_value(), "the parsed form is JSON with an object for each route");
    check(again->is_empty() == set->is_empty(), "as many routes");
    const proto_message* proto = set->find("r");
    if (proto == nullptr || zero == std::string_view::npos) {
        return 0;
    }
    const std::string_view body = in.substr(zero + 1);
    std::string json;
    if (protobuf_to_json(json, *proto, body)) {
        std::string bytes;
        (void)json_to_protobuf(bytes, *proto, json);
    }
    std::string bytes;
    if (json_to_protobuf(bytes, *proto, body)) {
        json.clear();
        check(protobuf_to_json(json, *proto, bytes).has_value(), "what was written can be read");
    }
    return 0;
}
