#include <shaddock/remote.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace {

struct point {
    int x = 0;
    int y = 0;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

/// Another name, the same shape.
struct place {
    int x = 0;
    int y = 0;
};
BOOST_DESCRIBE_STRUCT(place, (), (x, y))

struct wide_point {
    std::int64_t x = 0;
    int y = 0;
};
BOOST_DESCRIBE_STRUCT(wide_point, (), (x, y))

struct tree {
    std::string name;
    std::vector<tree> children;
};
BOOST_DESCRIBE_STRUCT(tree, (), (name, children))

template <class Signature>
constexpr auto hash = shaddock::remote_method<Signature>::hash();

TEST(contract, is_equal_for_equal_shapes_whatever_their_names) {
    static_assert(hash<point(std::string)> == hash<place(const std::string&)>);
    SUCCEED();
}

TEST(contract, changes_with_every_type_and_order) {
    static_assert(hash<point(int)> != hash<wide_point(int)>);
    static_assert(hash<point(int)> != hash<point(std::int64_t)>);
    static_assert(hash<point(int, bool)> != hash<point(bool, int)>);
    static_assert(hash<point(int)> != hash<void(int)>);
    static_assert(hash<point(int)> != hash<point(std::optional<int>)>);
    static_assert(hash<point(int)> != hash<point(std::vector<int>)>);
    SUCCEED();
}

TEST(contract, ends_for_a_type_that_contains_itself) {
    EXPECT_EQ(shaddock::detail::shape_of<tree>(), "{name: string, children: ...[]}");
}

TEST(contract, shows_shapes_to_people) {
    EXPECT_EQ(shaddock::detail::shape_of<point>(), "{x: int32, y: int32}");
    EXPECT_EQ(shaddock::detail::shape_of<std::optional<std::string>>(), "string?");
    EXPECT_EQ((shaddock::detail::shape_of<std::tuple<shaddock::session_ref, bool>>()),
              "[{frontend: string, life: uint64, id: uint64, uid: string}, bool]");
}

TEST(contract, knows_its_route) {
    constexpr shaddock::remote_method<int()> method{"chat.chatRemote.add"};
    EXPECT_EQ(method.route(), "chat.chatRemote.add");
    EXPECT_EQ(method.name(), "add");
}

} // namespace
