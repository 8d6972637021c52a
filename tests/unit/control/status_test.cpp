#include "control/status.hpp"

#include "chat_row.hpp"
#include "control/codec.hpp"

#include <gmock/gmock.h>

namespace shaddock::control {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(server_rows, have_the_members_that_programs_read) {
    server_row stopped;
    stopped.id = "chat-server-2";
    stopped.state = "stopped";
    stopped.missing = true;
    EXPECT_EQ(to_json(server_rows{chat_row(), stopped}),
              R"([{"state":"ready","connections":3,"module":"chat.so","version":"1.0",)"
              R"("build_id":"0123456789abcdef","generation":1,"ending":0,"kept":0,)"
              R"("links":5,"expected":6,"epoch":7,)"
              R"("id":"chat-server-1","type":"chat","pid":1234,"uptime_s":12,"rss_kb":9876,)"
              R"("incarnation":1795000000123456789,"missing":false,"stopped":false},)"
              R"({"state":"stopped","connections":0,"module":"","version":"","build_id":"",)"
              R"("generation":1,"ending":0,"kept":0,"links":0,"expected":0,"epoch":0,)"
              R"("id":"chat-server-2","type":"","pid":null,"uptime_s":0,"rss_kb":0,)"
              R"("incarnation":0,"missing":true,"stopped":false}])");
}

TEST(server_rows, come_back_as_they_were) {
    const auto rows = from_json<server_rows>(to_json(server_rows{chat_row(), server_row()}));
    ASSERT_TRUE(rows);
    EXPECT_EQ(*rows, (server_rows{chat_row(), server_row()}));
    EXPECT_EQ(rows->at(0).process(), 1234);
    EXPECT_EQ(rows->at(1).process(), std::nullopt);
    for (const auto* wrong : {"{}", "[1]", "["}) {
        EXPECT_FALSE(from_json<server_rows>(wrong)) << wrong;
    }
}

TEST(server_rows, are_a_table_for_people) {
    const auto table = to_table({chat_row()});
    EXPECT_THAT(table, HasSubstr("chat-server-1"));
    EXPECT_THAT(table, HasSubstr("1234"));
    EXPECT_THAT(table, HasSubstr(" 0123456789ab "));
    EXPECT_THAT(table, Not(HasSubstr("warning")));
}

TEST(server_rows, warn_of_generations_that_do_not_end) {
    auto row = chat_row();
    row.ending = 2;
    EXPECT_THAT(to_table({row}), Not(HasSubstr("warning")));
    row.kept = 1;
    EXPECT_THAT(to_table({row}),
                HasSubstr("\nwarning: chat-server-1 keeps 1 old generation whose"));
}

TEST(server_rows, say_what_is_left_of_one_that_drains) {
    auto row = chat_row();
    row.draining.emplace();
    EXPECT_THAT(to_table({row}),
                HasSubstr("\nchat-server-1 drains: it has not said yet which rooms are left\n"));
    row.set_process(std::nullopt);
    EXPECT_THAT(to_table({row}), HasSubstr("\nchat-server-1 drains: it is down: `host restart` "
                                           "starts it, or `host stop` moves its rooms\n"));
    row.draining = drain_left{1, 4, 1799};
    EXPECT_THAT(to_table({row}), HasSubstr("drains: 1 room with 4 members is left, and it ends in "
                                           "29 min at the latest\n"));
    EXPECT_EQ(from_json<server_rows>(to_json(server_rows{row}))->front(), row);
}

TEST(server_rows, are_healthy_while_all_serve_that_should) {
    server_rows rows{chat_row(), server_row()};
    rows[1].id = "chat-server-2";
    rows[1].state = "stopped";
    auto said = health_of(rows);
    EXPECT_TRUE(said.healthy);
    EXPECT_EQ(to_text(said, rows), "healthy: 1 of 1 serve");
    EXPECT_EQ(to_json(said), R"({"healthy":true,"missing":[]})");
    rows[1].state = "draining";
    EXPECT_EQ(to_text(health_of(rows), rows), "healthy: 1 of 1 serve") << "it stops";
    rows[1].draining.emplace();
    EXPECT_EQ(to_text(health_of(rows), rows), "healthy: 2 of 2 serve, 1 drains");
    EXPECT_EQ(to_text(health_of({rows[1]}), {rows[1]}), "healthy: 1 of 1 serve, 1 drains");
    rows[1].draining.reset();
    rows[1].state = "stalled";
    rows[1].missing = true;
    said = health_of(rows);
    EXPECT_FALSE(said.healthy);
    EXPECT_EQ(to_text(said, rows), "not healthy: 1 of 2 serve, chat-server-2 is stalled");
    EXPECT_EQ(to_json(said),
              R"({"healthy":false,"missing":[{"id":"chat-server-2","state":"stalled"}]})");
}

TEST(server_status, is_of_a_state_that_a_later_version_may_add) {
    const auto said = from_json<server_status>(R"({"state":"hibernating","connections":3})");
    ASSERT_TRUE(said);
    EXPECT_FALSE(said->is(server_state::ready));
    EXPECT_EQ(said->connections, 3U);
}

} // namespace
} // namespace shaddock::control
