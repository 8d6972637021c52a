#include "server/message_shape.hpp"

#include <gmock/gmock.h>

namespace shaddock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using lines = std::vector<std::string>;

lines differences(std::string_view there, std::string_view here) {
    return contract_differences(types_of_contract(there), types_of_contract(here));
}
/// As one argument of a method that gives a number.
lines argument(const std::string& there, const std::string& here) {
    return differences("[" + there + "] -> int32", "[" + here + "] -> int32");
}
/// As the result: written here, read there.
lines reply(const std::string& there, const std::string& here) {
    return differences("[] -> " + there, "[] -> " + here);
}

TEST(contract_differences, are_none_between_equal_types_in_any_order_of_members) {
    EXPECT_THAT(argument("{a: int32, b: string}", "{b: string, a: int32}"), IsEmpty());
    EXPECT_THAT(reply("{a: {*: string[]}[3]}", "{a: {*: string[]}[3]}"), IsEmpty());
    EXPECT_THAT(differences("[] -> {}", "[] -> {}"), IsEmpty());
}

TEST(contract_differences, let_optional_and_defaulted_members_come_and_go_both_ways) {
    for (const auto* member : {"b?: string", "b: string = default"}) {
        const auto with = std::string("{a: int32, ") + member + "}";
        EXPECT_THAT(argument(with, "{a: int32}"), IsEmpty());
        EXPECT_THAT(argument("{a: int32}", with), IsEmpty());
        EXPECT_THAT(reply(with, "{a: int32}"), IsEmpty());
        EXPECT_THAT(reply("{a: int32}", with), IsEmpty());
    }
}

TEST(contract_differences, name_a_required_member_that_one_side_lacks) {
    const lines there{"argument 1: member 'b' is required there, unknown here"};
    EXPECT_EQ(argument("{a: int32, b: string}", "{a: int32}"), there);
    const lines here{"argument 1: member 'b' is required here, unknown there"};
    EXPECT_EQ(argument("{a: int32}", "{a: int32, b: string}"), here);
    EXPECT_THAT(reply("{a: int32, b: string}", "{a: int32}"),
                ElementsAre("result: member 'b' is required there, unknown here"));
    EXPECT_THAT(reply("{}", "{b: string}"),
                ElementsAre("result: member 'b' is required here, unknown there"));
}

TEST(contract_differences, name_both_names_of_a_renamed_member) {
    EXPECT_THAT(argument("{rid: string}", "{room: string}"),
                ElementsAre("argument 1: member 'rid' is required there, unknown here",
                            "argument 1: member 'room' is required here, unknown there"));
}

TEST(contract_differences, let_a_reader_do_without_what_is_always_written) {
    for (const auto* relaxed : {"{a?: int32}", "{a: int32 = default}"}) {
        EXPECT_THAT(argument("{a: int32}", relaxed), IsEmpty());
        EXPECT_THAT(reply(relaxed, "{a: int32}"), IsEmpty());
    }
    EXPECT_THAT(argument("{a: int32 = default}", "{a: int32}"), IsEmpty()) << "it is written";
    EXPECT_THAT(argument("{a?: int32}", "{a: int32 = default}"), IsEmpty());
    EXPECT_THAT(argument("{a?: int32}", "{a: int32}"),
                ElementsAre("argument 1: member 'a' may be absent there, is required here"));
    EXPECT_THAT(reply("{a: int32}", "{a?: int32}"),
                ElementsAre("result: member 'a' is required there, may be absent here"));
    EXPECT_THAT(argument("string", "string?"), IsEmpty());
    EXPECT_THAT(argument("string?", "string"),
                ElementsAre("argument 1 is a text or null there, a text here"));
    EXPECT_THAT(reply("string", "string?"),
                ElementsAre("result is a text there, a text or null here"));
}

TEST(contract_differences, name_a_member_of_another_type) {
    EXPECT_THAT(differences("[string, {rid: int32}] -> {}", "[string, {rid: string}] -> {}"),
                ElementsAre("argument 2: member 'rid' is a number there, a text here"));
    EXPECT_THAT(argument("int32", "int64"), ElementsAre("argument 1 is int32 there, int64 here"));
    EXPECT_THAT(argument("{a?: bool}", "{a?: {x: bool}}"),
                ElementsAre("argument 1: member 'a' is true or false there, an object here"));
}

TEST(contract_differences, look_into_what_is_nested) {
    EXPECT_THAT(argument("{a: {b: {c: int32}[]}}", "{a: {b: {c: string, d?: bool}[]}}"),
                ElementsAre("argument 1: member 'a.b[].c' is a number there, a text here"));
    EXPECT_THAT(argument("{*: {c: int32}}", "{*: {c: bool}}"),
                ElementsAre("argument 1: member '{}.c' is a number there, true or false here"));
    EXPECT_THAT(reply("[string, {a: int32}]", "[string, {a: bool}]"),
                ElementsAre("result: member '[1].a' is a number there, true or false here"));
    EXPECT_THAT(argument("bool[3]", "bool[4]"),
                ElementsAre("argument 1 is a list of 3 there, a list of 4 here"));
    EXPECT_THAT(argument("{*: bool}", "{*int32: bool}"),
                ElementsAre("argument 1 is a map by text there, a map by int32 here"));
    EXPECT_THAT(argument("int32?[]", "bool?[]"),
                ElementsAre("argument 1: member '[]' is a number there, true or false here"));
    EXPECT_THAT(argument("{a: ...[]}", "{a: ...[], b?: bool}"), IsEmpty());
    EXPECT_THAT(argument("{a: {b: ...[]}}", "{a: {b: ...1[]}}"),
                ElementsAre("argument 1: member 'a.b[]' is a type inside itself there, a type "
                            "inside itself 1 further out here"));
}

TEST(contract_differences, take_choices_and_names_as_a_whole) {
    EXPECT_THAT(argument("(string | {a?: bool})", "(string | {a?: bool})"), IsEmpty());
    EXPECT_THAT(argument("(string | {a: bool})", "(string | {a: bool, b?: bool})"),
                ElementsAre("argument 1 is one of other types there, one of other types here"));
    EXPECT_THAT(argument(R"({c?: ("red" | "green")})", R"({c: ("red" | "green")})"),
                ElementsAre("argument 1: member 'c' may be absent there, is required here"));
    EXPECT_THAT(argument(R"(("red"))", R"(("red" | "green"))"),
                ElementsAre("argument 1 is one of red there, one of red, green here"));
}

TEST(contract_differences, let_raw_json_read_anything) {
    EXPECT_THAT(argument("{a: {b: int32}}", "{a: any}"), IsEmpty());
    EXPECT_THAT(argument("any", "string"),
                ElementsAre("argument 1 is any value there, a text here"));
    EXPECT_THAT(reply("any", "string"), IsEmpty());
}

TEST(contract_differences, name_another_number_of_arguments_and_another_result) {
    EXPECT_THAT(differences("[string] -> int32", "[string, bool] -> {count: int32}"),
                ElementsAre("its number of arguments is 1 there, 2 here",
                            "result is a number there, an object here"));
}

TEST(contract_differences, say_which_side_is_not_known) {
    EXPECT_THAT(differences("", "[] -> {}"), ElementsAre("its types there are not known"));
    EXPECT_THAT(differences("[] -> {}", "[]"), ElementsAre("its types here are not known"));
    EXPECT_THAT(differences("{} -> {}", "[] -> {}"), ElementsAre("its types there are not known"));
}

} // namespace
} // namespace shaddock::server
