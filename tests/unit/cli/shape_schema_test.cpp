#include "shape_schema.hpp"

#include <gtest/gtest.h>

namespace shaddock::cli {
namespace {

TEST(shape_schema, of_words_and_numbers) {
    EXPECT_EQ(schema_of("string"), R"({"type":"string"})");
    EXPECT_EQ(schema_of("bool"), R"({"type":"boolean"})");
    EXPECT_EQ(schema_of("null"), R"({"type":"null"})");
    EXPECT_EQ(schema_of("int32"), R"({"type":"integer","format":"int32"})");
    EXPECT_EQ(schema_of("uint8"), R"({"type":"integer","format":"uint8","minimum":0})");
    EXPECT_EQ(schema_of("float64"), R"({"type":"number","format":"float64"})");
    EXPECT_EQ(schema_of("any"), "{}");
}

TEST(shape_schema, of_objects_names_what_must_be_there) {
    EXPECT_EQ(schema_of("{}"), R"({"type":"object","properties":{},"required":[]})");
    EXPECT_EQ(schema_of("{a: string, b?: {c: bool}, d: any}"),
              R"({"type":"object","properties":{"a":{"type":"string"},)"
              R"("b":{"type":"object","properties":{"c":{"type":"boolean"}},"required":["c"]},)"
              R"("d":{}},"required":["a","d"]})");
    EXPECT_EQ(schema_of("{*: string[]}"),
              R"({"type":"object","additionalProperties":{"type":"array",)"
              R"("items":{"type":"string"}}})");
}

TEST(shape_schema, of_members_with_a_default_and_maps_by_number) {
    EXPECT_EQ(schema_of("{a: bool = default}"),
              R"({"type":"object","properties":{"a":{"type":"boolean"}},"required":[]})");
    EXPECT_EQ(schema_of("{*int32: bool}"),
              R"({"type":"object","propertyNames":{"pattern":"^-?[0-9]+$"},)"
              R"("additionalProperties":{"type":"boolean"}})");
}

TEST(shape_schema, of_lists) {
    EXPECT_EQ(schema_of("bool[12][]"),
              R"({"type":"array","items":{"type":"array","items":{"type":"boolean"},)"
              R"("minItems":12,"maxItems":12}})");
    EXPECT_EQ(schema_of("[string, bool?]"),
              R"({"type":"array","prefixItems":[{"type":"string"},)"
              R"({"anyOf":[{"type":"boolean"},{"type":"null"}]}],"minItems":2,"maxItems":2})");
    EXPECT_EQ(schema_of("[]"), R"({"type":"array","maxItems":0})");
    EXPECT_EQ(schema_of("...[]"), R"({"type":"array","items":{}})");
}

TEST(shape_schema, of_choices) {
    EXPECT_EQ(schema_of("(string | bool)"), R"({"anyOf":[{"type":"string"},{"type":"boolean"}]})");
    EXPECT_EQ(schema_of(R"(("red" | "green")[])"),
              R"({"type":"array","items":{"type":"string","enum":["red","green"]}})");
}

TEST(shape_schema, of_what_is_not_in_the_form_allows_anything) {
    for (const auto* shape : {"",
                              " ",
                              "strin",
                              "int7",
                              "{",
                              "{a}",
                              "{a: }",
                              "{a: string",
                              "{a: string,b: bool}",
                              "{: bool}",
                              "{a\": bool}",
                              "[string",
                              "[string bool]",
                              "string]",
                              "string[x]",
                              "string[",
                              "(string",
                              "(string|bool)",
                              "(\"red\"",
                              "(\"a\\\"\")",
                              "{*: bool",
                              "{*text: bool}",
                              "{*bool}",
                              "string string"}) {
        EXPECT_EQ(schema_of(shape), "{}") << shape;
    }
    EXPECT_EQ(schema_of(std::string(10'000, '[')), "{}") << "not so deep";
}

} // namespace
} // namespace shaddock::cli
