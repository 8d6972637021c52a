#include "jwt.hpp"

#include <shaddock/testing/plugin_under_test.hpp>
#include <shaddock/ticket.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

using namespace std::chrono_literals;
using shaddock::ticket_keys;

struct doorkeeper_plugin : testing::Test {
    doorkeeper_plugin() {
        std::ofstream(file) << "one " << std::string(64, 'a') << "\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        plugin.host.files["doorkeeper"] = R"({"ticket_keys":")" + file + R"("})";
    }
    ~doorkeeper_plugin() override { std::filesystem::remove(file); }

    shaddock::result<std::string> knock(const std::string& user) {
        return plugin.shake_hands({.type = "js-websocket", .user = user});
    }
    static std::string with(const std::string& ticket) {
        return R"({"ticket":")" + ticket + R"("})";
    }

    shaddock::testing::plugin_under_test plugin{shaddock_plugin_door};
    const std::string file = testing::TempDir() + "doorkeeper." + std::to_string(::getpid());
    const ticket_keys keys = ticket_keys::parse("one " + std::string(64, 'a')).value();
};

TEST_F(doorkeeper_plugin, lets_in_who_brings_a_ticket_in_the_handshake_and_says_for_whom_it_is) {
    EXPECT_EQ(knock(with(keys.issue("ann", 60s))).value(), R"({"name":"ann"})");
}

TEST_F(doorkeeper_plugin, turns_everybody_else_away_with_401) {
    const auto other = ticket_keys::parse("one " + std::string(64, 'b')).value();
    const auto past = ticket_keys::current_time() - 61s;
    for (const auto& user : {std::string(), std::string("7"), std::string("{}"), with(""),
                             with(keys.issue("ann", 60s, past)), with(other.issue("ann", 60s))}) {
        const auto answer = knock(user);
        ASSERT_TRUE(answer.has_error()) << user;
        EXPECT_EQ(answer.error().client_code(), 401) << user;
    }
}

TEST_F(doorkeeper_plugin, lets_nobody_in_without_its_keys) {
    plugin.host.files.clear();
    EXPECT_TRUE(knock(with(keys.issue("ann", 60s))).has_error());
}

const std::string head = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
const std::string claims =
    "eyJzdWIiOiJhbm4iLCJhdWQiOiJjaGF0IiwiZXhwIjoxODAwMDAwMDYwLCJuYW1lIjoiQW5uP34ifQ";
const std::string mac = ".9jVAWtDyNkyMq_b37R5P0uwY67lzua5U1zaMjKAFRpM";

std::string who(const std::string& token, std::string_view audience = "chat",
                std::int64_t now = 1'800'000'059) {
    constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
    return doorkeeper::subject_of_jwt(token, secret, audience, now).value_or("nobody");
}

// Made by another program: {"sub":"ann","aud":"chat","exp":1800000060,"name":"Ann?~"}
TEST(jwt, names_whom_it_was_issued_for) {
    EXPECT_EQ(who(head + claims + mac), "ann");
    EXPECT_EQ(who(head + claims + mac, "chat", 1'800'000'060), "nobody") << "it is over";
    EXPECT_EQ(who(head + claims + mac, "shop"), "nobody");
}

TEST(jwt, is_refused_after_any_change_and_under_any_other_algorithm) {
    const auto good = head + claims + mac;
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto changed = good;
        changed[i] = changed[i] == 'A' ? 'E' : 'A';
        EXPECT_EQ(who(changed), "nobody") << i;
        EXPECT_EQ(who(good.substr(0, i)), "nobody") << i;
    }
    // {"alg":"none"}, without a signature and with a good one.
    EXPECT_EQ(who("eyJhbGciOiJub25lIn0." + claims + "."), "nobody");
    EXPECT_EQ(who("eyJhbGciOiJub25lIn0." + claims + ".mHjtviTxx7A0u9qpJZCZaCgkBhteo-xeeQy2KXVITqc"),
              "nobody");
    for (const auto* text : {"", ".", "..", "...", "a.b.c", "=.=.="}) {
        EXPECT_EQ(who(text), "nobody") << text;
    }
}

} // namespace
