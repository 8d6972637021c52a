#include "drains.hpp"

#include "fake_processes.hpp"
#include "temp_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Three chats whose rooms stay, a hall whose rooms move, and a door with clients.
class draining : public testing::Test, supervisor_listener {
protected:
    draining() {
        folder.write("config/master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3005})");
        folder.write("config/servers.json", R"({
          "chat": [{"id": "chat-1", "host": "127.0.0.1"}, {"id": "chat-2", "host": "127.0.0.1"},
                   {"id": "chat-3", "host": "127.0.0.1"}],
          "hall": [{"id": "hall-1", "host": "127.0.0.1"}],
          "door": [{"id": "door-1", "host": "127.0.0.1", "clientPort": 3010, "frontend": true}]})");
        folder.write("config/host.yaml", "types: {chat: {rooms: stay}, hall: , door: }\n");
        folder.write("run/x", "");
        system = config::load({folder.path() / "config", "development", std::nullopt}).value();
        for (const auto& record : system.servers) {
            child_plan plan;
            plan.id = record.id;
            plan.type = record.type;
            plan.run.command = {record.id};
            plan.run.output = folder.path() / (record.id + ".out");
            plan.is_restarted = false; // who dies is down
            children.add(plan);
            children.begin(record.id, after_failure::stay_down, [](const result<void>&) {});
            serve(record.id);
        }
    }
    void serve(const std::string& id) {
        children.on_link_up(id, starter.pid_of(id), incarnation{7});
        say(id, std::nullopt);
    }
    /// Its rooms, each with a member.
    void say(const std::string& id, std::optional<std::uint64_t> rooms) {
        control::server_status now;
        now.state = "ready";
        if (rooms) {
            now.staying = control::rooms_left{*rooms, *rooms};
        }
        children.on_status(id, now);
    }
    std::string start(const std::vector<std::string>& ids, std::chrono::milliseconds within = 1h) {
        const auto begun = one.start(ids, within);
        return begun ? "" : begun.error().text();
    }
    /// `draining 2 rooms`, as a list shows it.
    std::string shown(std::string_view id) const {
        const auto all = children.list();
        auto row = *std::ranges::find(all, id, &child_report::id);
        one.show(row);
        return fmt::format("{}{}", row.state,
                           !row.draining         ? ""
                           : row.draining->rooms ? fmt::format(" {} rooms", *row.draining->rooms)
                                                 : " ? rooms");
    }

    void on_news(std::string_view, bool) override {}
    void on_ready(std::size_t) override {}
    void on_start_failed(std::string_view why) override { FAIL() << why; }
    void on_dead(std::string_view, incarnation) override {}

    test::temp_folder folder;
    boost::asio::io_context loop;
    base::manual_clock clock;
    config::system system;
    test::fake_starter starter;
    supervisor children{{},   {}, clock, starter, [](std::string_view) { return std::nullopt; },
                        *this};
    server_book book{loop.get_executor(), system, folder.path() / "run", [] {}};
    std::vector<std::string> ended;
    drains one{clock, system, book, children, [this](const std::string& id, std::string_view why) {
                   ended.push_back(fmt::format("{}: {}", id, why));
                   return book.change({id}, false);
               }};
};

TEST_F(draining, ends_a_server_when_its_rooms_are_empty) {
    ASSERT_EQ(start({"chat-2"}), "");
    EXPECT_EQ(shown("chat-1"), "ready");
    EXPECT_EQ(shown("chat-2"), "draining ? rooms");
    say("chat-2", 2);
    one.look();
    EXPECT_EQ(shown("chat-2"), "draining 2 rooms");
    EXPECT_THAT(ended, IsEmpty());
    say("chat-2", 0);
    one.look();
    EXPECT_THAT(ended, ElementsAre("chat-2: its rooms are empty"));
    EXPECT_EQ(shown("chat-2"), "ready") << "it stops like any other";
}

TEST_F(draining, ends_it_when_its_time_has_passed_and_a_time_given_again_counts_anew) {
    ASSERT_EQ(start({"chat-2"}, 10s), "");
    say("chat-2", 2);
    clock.advance(9s);
    ASSERT_EQ(start({"chat-2"}, 10s), "");
    clock.advance(9s);
    EXPECT_THAT(ended, IsEmpty());
    clock.advance(2s);
    EXPECT_THAT(ended, ElementsAre("chat-2: its time to drain has passed"));
}

TEST_F(draining, says_nothing_of_the_rooms_of_a_life_that_is_over) {
    ASSERT_EQ(start({"chat-2"}), "");
    say("chat-2", 2);
    starter.end("chat-2", {std::nullopt, SIGKILL});
    EXPECT_EQ(shown("chat-2"), "failed ? rooms");
    children.on_link_down("chat-3");
    one.look();
    EXPECT_THAT(ended, IsEmpty());
}

TEST_F(draining, leaves_a_type_one_server_that_takes_new_rooms) {
    constexpr auto last = "chat-{} is not drained: it is the last of type chat that takes new "
                          "rooms; `host stop` stops it";
    EXPECT_EQ(start({"chat-1", "chat-2", "chat-3"}), fmt::format(last, 1)) << "all at once";
    ASSERT_EQ(start({"chat-1"}), "");
    ASSERT_TRUE(book.change({"chat-3"}, false));
    EXPECT_EQ(start({"chat-2"}), fmt::format(last, 2)) << "others leave, or are stopped";
    EXPECT_EQ(start({"chat-1", "chat-2"}), fmt::format(last, 2));
    ASSERT_TRUE(book.change({"chat-2"}, false));
    EXPECT_EQ(start({"chat-1"}), "") << "another time is no other list";
}

TEST_F(draining, is_refused_where_nothing_stays_with_a_way_out) {
    EXPECT_EQ(start({"chat-9"}), "chat-9 is no server of the list");
    EXPECT_THAT(start({"hall-1"}), HasSubstr("those of the type hall move (host.yaml: "
                                             "types.hall.rooms); `host stop hall-1` moves them"));
    EXPECT_THAT(start({"chat-1", "door-1"}),
                HasSubstr("door-1 has clients, whom `host stop` sends away at `connector.drain`"));
    ASSERT_TRUE(book.change({"chat-3"}, false));
    EXPECT_EQ(start({"chat-3"}), "chat-3 is stopped; `host restart chat-3` brings it back");
    EXPECT_EQ(shown("chat-1"), "ready") << "nothing has changed";
}

} // namespace
} // namespace shaddock::master
