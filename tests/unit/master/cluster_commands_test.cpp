#include "cluster_commands.hpp"

#include "control/masters.hpp"
#include "fake_commands.hpp"
#include "fake_peers.hpp"

#include <gmock/gmock.h>

#include <deque>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

control::server_row row(const std::string& id, const std::string& type) {
    control::server_row made;
    made.id = id;
    made.type = type;
    made.state = "ready";
    return made;
}

/// A machine with its master.
struct machine {
    machine(base::manual_clock& clock, test::fake_network& net, const std::string& name,
            const std::string& address, control::server_rows rows)
        : others(net.join(name)), commands(clock, own, *others, {name, {address}}) {
        own.rows = std::move(rows);
        own.rows.push_back(row("web", "web"));
        own.rows.push_back(row("master-1", "master"));
    }
    test::fake_commands own;
    std::unique_ptr<peers> others;
    cluster_commands commands;
};

/// Three machines, each with a chat server; the one that is asked is `a`.
class three_machines : public testing::Test {
protected:
    three_machines() {
        a.emplace(clock, net, "a", "10.0.0.1",
                  control::server_rows{row("chat-1", "chat"), row("gate-1", "gate")});
        b.emplace(clock, net, "b", "10.0.0.2",
                  control::server_rows{row("chat-2", "chat"), row("door-2", "door")});
        c.emplace(clock, net, "c", "10.0.0.3", control::server_rows{row("chat-3", "chat")});
    }

    template <class Answer, class Ask>
    result<Answer> answer_of(Ask ask, base::duration patience = 2s) {
        std::optional<result<Answer>> said;
        ask([&said](result<Answer> answer) {
            EXPECT_FALSE(said) << "answered twice";
            said = std::move(answer);
        });
        for (int i = 0; i < 40 && !said; ++i) {
            clock.advance({});
        }
        if (!said) {
            clock.advance(patience);
            for (int i = 0; i < 40 && !said; ++i) {
                clock.advance({});
            }
        }
        EXPECT_TRUE(said) << "not answered";
        return said ? *said : result<Answer>(error());
    }
    using words = std::vector<std::string>;
    std::string ended(void (cluster_commands::*end)(const words&, commands::done_call<void>),
                      const words& whom) {
        const auto said =
            answer_of<void>([&](auto done) { ((a->commands).*end)(whom, std::move(done)); });
        return said ? "" : said.error().text();
    }
    control::server_rows list(bool with_all) {
        return answer_of<control::server_rows>(
                   [&](auto done) { a->commands.list(with_all, std::move(done)); })
            .value();
    }
    /// `chat-1@a ok`, `chat-2@b late`.
    template <class Results>
    static std::vector<std::string> lines_of(const result<Results>& made) {
        std::vector<std::string> lines;
        for (const auto& one : made->results) {
            lines.push_back(fmt::format("{}@{} {}", one.id, one.machine.value_or("-"),
                                        one.reason.value_or("ok")));
        }
        return lines;
    }
    result<control::start_results> restart(const words& whom) {
        return answer_of<control::start_results>(
            [&](auto done) { a->commands.restart(whom, std::move(done)); });
    }

    base::manual_clock clock;
    test::fake_network net{clock};
    std::optional<machine> a;
    std::optional<machine> b;
    std::optional<machine> c;
};

TEST_F(three_machines, are_one_list) {
    std::vector<std::string> shown;
    for (const auto& each : list(false)) {
        shown.push_back(each.id + "@" + each.machine.value_or("-"));
    }
    EXPECT_THAT(shown, ElementsAre("chat-1@a", "gate-1@a", "chat-2@b", "door-2@b", "chat-3@c"));
    const auto all = list(true);
    EXPECT_EQ(all.size(), 11U) << "each has a page and a master";
    EXPECT_THAT(control::to_table(all), AllOf(HasSubstr("machine          id  "),
                                              HasSubstr("\nb                chat-2  ")));
    EXPECT_TRUE(control::health_of(all).healthy);
}

TEST_F(three_machines, mean_all_also_when_the_others_are_not_known_yet) {
    net.is_new = true;
    bool is_stopped = false;
    a->commands.stop({"all"}, [&](const result<void>&) { is_stopped = true; });
    std::optional<std::size_t> shown;
    a->commands.list(false, [&](const auto& rows) { shown = rows->size(); });
    EXPECT_THAT(a->own.asked, IsEmpty()) << "else it stops this machine alone";
    net.become_known();
    for (int i = 0; i < 40 && !(is_stopped && shown); ++i) {
        clock.advance({});
    }
    EXPECT_TRUE(is_stopped);
    EXPECT_EQ(shown, 5U);
    for (const auto* each : {&a, &b, &c}) {
        EXPECT_EQ((*each)->own.asked.size(), 1U);
    }
}

