#include "presence.hpp"

#include <gtest/gtest.h>

namespace shaddock::master {
namespace {

using names = std::map<std::string, std::string>;

TEST(presence, is_believed_only_with_an_id_and_a_name_that_can_be_shown) {
    const std::string machine(32, 'a');
    const auto sound = [](std::string id, std::string name) {
        control::master_presence said;
        said.machine = std::move(id);
        said.name = std::move(name);
        return is_sound(said);
    };
    EXPECT_TRUE(sound(machine, "10.0.0.1"));
    for (const auto* wrong : {"", "*", ">", "a.b"}) {
        EXPECT_FALSE(sound(wrong, "x")) << wrong;
    }
    EXPECT_FALSE(sound(std::string(31, 'a') + "*", "x"));
    EXPECT_FALSE(sound(std::string(32, 'G'), "x"));
    EXPECT_FALSE(sound(machine, ""));
    EXPECT_FALSE(sound(machine, "a\x1b[2J"));
    EXPECT_TRUE(sound(machine, std::string(255, 'x')));
    EXPECT_FALSE(sound(machine, std::string(256, 'x')));
}

TEST(presence, gives_each_machine_a_name_of_its_own) {
    EXPECT_EQ(unique_names({{"aaaa1", "x"}, {"aaaa2", "y"}}),
              (names{{"aaaa1", "x"}, {"aaaa2", "y"}}));
    EXPECT_EQ(unique_names({{"aaaa1", "x"}, {"bbbb2", "x"}, {"cccc3", "y"}}),
              (names{{"aaaa1", "x-aaaa"}, {"bbbb2", "x-bbbb"}, {"cccc3", "y"}}));
    EXPECT_EQ(unique_names({{"aaaa1", "x"}, {"aaaa2", "x"}}),
              (names{{"aaaa1", "x-aaaa1"}, {"aaaa2", "x-aaaa2"}}));
    EXPECT_EQ(unique_names({{"aaaa1", "x"}, {"bbbb2", "x"}, {"cccc3", "x-aaaa"}}),
              (names{{"aaaa1", "x-aaaa1"}, {"bbbb2", "x-bbbb2"}, {"cccc3", "x-aaaa"}}));
}

} // namespace
} // namespace shaddock::master
