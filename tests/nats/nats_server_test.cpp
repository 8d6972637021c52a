#include "nats_server.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace shaddock::test {

namespace {

class nats_server_fixture : public testing::Test {
protected:
    void SetUp() override {
        if (!nats_server::is_installed()) {
            GTEST_SKIP() << "nats-server is not installed";
        }
    }
};

TEST_F(nats_server_fixture, keeps_its_port_and_its_store_through_its_lives) {
    nats_server server;
    const auto url = server.url();
    const auto store = server.folder() / "store" / "jetstream";
    EXPECT_TRUE(std::filesystem::exists(store)) << server.log();
    server.kill();
    EXPECT_FALSE(server.is_running());
    server.start();
    EXPECT_EQ(server.url(), url);
    EXPECT_TRUE(std::filesystem::exists(store));
    server.freeze();
    server.stop();
    server.lose_store();
    EXPECT_FALSE(std::filesystem::exists(store));
    server.start_with("max_payload: 4096");
    EXPECT_TRUE(server.is_running());
}

TEST_F(nats_server_fixture, says_in_the_servers_own_words_why_it_does_not_start) {
    nats_server server;
    server.stop();
    try {
        server.start_with("max_payload: much");
        FAIL() << "it started";
    } catch (const std::runtime_error& why) {
        EXPECT_NE(std::string_view(why.what()).find("nats.conf:"), std::string_view::npos)
            << why.what();
    }
    EXPECT_FALSE(server.is_running());
}

TEST_F(nats_server_fixture, has_a_cluster_that_a_server_leaves_and_joins) {
    nats_cluster three;
    EXPECT_EQ(three.urls().size(), 3U);
    three.at(0).kill();
    three.at(0).start();
    three.wait_until_healthy();
}

} // namespace

} // namespace shaddock::test