TEST_F(three_machines, show_the_one_whose_master_is_silent) {
    net.deaf = {"b"};
    const auto rows = list(false);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[2].id, "b");
    EXPECT_EQ(rows[2].state, "silent");
    EXPECT_TRUE(rows[2].missing);
    EXPECT_THAT(control::to_table(rows), HasSubstr("\nthe master of b is silent: no answer within "
                                                   "2 s; what runs there is not known\n"));
    const auto health = control::health_of(rows);
    EXPECT_EQ(control::to_text(health, rows), "not healthy: 3 of 4 serve, b is silent");
}

TEST_F(three_machines, have_what_is_asked_of_one_done_where_it_is) {
    EXPECT_EQ(ended(&cluster_commands::stop, {"chat-2"}), "");
    EXPECT_THAT(b->own.asked, ElementsAre("stop chat-2"));
    EXPECT_THAT(a->own.asked, IsEmpty());
    EXPECT_EQ(ended(&cluster_commands::kill, {"chat-1", "chat-3"}), "");
    EXPECT_THAT(a->own.asked, ElementsAre("kill chat-1"));
    EXPECT_THAT(c->own.asked, ElementsAre("kill chat-3"));
    EXPECT_EQ(ended(&cluster_commands::remove, {"door"}), "");
    EXPECT_THAT(b->own.asked, ElementsAre("stop chat-2", "remove door"));
    EXPECT_TRUE(
        answer_of<void>([&](auto done) { a->commands.drain({"chat-3"}, 5s, std::move(done)); }));
    EXPECT_THAT(c->own.asked, ElementsAre("kill chat-3", "drain 5000 chat-3"));
}

TEST_F(three_machines, have_types_and_all_done_by_each) {
    EXPECT_EQ(ended(&cluster_commands::stop, {"all"}), "");
    for (auto* one : {&a, &b, &c}) {
        EXPECT_THAT((*one)->own.asked, ElementsAre("stop all"));
        EXPECT_THAT(net.asked, Not(Contains(HasSubstr("b > c"))));
    }
    b->own.refusals = {{"chat", error(errc::config, "no space")}};
    EXPECT_EQ(ended(&cluster_commands::remove, {"chat"}), "b: no space");
    EXPECT_THAT(c->own.asked, ElementsAre("stop all", "remove chat"));
}

TEST_F(three_machines, mean_their_own_page_and_master_only) {
    EXPECT_EQ(ended(&cluster_commands::stop, {"web"}), "");
    EXPECT_THAT(a->own.asked, ElementsAre("stop web"));
    EXPECT_TRUE(restart({"master"}));
    EXPECT_THAT(a->own.asked, ElementsAre("stop web", "restart master"));
    EXPECT_THAT(b->own.asked, IsEmpty());
    a->commands.stop_everything();
    EXPECT_THAT(a->own.asked, Contains("stop everything"));
    EXPECT_THAT(b->own.asked, IsEmpty());
}

TEST_F(three_machines, name_the_nearest_of_all_and_change_nothing) {
    EXPECT_THAT(ended(&cluster_commands::stop, {"chat-1", "dor-2"}),
                AllOf(HasSubstr("'dor-2'; nearest: door-2"), Not(HasSubstr("silent"))));
    EXPECT_THAT(a->own.asked, IsEmpty());
    net.deaf = {"b"};
    EXPECT_THAT(ended(&cluster_commands::stop, {"chat-2"}),
                HasSubstr("\nthe master of b is silent: no answer within 2 s; what runs there is "
                          "not known"));
}

TEST_F(three_machines, do_what_they_can_while_one_is_silent_and_say_so) {
    net.deaf = {"b"};
    EXPECT_EQ(ended(&cluster_commands::stop, {"chat-3"}), "") << "who is silent is not meant";
    EXPECT_EQ(ended(&cluster_commands::stop, {"chat"}),
              "the master of b is silent: no answer within 2 s");
    EXPECT_THAT(a->own.asked, ElementsAre("stop chat"));
    EXPECT_THAT(c->own.asked, ElementsAre("stop chat-3", "stop chat"));
    EXPECT_THAT(lines_of(restart({"chat"})),
                ElementsAre("b@b no answer within 2 s", "chat-1@a ok", "chat-3@c ok"));
}

TEST_F(three_machines, are_restarted_one_after_the_other) {
    EXPECT_THAT(lines_of(restart({"chat", "door-2"})),
                ElementsAre("chat-1@a ok", "chat-2@b ok", "door-2@b ok", "chat-3@c ok"));
    b->own.reasons = {{"chat-2", "not ready after 60 s"}};
    EXPECT_THAT(lines_of(restart({"all"})),
                ElementsAre("chat-1@a ok", "gate-1@a ok", "chat-2@b not ready after 60 s",
                            "door-2@b ok",
                            "chat-3@c not touched: another server of its type has failed"));
    EXPECT_THAT(c->own.asked, ElementsAre("restart chat"));
}

