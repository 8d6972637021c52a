#include <shaddock/detail/shape.hpp>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace shape_test {
namespace {

using shaddock::detail::shape_of;

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

/// Not described: travels as its number.
enum class plain : std::uint16_t {};

struct point {
    int x = 0;
    int y = 0;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

struct base_message {
    std::string id;
};
BOOST_DESCRIBE_STRUCT(base_message, (), (id))

struct message : base_message {
    std::optional<int> code;
    std::optional<std::vector<std::optional<std::string>>> names;
    std::vector<point> points;
    std::map<std::string, bool> flags;
    shaddock::raw_json other;
};
BOOST_DESCRIBE_STRUCT(message, (base_message), (code, names, points, flags, other))

struct tree {
    std::string name;
    std::vector<tree> children;
};
BOOST_DESCRIBE_STRUCT(tree, (), (name, children))

struct grove;
struct forest {
    std::vector<grove> trees;
};
struct grove {
    std::vector<forest> wood;
    std::vector<grove> next;
};
BOOST_DESCRIBE_STRUCT(forest, (), (trees))
BOOST_DESCRIBE_STRUCT(grove, (), (wood, next))

TEST(shape, of_words_and_numbers) {
    EXPECT_EQ(shape_of<bool>(), "bool");
    EXPECT_EQ(shape_of<std::string>(), "string");
    EXPECT_EQ(shape_of<std::int8_t>(), "int8");
    EXPECT_EQ(shape_of<int>(), "int32");
    EXPECT_EQ(shape_of<std::uint64_t>(), "uint64");
    EXPECT_EQ(shape_of<float>(), "float32");
    EXPECT_EQ(shape_of<double>(), "float64");
    EXPECT_EQ(shape_of<void>(), "null");
    EXPECT_EQ(shape_of<std::monostate>(), "null");
    EXPECT_EQ(shape_of<shaddock::raw_json>(), "any");
    EXPECT_EQ(shape_of<plain>(), "uint16");
}

TEST(shape, of_lists_and_choices) {
    EXPECT_EQ(shape_of<std::vector<int>>(), "int32[]");
    EXPECT_EQ((shape_of<std::array<std::array<bool, 12>, 3>>()), "bool[12][3]");
    EXPECT_EQ((shape_of<std::tuple<std::string, bool>>()), "[string, bool]");
    EXPECT_EQ(shape_of<std::tuple<>>(), "[]");
    EXPECT_EQ((shape_of<std::unordered_map<std::string, int>>()), "{*: int32}");
    EXPECT_EQ(shape_of<std::optional<std::string>>(), "string?");
    EXPECT_EQ((shape_of<std::vector<std::variant<std::string, double>>>()), "(string | float64)[]");
    EXPECT_EQ(shape_of<colour>(), "(\"red\" | \"green\")");
    EXPECT_EQ(shape_of<std::vector<colour>>(), "(\"red\" | \"green\")[]");
}

TEST(shape, of_a_struct_marks_what_may_be_left_out) {
    EXPECT_EQ(shape_of<point>(), "{x: int32, y: int32}");
    EXPECT_EQ(shape_of<shaddock::nothing>(), "{}");
    EXPECT_EQ(shape_of<message>(),
              "{id: string, code?: int32, names?: string?[], points: {x: int32, y: int32}[], "
              "flags: {*: bool}, other: any}");
    EXPECT_EQ(shape_of<shaddock::session_ref>(),
              "{frontend: string, life: uint64, id: uint64, uid: string}");
}

struct marked : base_message {
    int limit = 20;
    std::string colour = "red";
    static constexpr shaddock::defaults defaults{"limit", "colour"};
};
BOOST_DESCRIBE_STRUCT(marked, (base_message), (limit, colour))

struct marked_below : marked {
    int level = 1;
};
BOOST_DESCRIBE_STRUCT(marked_below, (marked), (level))

TEST(shape, marks_members_that_have_a_default_inherited_ones_too) {
    EXPECT_EQ(shape_of<marked>(), "{id: string, limit: int32 = default, colour: string = default}");
    EXPECT_EQ(shape_of<marked_below>(),
              "{id: string, limit: int32 = default, colour: string = default, level: int32}");
}

TEST(shape, of_a_map_by_numbers_names_them) {
    EXPECT_EQ((shape_of<std::map<std::uint64_t, bool>>()), "{*uint64: bool}");
}

TEST(shape, of_a_contract_has_arguments_and_result) {
    EXPECT_EQ((shaddock::detail::contract_shape<point, std::string, bool>()),
              "[string, bool] -> {x: int32, y: int32}");
    EXPECT_EQ(shaddock::detail::contract_shape<void>(), "[] -> {}");
}

TEST(shape, ends_for_a_type_that_contains_itself) {
    EXPECT_EQ(shape_of<tree>(), "{name: string, children: ...[]}");
    EXPECT_EQ(shape_of<forest>(), "{trees: {wood: ...1[], next: ...[]}[]}");
}

} // namespace
} // namespace shape_test
