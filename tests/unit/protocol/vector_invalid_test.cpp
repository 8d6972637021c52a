#include "vector_cases.hpp"

#include <protocol/message.hpp>
#include <protocol/protobuf.hpp>

#include <gtest/gtest.h>

#include <charconv>

namespace shaddock::protocol {
namespace {

using namespace testing;

/// `end` when nothing is left, otherwise what cut_package says of the rest.
std::string answer_of(std::string_view bytes, std::size_t limit) {
    while (true) {
        const package_cut cut = cut_package(bytes, limit);
        switch (cut.status) {
        case cut_status::ok:
            bytes.remove_prefix(cut.size);
            break;
        case cut_status::need_more:
            return bytes.empty() ? "end" : "need_more";
        case cut_status::bad_type:
            return "bad_type";
        case cut_status::too_long:
            return "too_long";
        }
    }
}

/// `expected`: one answer, or several with `|` between them. Nothing left is need_more as well.
void expect_answer(const std::string& answer, std::string_view expected) {
    bool is_expected = false;
    for (std::string_view rest = expected; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find('|'));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        is_expected = is_expected || one == answer || (one == "need_more" && answer == "end");
    }
    EXPECT_TRUE(is_expected) << "answered " << answer << ", expected " << expected;
}

bool judge_package(const std::string& bytes, const rapidjson::Value& expect) {
    bool has_packages = false;
    bool has_end = false;
    for (const auto& member : expect.GetObject()) {
        const std::string_view name(member.name.GetString(), member.name.GetStringLength());
        constexpr std::string_view with_limit = "withLimit";
        if (name == "packages") {
            EXPECT_EQ(cut_all(bytes, max_package_body_bytes).first.size(), member.value.GetUint());
            has_packages = true;
        } else if (name == "then") {
            expect_answer(answer_of(bytes, max_package_body_bytes), member.value.GetString());
            has_end = true;
        } else if (name.starts_with(with_limit)) {
            std::size_t limit = 0;
            std::from_chars(name.data() + with_limit.size(), name.data() + name.size(), limit);
            expect_answer(answer_of(bytes, limit), member.value.GetString());
            expect_same_at_every_split(bytes, limit);
        } else {
            ADD_FAILURE() << "expect." << name << " is not judged";
        }
    }
    expect_same_at_every_split(bytes, max_package_body_bytes);
    return has_packages && has_end;
}

void judge_message_member(const message& read, std::string_view name,
                          const rapidjson::Value& value) {
    if (name == "type") {
        EXPECT_EQ(static_cast<unsigned>(read.type), value.GetUint());
    } else if (name == "id") {
        EXPECT_EQ(read.id, value.GetUint());
    } else if (name == "route" && value.IsUint()) {
        EXPECT_EQ(read.route_code, value.GetUint());
    } else if (name == "route") {
        EXPECT_EQ(read.route_code, 0U);
        EXPECT_EQ(read.route, value.GetString());
    } else if (name == "routeHex") {
        EXPECT_EQ(to_hex(read.route), value.GetString());
    } else if (name == "bodyHex") {
        EXPECT_EQ(to_hex(read.body), value.GetString());
    } else if (name != "result") {
        ADD_FAILURE() << "expect." << name << " is not judged";
    }
}

bool judge_message(const std::string& bytes, const rapidjson::Value& expect) {
    const std::string result = text_of(expect, "result");
    const auto read = decode_message(bytes);
    if (result == "error") {
        EXPECT_FALSE(read);
        EXPECT_TRUE(read || read.error().code() == errc::bad_request);
        return true;
    }
    EXPECT_TRUE(read);
    if (read) {
        for (const auto& member : expect.GetObject()) {
            judge_message_member(*read, member.name.GetString(), member.value);
        }
    }
    return result == "ok";
}

bool judge_protobuf(const rapidjson::Value& vector, const std::string& bytes,
                    const rapidjson::Value& expect) {
    const std::string result = text_of(expect, "result");
    const auto set = proto_set::parse(to_json(vector["protos"]));
    if (!set) {
        ADD_FAILURE() << set.error().path << ": " << set.error().text;
        return true;
    }
    const proto_message* proto = set->find(text_of(vector, "route"));
    EXPECT_EQ(proto == nullptr, result == "no_proto");
    if (proto == nullptr) {
        return true;
    }
    std::string body = "kept";
    const auto read = protobuf_to_json(body, *proto, bytes);
    if (result == "error") {
        EXPECT_FALSE(read) << "read as " << body;
        EXPECT_TRUE(read || read.error().code() == errc::bad_request);
        EXPECT_EQ(body, "kept");
        return true;
    }
    EXPECT_TRUE(read) << read.error().text();
    if (read) {
        EXPECT_TRUE(body.starts_with("kept{"));
        const std::string json = body.substr(4);
        // Without `value` any object will do.
        const auto* value = find(expect, "value");
        EXPECT_TRUE(is_same_json(json, value == nullptr ? json : to_json(*value)))
            << "read as " << json;
    }
    return result == "ok";
}

bool judge(const rapidjson::Value& vector) {
    const auto* expect = find(vector, "expect");
    if (expect == nullptr || !vector.HasMember("hex")) {
        return false;
    }
    const std::string layer = text_of(vector, "layer");
    const std::string bytes = from_hex(text_of(vector, "hex"));
    if (layer == "package") {
        return judge_package(bytes, *expect);
    }
    if (layer == "message") {
        return judge_message(bytes, *expect);
    }
    return layer == "protobuf" && judge_protobuf(vector, bytes, *expect);
}

TEST(vector, invalid) {
    each_case("invalid.json", judge);
}

} // namespace
} // namespace shaddock::protocol
