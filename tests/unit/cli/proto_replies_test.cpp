#include "proto_replies.hpp"

#include <gmock/gmock.h>

namespace shaddock::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Of the one route `a.h.m`.
std::vector<std::string> unfit(std::string_view proto, const std::string& reply) {
    const auto set = protocol::proto_set::parse(proto);
    EXPECT_TRUE(set);
    std::vector<std::string> texts;
    for (const auto& one : unfit_replies(*set, {{"a.h.m", reply}})) {
        EXPECT_EQ(one.route, "a.h.m");
        texts.push_back(one.text);
    }
    return texts;
}

TEST(proto_replies, fit_when_all_required_fields_are_there) {
    constexpr auto proto = R"({"a.h.m": {"required string msg": 1, "optional uInt32 more": 2,
        "repeated double all": 3}, "a.h.other": {"required string gone": 1}})";
    EXPECT_THAT(unfit(proto, "{msg: string, more: int32 = default, all: float64[]}"), IsEmpty());
    EXPECT_THAT(unfit(proto, R"({msg: ("red" | "green"), unknown: bool})"), IsEmpty());
    EXPECT_THAT(unfit(proto, "any"), IsEmpty());
    EXPECT_THAT(unfit(proto, ""), IsEmpty());
    EXPECT_THAT(unfit("{}", "{a: bool}"), IsEmpty());
}

TEST(proto_replies, name_a_required_field_that_no_reply_has) {
    constexpr auto proto = R"({"a.h.m": {"required string msg": 1, "optional string more": 2}})";
    EXPECT_THAT(unfit(proto, "{mesg: string}"),
                ElementsAre("found no member 'msg' in its replies, expected one: the field is "
                            "required"));
    EXPECT_THAT(unfit(proto, "{msg?: string}"),
                ElementsAre(HasSubstr("the member 'msg', which its replies may lack")));
    EXPECT_THAT(unfit(proto, "{msg: string?}"), ElementsAre(HasSubstr("may lack")));
    EXPECT_THAT(unfit(proto, "string"), ElementsAre(HasSubstr("replies that are no objects")));
}

TEST(proto_replies, look_into_messages_and_lists) {
    constexpr auto proto = R"({"message Point": {"required int32 x": 1}, "a.h.m": {
        "message Line": {"required Point from": 1, "repeated Point to": 2},
        "repeated Line lines": 1}})";
    EXPECT_THAT(unfit(proto, "{lines: {from: {x: int32}, to?: {x: int32}[]}[]}"), IsEmpty());
    EXPECT_THAT(unfit(proto, "{lines: {from: {y: int32}, to: {x: string}[]}[]}"),
                ElementsAre(HasSubstr("no member 'lines.from.x'"),
                            "found a member 'lines.to.x' of another kind in its replies, expected "
                            "a number: the field is of type int32"));
    EXPECT_THAT(unfit(proto, "{lines: {*: bool}}"),
                ElementsAre(HasSubstr("expected a list: the field is repeated")));
    EXPECT_THAT(unfit(proto, "{lines: string[]}"),
                ElementsAre(HasSubstr("expected an object: the field is of type Line")));
}

} // namespace
} // namespace shaddock::cli
