#include "departures.hpp"

#include "fake_processes.hpp"
#include "temp_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

namespace shaddock::master {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Three chats of a list; each process ends when the test says so.
class departing : public testing::Test, supervisor_listener, restart_needs {
protected:
    departing() {
        folder.write("config/master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3005})");
        folder.write("config/servers.json", R"({"chat": [
          {"id": "chat-1", "host": "127.0.0.1"}, {"id": "chat-2", "host": "127.0.0.1"},
          {"id": "chat-3", "host": "127.0.0.1"}]})");
        folder.write("config/host.yaml", "types: {chat: {rooms: stay}}\n");
        folder.write("run/x", "");
        system = config::load({folder.path() / "config", "development", std::nullopt}).value();
        for (const auto& record : system.servers) {
            child_plan plan;
            plan.id = record.id;
            plan.type = record.type;
            plan.run.command = {record.id};
            plan.run.output = folder.path() / (record.id + ".out");
            list.add(plan);
            list.begin(record.id, after_failure::stay_down, [](const result<void>&) {});
            serve(record.id);
        }
        starter.log.clear();
    }
    void serve(const std::string& id) {
        list.on_link_up(id, starter.pid_of(id), incarnation{7});
        control::server_status now;
        now.state = "ready";
        now.links = 2; // to both others
        list.on_status(id, now);
        one.bring_back(id);
    }
    void ends(const std::string& id) {
        starter.end(id, {0, std::nullopt});
        list.on_link_down(id);
        clock.advance({});
    }
    base::unique_function<void()> told(const std::string& what) {
        return [this, what] { ended.push_back(what); };
    }
    std::vector<std::string> out_of_list() const {
        std::vector<std::string> ids;
        for (const auto& record : system.servers) {
            if (record.stopped) {
                ids.push_back(record.id);
            }
        }
        return ids;
    }
    /// As a restart does.
    void begin(const std::string& id) {
        one.begin(id, [this, id](const result<void>& outcome) {
            ended.push_back(id + (outcome ? " began" : " did not begin"));
        });
    }

    void on_news(std::string_view, bool) override {}
    void on_ready(std::size_t) override {}
    void on_start_failed(std::string_view why) override { FAIL() << why; }
    void on_dead(std::string_view, incarnation) override {}
    std::vector<child_report> children() const override { return list.list(); }
    result<void> end(std::string_view, base::unique_function<void()>) override { return {}; }
    void begin(std::string_view, base::unique_function<void(result<void>)>) override {}
    void check(base::unique_function<void(result<void>)>) override {}

    test::temp_folder folder;
    boost::asio::io_context loop;
    base::manual_clock clock;
    config::system system;
    test::fake_starter starter;
    supervisor list{{}, {}, clock, starter, [](std::string_view) { return std::nullopt; }, *this};
    server_book book{loop.get_executor(), system, folder.path() / "run", [] {}};
    settling settled{clock, list};
    restarts restarting{clock, *this};
    master_phase phase;
    std::vector<std::string> said;
    std::vector<std::string> ended;
    departures one{system,  folder.path() / "run",
                   book,    list,
                   settled, restarting,
                   phase,   [this](std::string_view text, bool) { said.emplace_back(text); }};
};

TEST_F(departing, takes_a_server_out_of_the_list_before_it_stops) {
    ASSERT_TRUE(one.stop({"chat-2"}, told("stopped")));
    EXPECT_THAT(out_of_list(), ElementsAre("chat-2"));
    EXPECT_THAT(starter.log, IsEmpty()) << "its rooms move first";
    EXPECT_TRUE(one.is_busy());
    clock.advance({});
    EXPECT_THAT(starter.log, ElementsAre("chat-2 term"));
    ends("chat-2");
    EXPECT_THAT(ended, ElementsAre("stopped"));
    EXPECT_FALSE(one.is_busy());
    EXPECT_THAT(said, ElementsAre("asked to stop chat-2"));
}

TEST_F(departing, forgets_what_it_removes_and_keeps_what_it_stops) {
    ASSERT_TRUE(one.stop({"chat-1"}, told("stopped")));
    ASSERT_TRUE(one.remove({"chat-2"}, [this](const result<void>& gone) {
        ended.emplace_back(gone ? "removed" : "not removed");
    }));
    clock.advance({});
    ends("chat-1");
    ends("chat-2");
    EXPECT_THAT(ended, ElementsAre("stopped", "removed"));
    EXPECT_NE(system.find("chat-1"), nullptr);
    EXPECT_EQ(system.find("chat-2"), nullptr);
}

TEST_F(departing, leaves_what_is_killed_in_the_list) {
    ASSERT_TRUE(one.kill({"chat-1"}, told("killed")));
    EXPECT_THAT(starter.log, Contains("chat-1 kill"));
    EXPECT_THAT(out_of_list(), IsEmpty());
}

TEST_F(departing, brings_back_what_is_begun_once_it_serves) {
    ASSERT_TRUE(one.stop({"chat-2"}, told("stopped")));
    clock.advance({});
    ends("chat-2");
    begin("chat-2");
    EXPECT_THAT(out_of_list(), ElementsAre("chat-2")) << "not before it serves";
    serve("chat-2");
    clock.advance({});
    EXPECT_THAT(out_of_list(), IsEmpty());
    EXPECT_THAT(ended, ElementsAre("stopped", "chat-2 began"));
}

TEST_F(departing, brings_back_what_serves_with_a_later_try_unless_it_was_stopped_again) {
    const auto fail = [this](const std::string& id) {
        ASSERT_TRUE(one.stop({id}, told("stopped")));
        clock.advance({});
        ends(id);
        begin(id);
        starter.end(id, {1, std::nullopt});
        clock.advance(std::chrono::seconds(1)); // the next try
    };
    fail("chat-2");
    fail("chat-3");
    EXPECT_THAT(ended, AllOf(Contains("chat-2 did not begin"), Contains("chat-3 did not begin")));
    EXPECT_THAT(out_of_list(), ElementsAre("chat-2", "chat-3"));
    one.forget_restarts({"chat-3"});
    serve("chat-2");
    serve("chat-3");
    EXPECT_THAT(out_of_list(), ElementsAre("chat-3"));
}

TEST_F(departing, says_that_a_restart_has_ended_a_drain) {
    ASSERT_TRUE(book.leave({"chat-2"}, 0));
    EXPECT_TRUE(one.is_leaving("chat-2"));
    ASSERT_TRUE(list.stop({"chat-2"}, told("stopped")));
    ends("chat-2");
    begin("chat-2");
    serve("chat-2");
    clock.advance({});
    EXPECT_FALSE(one.is_leaving("chat-2"));
    EXPECT_THAT(said, ElementsAre("chat-2 no longer drains: it was restarted"));
}

TEST_F(departing, changes_nothing_once_another_master_takes_over) {
    phase.is_replaced = true;
    EXPECT_THAT(one.stop({"chat-2"}, told("stopped")).error().text(), HasSubstr("being replaced"));
    phase = {.is_stopping = true, .is_replaced = false};
    EXPECT_THAT(one.end_drain("chat-2", "its rooms are empty").error().text(),
                HasSubstr("the system is stopping: nothing is drained"));
    EXPECT_THAT(out_of_list(), IsEmpty());
}

} // namespace
} // namespace shaddock::master
