#include "control/run_files.hpp"
#include "server_book.hpp"

#include "cluster/records.hpp"
#include "temp_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace shaddock::master {
namespace {

using ids = std::vector<std::string>;

class server_book_test : public testing::Test {
protected:
    server_book_test() {
        folder.write("config/master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3005})");
        folder.write("config/servers.json", R"({"chat": [
          {"id": "a", "host": "127.0.0.1"}, {"id": "b", "host": "127.0.0.1"}]})");
        folder.write("run/x", "");
        system = load(std::nullopt);
    }
    config::system load(std::optional<std::filesystem::path> servers) const {
        return config::load({folder.path() / "config", "development", std::move(servers)}).value();
    }
    /// `2: a (b) c~5`: epoch, the list, the stopped in brackets, until when others leave.
    static std::string text_of(const config::system& of) {
        auto text = fmt::format("{}:", of.epoch);
        for (const auto& each : of.servers) {
            text += each.stopped ? " (" + each.id + ")" : " " + each.id;
            text += each.leaving ? fmt::format("~{}", *each.leaving) : std::string();
        }
        return text;
    }
    /// As the next master reads it.
    std::string kept() const { return text_of(load(control::running_list(folder.path() / "run"))); }
    std::string propose(const ids& wanted, std::uint64_t epoch) {
        std::vector<door::server_info> servers;
        for (const auto& id : wanted) {
            servers.emplace_back().id = id;
        }
        std::string answer;
        book.propose(std::move(servers), epoch, [&](result<cluster::proposal> made) {
            answer = fmt::format("{} {} of {}", made->is_taken ? "taken" : "late", made->now->epoch,
                                 made->now->servers.size());
        });
        loop.restart();
        loop.run();
        return answer;
    }

    test::temp_folder folder;
    boost::asio::io_context loop;
    config::system system;
    int told = 0;
    server_book book{loop.get_executor(), system, folder.path() / "run", [this] { ++told; }};
};

TEST_F(server_book_test, changes_the_list_by_its_epoch_only) {
    EXPECT_EQ(propose({"a"}, 2), "late 1 of 2");
    EXPECT_EQ(told, 0);
    EXPECT_EQ(propose({"a"}, 1), "taken 2 of 1");
    EXPECT_EQ(propose({"a", "b"}, 1), "late 2 of 1");
    EXPECT_EQ(propose({"a"}, 2), "taken 2 of 1") << "the same list again";
    EXPECT_EQ(told, 1);
}

TEST_F(server_book_test, keeps_the_list_with_its_epoch_for_the_next_master) {
    ASSERT_TRUE(book.change({"b"}, false));
    EXPECT_EQ(kept(), "2: a (b)");
    system = load(control::running_list(folder.path() / "run"));
    ASSERT_TRUE(book.change({"b"}, true));
    EXPECT_EQ(kept(), "3: a b");
}

TEST_F(server_book_test, keeps_who_leaves_and_until_when) {
    ASSERT_TRUE(book.leave({"b"}, 5000));
    EXPECT_EQ(kept(), "2: a b~5000");
    EXPECT_EQ(propose({"a"}, 1), "late 2 of 2");
    ASSERT_TRUE(book.leave({"b"}, 6000));
    EXPECT_EQ(kept(), "2: a b~6000") << "another time is no other list";
    ASSERT_TRUE(book.change({"a"}, false));
    EXPECT_EQ(kept(), "3: (a) b~6000");
    ASSERT_TRUE(book.change({"b"}, true));
    EXPECT_EQ(kept(), "4: (a) b");
    ASSERT_TRUE(book.leave({"b"}, 7000));
    ASSERT_TRUE(book.change({"b"}, false));
    EXPECT_EQ(kept(), "6: (a) (b)");
}

TEST_F(server_book_test, knows_a_server_before_and_after_it_is_on_the_list) {
    config::server_record c;
    c.id = "c";
    c.type = "chat";
    c.json = R"({"id":"c","host":"127.0.0.1","serverType":"chat"})";
    ASSERT_TRUE(book.add({c}));
    EXPECT_EQ(kept(), "1: a b (c)") << "nobody routes to it yet";
    ASSERT_TRUE(book.change({"c"}, true));
    EXPECT_EQ(kept(), "2: a b c");
    ASSERT_TRUE(book.drop({"c"}));
    EXPECT_EQ(kept(), "2: a b c") << "it is on the list";
    ASSERT_TRUE(book.change({"c"}, false));
    ASSERT_TRUE(book.drop({"c"}));
    EXPECT_EQ(kept(), "3: a b");
    EXPECT_EQ(told, 4 + 1);
}

TEST_F(server_book_test, goes_on_after_the_latest_list_that_servers_know) {
    book.catch_up(7);
    EXPECT_EQ(kept(), "8: a b");
    book.catch_up(7);
    EXPECT_EQ(system.epoch, 8U);
}

TEST_F(server_book_test, brings_in_only_who_is_heard_beside_the_shared_list) {
    cluster::view now{.epoch = 5, .servers = {}};
    book.follow(now);
    EXPECT_EQ(book.left_out(), ids{}) << "given up: nobody hears them";
    EXPECT_TRUE(book.is_unlisted("b"));
    now.guests.emplace_back().id = "b";
    now.guests.emplace_back().id = "other";
    book.follow(now);
    EXPECT_EQ(book.left_out(), ids{"b"});
    now.servers = std::exchange(now.guests, {});
    book.follow(now);
    EXPECT_EQ(book.left_out(), ids{});
}

/// Agrees to everything, or cannot say.
struct fake_list final : shared_list {
    void observe(told_call) override {}
    result<cluster::view_ptr> agree(const list_change& wanted) override {
        if (is_late) {
            return error(errc::timeout, "late");
        }
        auto now = std::make_shared<cluster::view>();
        now->epoch = ++epoch;
        asked += wanted.out.size();
        return cluster::view_ptr(now);
    }
    void tell_over(std::string_view, incarnation) override {}
    std::uint64_t epoch = 6;
    std::size_t asked = 0;
    bool is_late = false;
};

TEST_F(server_book_test, goes_by_what_all_have_agreed_on_also_when_it_cannot_write_it_down) {
    fake_list shared;
    book.share(shared);
    std::filesystem::remove_all(folder.path() / "run");
    EXPECT_TRUE(book.change({"b"}, false));
    EXPECT_EQ(shared.asked, 1U);
    EXPECT_EQ(text_of(system), "7: a (b)");
    EXPECT_EQ(told, 1);
    folder.write("run/x", "");
    book.write_again();
    EXPECT_EQ(kept(), "7: a (b)");
}

TEST_F(server_book_test, changes_nothing_that_others_have_not_agreed_on_in_time) {
    fake_list shared;
    shared.is_late = true;
    book.share(shared);
    EXPECT_EQ(book.change({"b"}, false).error().code(), errc::timeout);
    EXPECT_EQ(text_of(system), "1: a b");
    shared.is_late = false;
    EXPECT_TRUE(book.change({"b"}, false)) << "asked again";
    EXPECT_EQ(text_of(system), "7: a (b)");
}

TEST_F(server_book_test, changes_nothing_that_it_cannot_write_down) {
    std::filesystem::remove_all(folder.path() / "run");
    EXPECT_FALSE(book.change({"b"}, false));
    EXPECT_EQ(text_of(system), "1: a b");
    EXPECT_EQ(told, 0);
}

} // namespace
} // namespace shaddock::master
