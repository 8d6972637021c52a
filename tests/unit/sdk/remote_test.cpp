#include <shaddock/remote.hpp>

#include <gtest/gtest.h>

#include <array>
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
    static_assert(hash<void(std::array<int, 2>)> != hash<void(std::array<int, 3>)>);
    SUCCEED();
}

TEST(contract, knows_its_route) {
    constexpr shaddock::remote_method<int()> method{"chat.chatRemote.add"};
    EXPECT_EQ(method.route(), "chat.chatRemote.add");
    EXPECT_EQ(method.name(), "add");
}

} // namespace