TEST_F(three_machines, say_whose_part_of_a_restart_was_refused) {
    b->own.refusals = {{"chat", error(errc::duplicate, "another restart is under way")}};
    EXPECT_THAT(lines_of(restart({"chat"})),
                ElementsAre("chat-1@a ok", "chat-2@b another restart is under way",
                            "chat-3@c not touched: another server of its type has failed"));
    b->own.refusals = {{"door-2", error(errc::duplicate, "another restart is under way")}};
    EXPECT_EQ(restart({"door-2"}).error().text(), "another restart is under way")
        << "as if b were asked itself";
}

TEST_F(three_machines, are_reloaded_and_leave_the_rest_of_a_type_that_refuses) {
    const auto reload = [&](const control::reload_request& wanted) {
        return answer_of<control::reload_results>(
            [&](auto done) { a->commands.reload(wanted, std::move(done)); });
    };
    EXPECT_THAT(lines_of(reload({{"chat"}, true, false})),
                ElementsAre("chat-1@a ok", "chat-2@b ok", "chat-3@c ok"));
    EXPECT_THAT(c->own.asked, ElementsAre("reload back chat"));
    a->own.reasons = {{"chat-1", "bad module"}};
    EXPECT_THAT(lines_of(reload({{"chat", "door"}, false, true})),
                ElementsAre("chat-1@a bad module",
                            "chat-2@b not asked: another server of its type has refused",
                            "door-2@b ok",
                            "chat-3@c not asked: another server of its type has refused"));
    EXPECT_THAT(b->own.asked, ElementsAre("reload back chat", "reload dry door-2"));
}

TEST_F(three_machines, take_a_server_in_where_its_host_is) {
    const auto add = [&](const control::addition_keys& keys) {
        return answer_of<control::start_results>(
            [&](auto done) { a->commands.add(keys, std::move(done)); });
    };
    EXPECT_TRUE(add({{"id", "chat-9"}, {"host", "10.0.0.3"}}));
    EXPECT_THAT(c->own.asked, ElementsAre("add host=10.0.0.3 id=chat-9"));
    EXPECT_TRUE(add({{"id", "chat-8"}, {"host", "127.0.0.1"}}));
    EXPECT_TRUE(add({{"id", "chat-7"}, {"host", "10.0.0.1"}}));
    EXPECT_THAT(a->own.asked,
                ElementsAre("add id=chat-8 host=127.0.0.1", "add id=chat-7 host=10.0.0.1"));
    EXPECT_EQ(add({{"id", "chat-9"}, {"host", "10.0.0.9"}}).error().text(),
              "add: host: found '10.0.0.9', expected an address of a machine of the system: a "
              "(10.0.0.1), b (10.0.0.2), c (10.0.0.3)");
    EXPECT_EQ(add({{"host", "10.0.0.2"}}).error().code(), errc::config);
}

TEST_F(three_machines, change_their_log_levels) {
    const auto log = [&](const words& whom) {
        return answer_of<control::log_results>([&](auto done) {
            a->commands.log({{"debug", std::nullopt}, whom}, std::move(done));
        });
    };
    EXPECT_THAT(lines_of(log({"chat"})), ElementsAre("chat-1@a ok", "chat-2@b ok", "chat-3@c ok"));
    EXPECT_THAT(b->own.asked, ElementsAre("log debug - chat"));
    net.deaf = {"c"};
    EXPECT_THAT(lines_of(log({"master", "door"})),
                ElementsAre("c@c no answer within 2 s", "master@a ok", "door-2@b ok"));
}

TEST_F(three_machines, show_their_logs) {
    const auto logs = [&](const words& whom) {
        return answer_of<control::log_tails>([&](auto done) {
            a->commands.logs({whom, 5}, std::move(done));
        });
    };
    const auto two = logs({"chat-1", "chat-2"});
    EXPECT_THAT(lines_of(two), ElementsAre("chat-1@- ok", "chat-2@b ok"));
    EXPECT_THAT(two->results[1].lines, ElementsAre("line"));
    EXPECT_THAT(b->own.asked, ElementsAre("logs 5 chat-2"));
    logs({});
    EXPECT_THAT(c->own.asked, ElementsAre("logs 5 ")) << "all of it";
}

