#include "server_list.hpp"

#include "master/commands.hpp"
#include "server_options.hpp"
#include "setting_folder.hpp"

namespace shaddock::cli {
namespace {

TEST(server_list, says_of_servers_what_their_own_files_say) {
    const setting_folder folder;
    const auto system = folder.found().system;
    const auto read = servers_from_json(master::expected_json(system.servers));
    ASSERT_TRUE(read) << read.error().text();
    const auto own = expected_of(system);
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

TEST(server_list, refuses_what_is_none) {
    for (const auto* text : {"", "[]", "{}", R"({"list":[{}]})", R"({"list":["x"]})",
                             R"({"list":["{\"id\":\"a\"}"]})"}) {
        EXPECT_FALSE(servers_from_json(text)) << text;
    }
}

} // namespace
} // namespace shaddock::cli
