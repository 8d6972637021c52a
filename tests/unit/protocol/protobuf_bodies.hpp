#pragma once

#include "vector_cases.hpp"
#include "vectors.hpp"

#include <protocol/protobuf.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace shaddock::protocol::testing {

/// Every type and option, nested and repeated messages.
inline const std::string all_types =
    R"({"r":{"optional uInt32 u":1,"optional sInt32 s":2,"optional int32 i":3,"optional float f":4,)"
    R"("optional double d":5,"optional string t":6,"optional N n":7,"repeated uInt32 us":8,"repeated string ts":9,"repeated N ns":10,)"
    R"("repeated double ds":11,"repeated float fs":12,"repeated int32 is":13,"optional L l":14,)"
    R"("optional string \u00e9\"":40,"optional uInt32 far":536870911},)"
    R"("message N":{"required uInt32 x":1,"optional N n":2},)"
    R"("message L":{"optional L l":1,"repeated L ls":2,"repeated uInt32 us":3,"optional uInt32 u":4}})";

inline proto_set parsed(std::string_view file) {
    const auto set = proto_set::parse(file);
    if (!set) {
        throw std::runtime_error(set.error().path + ": " + set.error().text);
    }
    return *set;
}

/// Hex, or what is wrong.
inline std::string encoded(std::string_view json, std::string_view file = all_types) {
    const auto set = parsed(file);
    std::string out = "before";
    const auto done = json_to_protobuf(out, *set.find("r"), json);
    if (!done) {
        EXPECT_EQ(out, "before") << "appended in spite of the error";
        EXPECT_EQ(done.error().code(), errc::bad_request);
        return done.error().text();
    }
    EXPECT_EQ(out.substr(0, 6), "before");
    return to_hex(out.substr(6));
}

/// JSON, or what is wrong.
inline std::string decoded(std::string_view hex, std::string_view file = all_types) {
    const auto set = parsed(file);
    std::string out = "before";
    const auto done = protobuf_to_json(out, *set.find("r"), from_hex(hex));
    if (!done) {
        EXPECT_EQ(out, "before") << "appended in spite of the error";
        EXPECT_EQ(done.error().code(), errc::bad_request);
        return done.error().text();
    }
    EXPECT_EQ(out.substr(0, 6), "before");
    return out.substr(6);
}

/// Of the file's `l` in `l`: `levels` messages, the outermost included.
inline std::string nested_json(int levels) {
    std::string json;
    for (int i = 1; i < levels; ++i) {
        json += R"({"l":)";
    }
    json += R"({"u":1})";
    return json.append(static_cast<std::size_t>(levels) - 1, '}');
}

/// A message with itself in it.
inline const std::string list_file =
    R"({"r":{"optional L l":1,"repeated L ls":2,"repeated uInt32 us":3,"optional uInt32 u":4},)"
    R"("message L":{"optional L l":1,"repeated L ls":2,"repeated uInt32 us":3,"optional uInt32 u":4}})";

} // namespace shaddock::protocol::testing
