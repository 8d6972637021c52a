#include "server_list.hpp"

#include "control/codec.hpp"
#include "control/words.hpp"
#include "node/server_options.hpp"
#include "setting_folder.hpp"

namespace shaddock::node {
namespace {

TEST(server_list, says_of_servers_what_their_own_files_say) {
    const setting_folder folder;
    const auto system = folder.found().system;
    auto given = system;
    given.epoch = 7;
    given.servers.back().stopped = true;
    const auto told = list_from_json(control::to_json(control::list_of(given)));
    ASSERT_TRUE(told) << told.error().text();
    EXPECT_EQ(told->epoch, 7U);
    ASSERT_EQ(told->guests.size(), 1U);
    EXPECT_EQ(told->guests[0].id, given.servers.back().id);
    const auto* read = &told->servers;
    std::vector<door::server_info> own;
    for (const auto& record : given.servers) {
        own.push_back(cluster::info_of(record));
    }
    own.pop_back();
    ASSERT_EQ(read->size(), own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
        EXPECT_EQ(read->at(i).id, own[i].id);
        EXPECT_EQ(read->at(i).type, own[i].type);
        EXPECT_EQ(read->at(i).host, own[i].host);
        EXPECT_EQ(read->at(i).client_host, own[i].client_host);
        EXPECT_EQ(read->at(i).client_port, own[i].client_port);
        EXPECT_EQ(read->at(i).is_frontend, own[i].is_frontend);
        EXPECT_EQ(read->at(i).record_json, own[i].record_json);
        EXPECT_FALSE(read->at(i).is_up);
    }
}

TEST(server_list, has_those_that_leave_in_the_list_though_older_servers_take_them_for_guests) {
    const setting_folder folder;
    auto given = folder.found().system;
    auto& leaving = given.servers.front();
    leaving.leaving = 5;
    const auto told = list_from_json(control::to_json(control::list_of(given))).value();
    EXPECT_EQ(told.guests.size(), 0U);
    ASSERT_EQ(told.servers.size(), given.servers.size());
    for (const auto& each : told.servers) {
        EXPECT_EQ(each.is_leaving, each.id == leaving.id) << each.id;
    }
    const auto plain = control::list_of(given);
    EXPECT_EQ(plain.guests, std::vector<std::string>{leaving.json});
}

TEST(told_lists, gives_those_that_came_later_in_order_of_the_last_four) {
    told_lists lists;
    using texts = std::vector<std::string>;
    EXPECT_EQ(lists.after(0), texts{});
    lists.keep(0, "of an older master");
    lists.keep(1, "a");
    lists.keep(2, "b");
    lists.keep(2, "b, with a guest more");
    lists.keep(3, "c");
    EXPECT_EQ(lists.after(0), (texts{"a", "b, with a guest more", "c"}));
    EXPECT_EQ(lists.after(2), texts{"c"});
    EXPECT_EQ(lists.after(3), texts{});
    lists.keep(4, "d");
    lists.keep(5, "e");
    EXPECT_EQ(lists.after(0), (texts{"b, with a guest more", "c", "d", "e"}));
}

TEST(server_list, refuses_what_is_none) {
    for (const auto* text : {"", "[]", "{}", R"({"list":[{}]})", R"({"list":["x"]})",
                             R"({"list":["{\"id\":\"a\"}"]})"}) {
        EXPECT_FALSE(list_from_json(text)) << text;
    }
}

} // namespace
} // namespace shaddock::node
