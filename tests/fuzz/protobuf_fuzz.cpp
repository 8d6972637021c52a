#include "check.hpp"

#include <protocol/protobuf.hpp>

#include <array>
#include <string>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

namespace {

constexpr std::array<std::string_view, 4> files = {
    R"({"r":{"required string msg":1,"required string from":2,"required string target":3}})",
    R"({"r":{"optional uInt32 a":1,"optional sInt32 b":2,"optional float c":3,"optional double d":4,
        "optional string e":5,"repeated uInt32 f":6,"repeated int32 g":7,"repeated float h":8,
        "repeated double i":9,"repeated string j":10,"repeated r m":11,"optional r n":16,
        "message r":{"required uInt32 x":1,"optional string y":2}}})",
    R"({"r":{"optional L l":1,"repeated L ls":2},
        "message L":{"optional L l":1,"repeated L ls":2,"repeated sInt32 v":3,"optional string t":4}})",
    R"({"r":{"required uInt32 a\"\u00e9\ud83d\ude00":1,"repeated string bb":2047,"optional int32 c":536870911}})",
};

const proto_message& message_of(unsigned char choice) {
    static const auto sets = [] {
        std::array<proto_set, files.size()> made;
        for (std::size_t i = 0; i < files.size(); ++i) {
            const auto set = proto_set::parse(files[i]);
            check(set.has_value(), "the proto file is good");
            made[i] = *set;
        }
        return made;
    }();
    return *sets[choice % files.size()].find("r");
}

bool names(const shaddock::error& failed, std::string_view text) {
    return failed.text().find(text) != std::string::npos;
}

/// "" when refused.
std::string decode(const proto_message& proto, std::string_view bytes) {
    std::string json;
    const auto done = protobuf_to_json(json, proto, bytes);
    check(done.has_value() != json.empty(), "appended when it succeeds, only then");
    check(done || done.error().code() == shaddock::errc::bad_request, "refused as bad_request");
    return json;
}

std::string encode(const proto_message& proto, std::string_view json, shaddock::error& why) {
    std::string bytes;
    const auto done = json_to_protobuf(bytes, proto, json);
    check(done.has_value() != bytes.empty(), "appended when it succeeds, only then");
    if (!done) {
        check(done.error().code() == shaddock::errc::bad_request, "refused as bad_request");
        why = done.error();
    }
    return bytes;
}

/// What was decoded can be written and read again: the same but for empty arrays, which are not
/// written.
void check_there_and_back(const proto_message& proto, const std::string& json) {
    shaddock::error why;
    const std::string bytes = encode(proto, json, why);
    if (bytes.empty()) {
        check(names(why, "the required field is missing") || names(why, "nothing to write") ||
                  names(why, "found null"),
              "refused only for what decoding lets pass: absent fields, nothing, NaN");
        return;
    }
    const std::string again = decode(proto, bytes);
    check(!again.empty(), "what was written can be read");
    check(again == json || json.find("[]") != std::string::npos, "the same again");
    check(encode(proto, again, why) == bytes, "written the same again");
}

} // namespace

/// The first byte chooses the proto file and what the others are.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const proto_message& proto = message_of(data[0] & 0x7fU);
    const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::string bytes(in);
    if ((data[0] & 0x80U) != 0) {
        shaddock::error why;
        bytes = encode(proto, in, why);
        check(bytes.empty() || !decode(proto, bytes).empty(), "what was written can be read");
    }
    const std::string json = decode(proto, bytes);
    if (!json.empty()) {
        check_there_and_back(proto, json);
    }
    return 0;
}
