#include "control/words.hpp"

#include "control/codec.hpp"

#include <gmock/gmock.h>

namespace shaddock::control {
namespace {

using testing::ElementsAre;

TEST(server_list, carries_records_as_they_are) {
    config::system system;
    system.epoch = 3;
    system.servers.resize(2);
    system.servers[0].json = R"({"id":"a","tier":1.50})";
    system.servers[1].json = R"({"id":"b"})";
    system.servers[1].stopped = true;
    const auto read = from_json<server_list>(to_json(list_of(system)));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->epoch, 3U);
    EXPECT_THAT(read->list.value(), ElementsAre(system.servers[0].json));
    EXPECT_THAT(read->guests, ElementsAre(system.servers[1].json));
    EXPECT_EQ(from_json<server_list>(R"({"list":[]})")->epoch, 0U) << "of an older master";
}

TEST(server_life, is_one_number_to_the_last_digit) {
    const server_life who{"a\"b", incarnation{1'700'000'000'000'000'001}};
    EXPECT_EQ(to_json(who), R"({"id":"a\"b","life":1700000000000000001})");
    EXPECT_EQ(from_json<server_life>(to_json(who))->life, who.life);
}

} // namespace
} // namespace shaddock::control