TEST_F(three_machines, give_all_their_numbers) {
    net.deaf = {"c"};
    const auto all = answer_of<std::vector<server_metrics>>(
        [&](auto done) { a->commands.metrics(std::move(done)); }, 3s);
    const auto text = prometheus_text(*all);
    EXPECT_THAT(text, HasSubstr(R"(shaddock_up{server="chat-1",type="chat",machine="a"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(shaddock_up{server="chat-2",type="chat",machine="b"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(shaddock_up{server="c",type="master",machine="c"} 0)"));
    EXPECT_THAT(text, Not(HasSubstr("chat-3")));
}

TEST_F(three_machines, hand_nothing_on_from_one_to_the_next) {
    restart({"all"});
    list(true);
    for (const auto& each : net.asked) {
        EXPECT_THAT(each, testing::StartsWith("a > "));
    }
}

TEST_F(three_machines, understand_masters_of_other_versions) {
    b->others->serve([](const std::string& request, peers::reply_call reply) {
        EXPECT_THAT(request, HasSubstr(R"({"what":"rows")"));
        reply(R"({"body":{"rows":[{"id":"chat-2","type":"chat","state":"hibernating","new":[1]}],)"
              R"("later":{}},"later":1})");
    });
    c->others->serve([](const std::string&, peers::reply_call reply) { reply("[]"); });
    const auto rows = list(false);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[2].state, "hibernating");
    EXPECT_EQ(rows[3].state, "silent");
    std::string said;
    std::optional<peers::reply_call> none;
    a->others->ask("a", R"({"what":"hibernate","args":{"x":1},"more":2})", 1s,
                   [&](const result<std::string>& reply) { said = *reply; });
    clock.advance({});
    clock.advance({});
    EXPECT_THAT(said, AllOf(HasSubstr("this master knows no command 'hibernate'"),
                            HasSubstr(R"("code":2)")));
}

TEST_F(three_machines, answer_nobody_any_more_once_they_are_gone) {
    c.reset();
    EXPECT_EQ(list(false).size(), 4U);
    EXPECT_EQ(ended(&cluster_commands::stop, {"chat"}), "");
}

TEST_F(three_machines, that_are_one_are_as_without_the_others) {
    b.reset();
    c.reset();
    EXPECT_EQ(control::to_json(list(false)),
              control::to_json(control::server_rows{row("chat-1", "chat"), row("gate-1", "gate")}));
    EXPECT_THAT(lines_of(restart({"chat"})), ElementsAre("chat-1@- ok"));
    EXPECT_EQ(ended(&cluster_commands::stop, {"chat"}), "");
    EXPECT_THAT(net.asked, IsEmpty());
}

TEST_F(three_machines, carry_answers_of_any_length) {
    b->own.lines = std::string(700'000, '"') + "\xC3\xA9";
    const auto logs = answer_of<control::log_tails>([&](auto done) {
        a->commands.logs({{"chat-2"}, 5}, std::move(done));
    });
    ASSERT_EQ(logs->results.size(), 1U);
    EXPECT_THAT(logs->results[0].lines, ElementsAre(b->own.lines));
    EXPECT_GT(net.longest, 900'000U) << "and none above the limit, which the network looks at";
    EXPECT_THAT(net.asked, Contains(HasSubstr(R"("what":"more")")));
    b->own.lines = std::string(most_answer_bytes, 'x');
    const auto long_one = answer_of<control::log_tails>([&](auto done) {
        a->commands.logs({{"chat-2"}, 5}, std::move(done));
    });
    EXPECT_THAT(long_one->results[0].reason.value_or(""), HasSubstr("ask for less"));
}

TEST_F(three_machines, keep_the_rest_of_a_long_answer_for_a_while) {
    b->own.lines = std::string(700'000, 'x');
    control::master_answer last;
    const auto ask = [&](const std::string& request) {
        a->others->ask("b", request, 1s, [&](const result<std::string>& reply) {
            last = control::from_json<control::master_answer>(*reply).value();
        });
        clock.advance({});
        clock.advance({});
    };
    const auto logs = R"({"what":"logs","args":{"targets":["chat-2"]}})";
    const auto ask_rest = [&](std::uint64_t number) {
        ask(fmt::format(R"({{"what":"more","args":{{"number":{},"part":1}}}})", number));
    };
    ask(logs);
    ASSERT_TRUE(last.part);
    EXPECT_EQ(last.part->parts, 2U);
    const auto number = last.part->number;
    clock.advance(9s);
    ask_rest(number);
    ASSERT_TRUE(last.part);
    EXPECT_THAT(last.part->text, testing::EndsWith(R"(xxx"]}]})"));
    ask_rest(number);
    EXPECT_THAT(last.error.value_or(""), HasSubstr("not kept any more")) << "all of it was given";
    ask(logs);
    clock.advance(11s);
    ask_rest(number + 1);
    EXPECT_THAT(last.error.value_or(""), HasSubstr("not kept any more"));
}

} // namespace
} // namespace shaddock::master
