#include "vectors.hpp"

#include <protocol/protobuf.hpp>
#include <protocol/protos.hpp>

#include <shaddock/detail/json_text.hpp>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>

namespace shaddock::protocol {

namespace {

using rapidjson::Value;
using testing::from_hex;
using testing::read_vectors;
using testing::text_of;

bool is_undefined(const Value& value) {
    return value.IsObject() && value.HasMember("$undefined");
}

/// `NaN`, `Infinity`, `-Infinity`, `-0`, or "" for anything else.
std::string special_number(const Value& value) {
    return value.IsObject() ? text_of(value, "$num") : std::string();
}

template <class Predicate>
bool any_value(const Value& value, const Predicate& predicate) {
    if (predicate(value)) {
        return true;
    }
    bool found = false;
    if (value.IsObject()) {
        for (const auto& member : value.GetObject()) {
            found = found || any_value(member.value, predicate);
        }
    } else if (value.IsArray()) {
        for (const auto& element : value.GetArray()) {
            found = found || any_value(element, predicate);
        }
    }
    return found;
}

void append_json(std::string& out, const Value& value);

void append_members(std::string& out, const Value& object) {
    out += '{';
    for (const auto& member : object.GetObject()) {
        if (is_undefined(member.value)) {
            continue;
        }
        if (out.back() != '{') {
            out += ',';
        }
        detail::append_string(out, {member.name.GetString(), member.name.GetStringLength()});
        out += ':';
        append_json(out, member.value);
    }
    out += '}';
}

void append_elements(std::string& out, const Value& array) {
    out += '[';
    for (const auto& element : array.GetArray()) {
        if (out.back() != '[') {
            out += ',';
        }
        append_json(out, element);
    }
    out += ']';
}

/// As JSON.stringify has it (undefined members left out, NaN null), but for what JSON text can say:
/// -0 and, as 1e999, infinities.
void append_json(std::string& out, const Value& value) {
    const std::string special = special_number(value);
    if (!special.empty()) {
        out += special == "-0"          ? "-0"
               : special == "Infinity"  ? "1e999"
               : special == "-Infinity" ? "-1e999"
                                        : "null";
    } else if (is_undefined(value) || value.IsNull()) {
        out += "null";
    } else if (value.IsObject()) {
        append_members(out, value);
    } else if (value.IsArray()) {
        append_elements(out, value);
    } else if (value.IsString()) {
        detail::append_string(out, {value.GetString(), value.GetStringLength()});
    } else if (value.IsNumber()) {
        detail::append_number(out, value.GetDouble());
    } else {
        out += value.IsTrue() ? "true" : "false";
    }
}

std::string json_of(const Value& value) {
    std::string out;
    append_json(out, value);
    return out;
}

std::string plain_json_of(const Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return {buffer.GetString(), buffer.GetSize()};
}

bool has_same_members(const Value& expected, const Value& got);

/// Whether `got`, read from JSON text, is what JSON.stringify leaves of `expected`.
bool is_same(const Value& expected, const Value& got) {
    const std::string special = special_number(expected);
    if (!special.empty()) {
        return special == "-0" ? got.IsNumber() && got.GetDouble() == 0 : got.IsNull();
    }
    if (expected.IsObject()) {
        return got.IsObject() && has_same_members(expected, got);
    }
    if (expected.IsArray()) {
        return got.IsArray() && got.Size() == expected.Size() &&
               std::equal(got.Begin(), got.End(), expected.Begin(),
                          [](const Value& g, const Value& e) { return is_same(e, g); });
    }
    return expected == got;
}

bool has_same_members(const Value& expected, const Value& got) {
    std::size_t count = 0;
    for (const auto& member : expected.GetObject()) {
        if (is_undefined(member.value)) {
            continue;
        }
        ++count;
        const auto found = got.FindMember(member.name);
        if (found == got.MemberEnd() || !is_same(member.value, found->value)) {
            return false;
        }
    }
    return count == got.MemberCount();
}

/// Whether a field has a type that the original writes a bare tag for.
bool has_unknown_type(const Value& protos, const Value& top) {
    for (const auto& member : protos.GetObject()) {
        const std::string key = member.name.GetString();
        if (member.value.IsObject()) {
            if (has_unknown_type(member.value, top)) {
                return true;
            }
            continue;
        }
        const std::size_t from = key.find(' ') + 1;
        const std::string type = key.substr(from, key.rfind(' ') - from);
        const std::set<std::string> simple = {"uInt32", "sInt32", "int32",
                                              "float",  "double", "string"};
        const std::string message = "message " + type;
        if (!simple.contains(type) && !protos.HasMember(message.c_str()) &&
            !top.HasMember(message.c_str())) {
            return true;
        }
    }
    return false;
}

/// What was compared, and in which way.
struct counts {
    int cases = 0;
    int encoded = 0;
    int encode_refused = 0;
    int not_encodable = 0;
    int decoded = 0;
    int decode_refused = 0;
    int there_and_back = 0;
    int browser = 0;
    int browser_cut = 0;
    int protos_refused = 0;
};

void expect_encoded(const proto_message* proto, const Value& entry, counts& counted) {
    const Value& msg = entry["msg"];
    const bool is_refused = !entry["hex"].IsString();
    std::string bytes;
    const bool is_encoded =
        proto != nullptr && json_to_protobuf(bytes, *proto, json_of(msg)).has_value();
    const auto is_nan = [](const Value& value) { return special_number(value) == "NaN"; };
    // What a body of JSON cannot say: the original saw another message than we do.
    const bool is_other = any_value(msg, is_undefined) || (any_value(msg, is_nan) && !is_refused);
    const std::string hex = text_of(entry, "hex");
    const bool is_short = hex.ends_with("...");
    const std::string wanted = from_hex(is_short ? hex.substr(0, hex.size() - 3) : hex);
    const bool is_right = is_encoded != is_refused &&
                          (is_refused || (is_short ? bytes.starts_with(wanted) : bytes == wanted));
    if (is_other && !is_right) {
        ++counted.not_encodable;
        return;
    }
    EXPECT_TRUE(is_right) << "encoded: " << is_encoded << ", " << bytes.size() << " bytes";
    ++(is_refused ? counted.encode_refused : counted.encoded);
}

/// False: refused.
bool decode(const proto_message& proto, const std::string& bytes, std::string& json) {
    return protobuf_to_json(json, proto, bytes).has_value();
}

void expect_same(const Value& expected, const std::string& json) {
    rapidjson::Document got;
    got.Parse<rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
    ASSERT_FALSE(got.HasParseError()) << json;
    EXPECT_TRUE(is_same(expected, got)) << json << "\n" << plain_json_of(expected);
}

void expect_decoded(const proto_message& proto, const Value& entry, counts& counted) {
    const std::string hex = text_of(entry, "hex");
    if (hex.empty() || hex.ends_with("...")) {
        return;
    }
    const std::string bytes = from_hex(hex);
    std::string json;
    const bool is_decoded = decode(proto, bytes, json);
    if (!entry.HasMember("decoded")) {
        EXPECT_FALSE(is_decoded) << text_of(entry, "decodeError");
        ++counted.decode_refused;
        return;
    }
    ASSERT_TRUE(is_decoded);
    expect_same(entry["decoded"], json);
    ++counted.decoded;
    const auto is_special = [](const Value& value) { return !special_number(value).empty(); };
    if (entry["roundtrip"].IsTrue() && !any_value(entry["decoded"], is_special)) {
        std::string again;
        EXPECT_TRUE(json_to_protobuf(again, proto, json));
        EXPECT_EQ(again, bytes);
        ++counted.there_and_back;
    }
}

/// What the browser client sends: the same, integers labelled otherwise; but its buffer is too
/// short for some numbers, and what is cut off stays refused.
void expect_browser_accepted(const proto_message& proto, const Value& entry, counts& counted) {
    const std::string hex = text_of(entry, "browserHex");
    if (hex.empty() || hex.ends_with("...")) {
        return;
    }
    std::string json;
    const bool is_decoded = decode(proto, from_hex(hex), json);
    if (hex.size() < text_of(entry, "hex").size()) {
        EXPECT_FALSE(is_decoded);
        ++counted.browser_cut;
        return;
    }
    ASSERT_TRUE(is_decoded);
    expect_same(entry["decoded"], json);
    ++counted.browser;
}

void expect_entry(const Value& entry, counts& counted) {
    const Value& protos = entry["protos"];
    const auto set = proto_set::parse(plain_json_of(protos));
    if (has_unknown_type(protos, protos)) {
        EXPECT_FALSE(set.has_value());
        ++counted.protos_refused;
        return;
    }
    ASSERT_TRUE(set.has_value()) << set.error().path << ": " << set.error().text;
    const proto_message* proto = set->find(text_of(entry, "route"));
    expect_encoded(proto, entry, counted);
    if (proto != nullptr) {
        expect_decoded(*proto, entry, counted);
        expect_browser_accepted(*proto, entry, counted);
    }
}

TEST(vector, protobuf) {
    counts counted;
    const auto entries = read_vectors("protobuf.json");
    for (const auto& entry : entries.GetArray()) {
        SCOPED_TRACE(text_of(entry, "name"));
        ++counted.cases;
        expect_entry(entry, counted);
    }
    EXPECT_GT(counted.cases, 0);
    EXPECT_EQ(counted.encoded + counted.encode_refused + counted.not_encodable +
                  counted.protos_refused,
              counted.cases);
    std::printf("%d cases\n", counted.cases);
    std::printf(
        "encoded: %d the same bytes, %d refused as by the original, %d that JSON cannot say\n",
        counted.encoded, counted.encode_refused, counted.not_encodable);
    std::printf("decoded: %d, refused %d, written again %d; proto files refused %d\n",
                counted.decoded, counted.decode_refused, counted.there_and_back,
                counted.protos_refused);
    std::printf("from the browser client: %d, cut off by it and refused %d\n", counted.browser,
                counted.browser_cut);
}

} // namespace

} // namespace shaddock::protocol
