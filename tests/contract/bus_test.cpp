#include "base/log.hpp"
#include "bus_worlds.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace shaddock::contract {

namespace {

using lines = std::vector<std::string>;

/// Servers "a" and "b", linked both ways.
struct pair {
    explicit pair(world& in, limits with = {}) : a(in.add("a", 1, with)), b(in.add("b", 2, with)) {
        EXPECT_TRUE(a.start({"a", "b"}));
        EXPECT_TRUE(b.start({"a", "b"}));
        in.link(a, "b");
        in.link(b, "a");
    }
    server& a;
    server& b;
};

} // namespace

TYPED_TEST_SUITE(bus_contract, bus_worlds, world_name);

TYPED_TEST(bus_contract, links_when_the_smaller_id_starts_first) {
    auto& a = this->in.add("a");
    ASSERT_TRUE(a.start({"a", "b"}));
    this->in.runs_for(30ms);
    auto& b = this->in.add("b", 2);
    ASSERT_TRUE(b.start({"a", "b"}));
    ASSERT_TRUE(this->in.runs_until([&] { return !a.heard.empty() && !b.heard.empty(); }));
    EXPECT_EQ(a.heard, (lines{"up b@2"}));
    EXPECT_EQ(b.heard, (lines{"up a@1"}));
}

TYPED_TEST(bus_contract, links_when_the_larger_id_starts_first) {
    auto& b = this->in.add("b", 2);
    ASSERT_TRUE(b.start({"a", "b"}));
    this->in.runs_for(30ms);
    auto& a = this->in.add("a");
    ASSERT_TRUE(a.start({"a", "b"}));
    ASSERT_TRUE(this->in.runs_until([&] { return !a.heard.empty() && !b.heard.empty(); }));
    EXPECT_EQ(a.heard, (lines{"up b@2"}));
    EXPECT_EQ(b.heard, (lines{"up a@1"}));
}

TYPED_TEST(bus_contract, links_when_only_one_side_wants_it) {
    for (const bool smaller_wants : {true, false}) {
        auto& a = this->in.add("a");
        auto& b = this->in.add("b");
        ASSERT_TRUE(a.start(smaller_wants ? lines{"b"} : lines{}));
        ASSERT_TRUE(b.start(smaller_wants ? lines{} : lines{"a"}));
        this->in.link(a, "b");
        this->in.link(b, "a");
        this->in.stop_all();
    }
}

TYPED_TEST(bus_contract, links_to_ids_that_are_added_later_and_lists_them_sorted) {
    auto& b = this->in.add("b", 7);
    ASSERT_TRUE(b.start({}));
    ASSERT_TRUE(this->in.add("c", 8).start({}));
    ASSERT_TRUE(this->in.add("a", 9).start({}));
    b.links().set_peers({"c", "b", "a", "c"});
    this->in.link(b, "a");
    this->in.link(b, "c");
    EXPECT_EQ(b.links().linked(), (std::vector<bus::peer>{{"a", static_cast<incarnation>(9)},
                                                          {"c", static_cast<incarnation>(8)}}));
    EXPECT_FALSE(b.links().is_linked("b"));
    EXPECT_FALSE(b.links().is_linked("d"));
}

TYPED_TEST(bus_contract, links_an_old_build_with_a_new_one_by_the_highest_common_version) {
    auto& old = this->in.add("b", 1, {.versions = {1, 1}});
    ASSERT_TRUE(old.start({"a", "c"}));
    for (const std::string id : {"a", "c"}) { // one that dials, one that is dialled
        auto& fresh = this->in.add(id, 2, {.versions = {1, 2}});
        ASSERT_TRUE(fresh.start({"b"}));
        this->in.link(old, id);
        this->in.link(fresh, "b");
        EXPECT_EQ(fresh.links().linked().front().version, 1);
        const auto there = call(this->in, old, id, echo, "from the old one");
        const auto back = call(this->in, fresh, "b", echo, "from the new one");
        ASSERT_TRUE(this->in.runs_until([&] { return there->is_done() && back->is_done(); }));
        ASSERT_TRUE(there->what);
        EXPECT_EQ(*there->what, "from the old one");
        ASSERT_TRUE(back->what);
        EXPECT_EQ(*back->what, "from the new one");
    }
    for (const auto& each : old.links().linked()) {
        EXPECT_EQ(each.version, 1) << each.id;
    }
    auto& fresh = this->in.add("d", 2, {.versions = {2, 3}});
    ASSERT_TRUE(fresh.start({"a"}));
    this->in.link(fresh, "a");
    EXPECT_EQ(fresh.links().linked().front().version, 2);
}

TYPED_TEST(bus_contract, refuses_on_both_sides_who_speaks_no_common_version) {
    const auto file =
        std::filesystem::temp_directory_path() / fmt::format("bus-versions-{}.log", ::getpid());
    base::log::start("test", {.file = file, .console = false});
    auto& fresh = this->in.add("a", 1, {.versions = {3, 4}});
    auto& old = this->in.add("b", 2, {.versions = {1, 2}});
    ASSERT_TRUE(fresh.start({"b"}));
    ASSERT_TRUE(old.start({"a"}));
    // Of who refuses, and of who is refused.
    lines told[2];
    ASSERT_TRUE(this->in.runs_until([&] {
        told[0].clear();
        told[1].clear();
        std::ifstream written(file);
        for (std::string line; std::getline(written, line);) {
            if (line.find("no link with") != std::string::npos) {
                told[line.find("it refuses: ") != std::string::npos ? 1 : 0].push_back(line);
            }
        }
        return !told[0].empty() && !told[1].empty();
    }));
    base::log::start("test", {});
    std::filesystem::remove(file);
    for (const auto& line : {told[0].front(), told[1].front()}) {
        for (const auto part : {"3 to 4", "1 to 2", "'a'", "'b'", "a build in between"}) {
            EXPECT_NE(line.find(part), std::string::npos) << line;
        }
    }
    EXPECT_TRUE(fresh.heard.empty());
    EXPECT_TRUE(old.heard.empty());
    const auto done = call(this->in, fresh, "b", echo, "x");
    ASSERT_TRUE(this->in.runs_until([&] { return done->is_done(); }));
    EXPECT_EQ(done->code(), errc::no_server);
}

TYPED_TEST(bus_contract, answers_a_call_with_the_bytes_as_they_are) {
    pair two(this->in);
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all.push_back(static_cast<char>(i));
    }
    const auto there = call(this->in, two.a, "b", echo, all);
    const auto back = call(this->in, two.b, "a", echo, "");
    ASSERT_TRUE(this->in.runs_until([&] { return there->is_done() && back->is_done(); }));
    ASSERT_TRUE(there->what);
    EXPECT_EQ(*there->what, all);
    ASSERT_TRUE(back->what);
    EXPECT_EQ(*back->what, "");
}

TYPED_TEST(bus_contract, brings_a_remote_error_as_it_was_sent) {
    pair two(this->in);
    const auto done = call(this->in, two.a, "b", fail, "the shop is closed");
    ASSERT_TRUE(this->in.runs_until([&] { return done->is_done(); }));
    ASSERT_TRUE(done->what.has_error());
    EXPECT_EQ(done->code(), errc::application);
    EXPECT_EQ(done->what.error().text(), "the shop is closed");
    EXPECT_EQ(done->what.error().client_code(), 1234);
}

TYPED_TEST(bus_contract, answers_internal_when_the_responder_is_dropped) {
    pair two(this->in);
    const auto done = call(this->in, two.a, "b", drop, "x");
    ASSERT_TRUE(this->in.runs_until([&] { return done->is_done(); }));
    EXPECT_EQ(done->code(), errc::internal);
}

TYPED_TEST(bus_contract, answers_a_call_later_and_out_of_order) {
    pair two(this->in);
    const auto first = call(this->in, two.a, "b", never, "1");
    const auto second = call(this->in, two.a, "b", never, "2");
    ASSERT_TRUE(this->in.runs_until([&] { return two.b.kept.size() == 2; }));
    two.b.kept[1].reply(std::string("two"));
    ASSERT_TRUE(this->in.runs_until([&] { return second->is_done(); }));
    EXPECT_FALSE(first->is_done());
    two.b.kept[0].reply(std::string("one"));
    two.b.kept[0].reply(std::string("once more: ignored"));
    ASSERT_TRUE(this->in.runs_until([&] { return first->is_done(); }));
    EXPECT_EQ(*first->what, "one");
    EXPECT_EQ(*second->what, "two");
}

TYPED_TEST(bus_contract, counts_calls_by_outcome_and_bytes_both_ways) {
    pair two(this->in);
    const std::string text(1000, 'x');
    const auto answered = call(this->in, two.a, "b", echo, text);
    const auto failed = call(this->in, two.a, "b", fail, "x");
    const auto nowhere = call(this->in, two.a, "nobody", echo, "x");
    const auto waits = call(this->in, two.a, "b", never, "x");
    ASSERT_TRUE(two.a.links().cast("b", {1, text}));
    ASSERT_TRUE(this->in.runs_until([&] {
        return answered->is_done() && failed->is_done() && nowhere->is_done() &&
               two.b.links().counts().served == 4;
    }));
    const auto& here = two.a.links().counts();
    const auto& there = two.b.links().counts();
    EXPECT_EQ(here.calls.ok(), 1U);
    EXPECT_EQ(here.calls.of(errc::application), 1U);
    EXPECT_EQ(here.calls.of(errc::no_server), 1U);
    EXPECT_EQ(here.calls.total(), 3U) << "one waits";
    EXPECT_EQ(two.a.links().calls_in_flight(), 1U);
    EXPECT_EQ(here.casts, 1U);
    EXPECT_EQ(there.served, 4U);
    EXPECT_GE(here.bytes_out, 2000U);
    EXPECT_LT(here.bytes_out, 3000U);
    EXPECT_GE(here.bytes_in, 1000U);
    EXPECT_EQ(there.bytes_in, here.bytes_out);
    EXPECT_EQ(here.bytes_in, there.bytes_out);
    const auto queues = two.a.links().queues();
    ASSERT_EQ(queues.size(), 1U);
    EXPECT_EQ(queues[0].peer, "b");
    two.b.links().report_dead({"a", static_cast<incarnation>(1)});
    ASSERT_TRUE(this->in.runs_until([&] { return waits->is_done(); }));
    EXPECT_EQ(here.calls.of(errc::disconnected), 1U);
    EXPECT_EQ(here.links_lost, 1U);
    EXPECT_EQ(there.links_lost, 1U);
}

TYPED_TEST(bus_contract, ends_a_call_without_a_link_in_no_server) {
    auto& a = this->in.add("a");
    ASSERT_TRUE(a.start({"b"}));
    const auto down = call(this->in, a, "b", echo, "x");
    const auto unknown = call(this->in, a, "nobody", echo, "x");
    const auto self = call(this->in, a, "a", echo, "x");
    ASSERT_TRUE(this->in.runs_until([&] { return self->is_done(); }));
    EXPECT_EQ(down->code(), errc::no_server);
    EXPECT_EQ(unknown->code(), errc::no_server);
    EXPECT_EQ(self->code(), errc::no_server);
    const auto sent = a.links().cast("b", {1, "x"});
    ASSERT_TRUE(sent.has_error());
    EXPECT_EQ(sent.error().code(), errc::no_server);
}

TYPED_TEST(bus_contract, ends_a_call_at_its_deadline_and_drops_the_late_answer) {
    pair two(this->in);
    const auto begin = this->in.clock.now();
    const auto slow = call(this->in, two.a, "b", never, "x", 60ms);
    const auto slower = call(this->in, two.a, "b", never, "x", 10s);
    const auto quick = call(this->in, two.a, "b", never, "x", 20ms);
    ASSERT_TRUE(this->in.runs_until([&] { return quick->is_done(); }));
    EXPECT_FALSE(slow->is_done());
    ASSERT_TRUE(this->in.runs_until([&] { return slow->is_done(); }));
    EXPECT_GE(this->in.clock.now() - begin, 60ms);
    EXPECT_EQ(slow->code(), errc::timeout);
    EXPECT_EQ(quick->code(), errc::timeout);
    for (auto& late : two.b.kept) {
        late.reply(std::string("late"));
    }
    ASSERT_TRUE(this->in.runs_until([&] { return slower->is_done(); }));
    ASSERT_TRUE(slower->what);
    EXPECT_EQ(slow->times, 1);
    EXPECT_EQ(slow->code(), errc::timeout);
}

TYPED_TEST(bus_contract, ends_a_call_whose_deadline_has_passed_without_sending_it) {
    pair two(this->in);
    const auto late = call(this->in, two.a, "b", echo, "late", 0ms);
    const auto next = call(this->in, two.a, "b", echo, "next");
    ASSERT_TRUE(this->in.runs_until([&] { return next->is_done(); }));
    EXPECT_EQ(late->code(), errc::timeout);
    EXPECT_FALSE(two.b.has_heard("call a 1 late"));
    EXPECT_TRUE(two.b.has_heard("call a 1 next"));
}

TYPED_TEST(bus_contract, carries_the_deadline_to_the_other_side) {
    pair two(this->in);
    const auto sent = this->in.clock.now();
    const auto done = call(this->in, two.a, "b", never, "x", 5s);
    two.a.links().call("b", {never, "y"}, base::time_point::max(), [](result<std::string>) {});
    ASSERT_TRUE(this->in.runs_until([&] { return two.b.kept.size() == 2; }));
    const auto now = this->in.clock.now();
    EXPECT_GE(two.b.kept[0].deadline(), sent + 5s);
    EXPECT_LE(two.b.kept[0].deadline(), now + 5s + 1ms);
    EXPECT_GT(two.b.kept[1].deadline(), now + 24h);
}

TYPED_TEST(bus_contract, refuses_what_is_over_the_limit_of_a_message) {
    pair two(this->in, {.queue_limit = 1024 * 1024, .frame_limit = 1000});
    const std::string fits(1000, 'f');
    const std::string too_long(1001, 'l');
    const auto bad = call(this->in, two.a, "b", echo, too_long);
    const auto good = call(this->in, two.a, "b", echo, fits);
    const auto cast = two.a.links().cast("b", {1, too_long});
    ASSERT_TRUE(cast.has_error());
    EXPECT_EQ(cast.error().code(), errc::bad_request);
    const auto answer_too_long = call(this->in, two.a, "b", never, "x");
    ASSERT_TRUE(this->in.runs_until([&] { return good->is_done() && !two.b.kept.empty(); }));
    EXPECT_EQ(bad->code(), errc::bad_request);
    EXPECT_EQ(*good->what, fits);
    two.b.kept[0].reply(too_long);
    ASSERT_TRUE(this->in.runs_until([&] { return answer_too_long->is_done(); }));
    EXPECT_EQ(answer_too_long->code(), errc::internal);
    EXPECT_TRUE(two.a.links().is_linked("b"));
}

TYPED_TEST(bus_contract, keeps_the_order_of_calls_casts_and_big_messages_of_a_pair) {
    pair two(this->in, {.queue_limit = 64 * 1024 * 1024});
    const auto before = two.b.heard.size();
    lines sent;
    std::vector<std::shared_ptr<outcome>> calls;
    for (int i = 0; i < 300; ++i) {
        // Sizes around the read buffer and up to 2 MiB.
        const std::size_t size = i % 50 == 7   ? 2 * 1024 * 1024
                                 : i % 10 == 3 ? 65530 + static_cast<std::size_t>(i % 13)
                                               : 3;
        auto bytes = fmt::format("{:03}", i);
        bytes.resize(size, '.');
        const auto text = size == 3 ? bytes : fmt::format("({} bytes)", size);
        if (i % 3 == 0) {
            calls.push_back(call(this->in, two.a, "b", echo, bytes));
            sent.push_back("call a 1 " + text);
        } else {
            ASSERT_TRUE(two.a.links().cast("b", {9, bytes}));
            sent.push_back("cast a 9 " + text);
        }
    }
    ASSERT_TRUE(this->in.runs_until([&] { return calls.back()->is_done(); }));
    ASSERT_TRUE(this->in.runs_until([&] { return two.b.heard.size() >= before + sent.size(); }));
    EXPECT_EQ(lines(two.b.heard.begin() + static_cast<std::ptrdiff_t>(before), two.b.heard.end()),
              sent);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        ASSERT_TRUE(calls[i]->what) << i;
        EXPECT_EQ(calls[i]->what->substr(0, 3), fmt::format("{:03}", i * 3));
        EXPECT_EQ(calls[i]->times, 1);
    }
}

TYPED_TEST(bus_contract, keeps_the_order_of_casts_and_answers_of_a_pair) {
    pair two(this->in);
    lines events;
    two.a.on_event = [&](const std::string& line) { events.push_back(line); };
    two.a.links().call("b", {never, "x"}, this->in.clock.now() + 10s,
                       [&](result<std::string>) { events.push_back("answer"); });
    ASSERT_TRUE(this->in.runs_until([&] { return two.b.kept.size() == 1; }));
    ASSERT_TRUE(two.b.links().cast("a", {1, "before"}));
    two.b.kept[0].reply(std::string("r"));
    ASSERT_TRUE(two.b.links().cast("a", {1, "after"}));
    ASSERT_TRUE(this->in.runs_until([&] { return events.size() == 3; }));
    EXPECT_EQ(events, (lines{"cast b 1 before", "answer", "cast b 1 after"}));
}

TYPED_TEST(bus_contract, answers_ten_thousand_calls_in_flight_once_each) {
    pair two(this->in);
    std::vector<int> answers;
    int wrong = 0;
    for (int i = 0; i < 10000; ++i) {
        two.a.links().call("b", {echo, std::to_string(i)}, this->in.clock.now() + 10s,
                           [&, i](result<std::string> what) {
                               wrong += what && *what == std::to_string(i) ? 0 : 1;
                               answers.push_back(i);
                           });
    }
    ASSERT_TRUE(this->in.runs_until([&] { return answers.size() >= 10000; }));
    this->in.runs_for(5ms);
    EXPECT_EQ(answers.size(), 10000U);
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
}

TYPED_TEST(bus_contract, refuses_an_id_that_is_running) {
    auto& first = this->in.add("a");
    ASSERT_TRUE(first.start({}));
    auto& second = this->in.add("a", 2);
    const auto started = second.start({});
    ASSERT_TRUE(started.has_error());
    EXPECT_EQ(started.error().code(), errc::duplicate);
    EXPECT_NE(started.error().text().find("'a'"), std::string::npos) << started.error().text();
    this->in.remove(second);
    auto& b = this->in.add("b");
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(b, "a");
    EXPECT_EQ(b.heard, (lines{"up a@1"}));
}

TYPED_TEST(bus_contract, cancels_its_calls_and_says_goodbye_when_it_stops) {
    pair two(this->in);
    const auto flying = call(this->in, two.a, "b", never, "x");
    ASSERT_TRUE(this->in.runs_until([&] { return two.b.kept.size() == 1; }));
    two.a.stop();
    EXPECT_FALSE(two.a.is_stopped());
    EXPECT_FALSE(flying->is_done());
    const auto after = call(this->in, two.a, "b", echo, "x");
    EXPECT_EQ(two.a.links().cast("b", {1, "x"}).error().code(), errc::cancelled);
    ASSERT_TRUE(this->in.runs_until([&] { return two.a.is_stopped(); }));
    EXPECT_EQ(flying->code(), errc::cancelled);
    EXPECT_EQ(after->code(), errc::cancelled);
    EXPECT_EQ(two.a.link_news(), (lines{"up b@2", "down b@2 stopped"}));
    ASSERT_TRUE(this->in.runs_until([&] { return two.b.link_news().size() == 2; }));
    EXPECT_EQ(two.b.link_news(), (lines{"up a@1", "down a@1 bye"}));
    // The one who asked is gone: the answer goes nowhere, and nothing else happens.
    two.b.kept[0].reply(std::string("too late"));
}

TYPED_TEST(bus_contract, ends_a_call_of_before_its_start_or_after_its_stop_though_it_be_gone) {
    world& all = this->in;
    std::vector<errc> ended;
    const auto call_once = [&](bus::bus& by) {
        by.call("b", {echo, "x"}, all.clock.now() + 10s,
                [&](const result<std::string>& got) { ended.push_back(got.error().code()); });
    };
    auto idle = all.make("a", incarnation{1}, {});
    call_once(*idle);
    EXPECT_TRUE(ended.empty());
    idle.reset();
    auto stopped = all.make("a", incarnation{1}, {});
    bool is_stopped = false;
    stopped->stop([&] { is_stopped = true; });
    ASSERT_TRUE(all.runs_until([&] { return is_stopped; }));
    call_once(*stopped);
    EXPECT_EQ(ended, std::vector{errc::no_server});
    stopped.reset();
    ASSERT_TRUE(all.runs_until([&] { return ended.size() == 2; }));
    EXPECT_EQ(ended[1], errc::cancelled);
}

TYPED_TEST(bus_contract, delivers_what_was_sent_before_it_stopped) {
    pair two(this->in);
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(two.a.links().cast("b", {1, std::to_string(i)}));
    }
    two.a.stop();
    ASSERT_TRUE(this->in.runs_until([&] { return two.b.has_heard("down a@1 bye"); }));
    EXPECT_EQ(two.b.heard.size(), 102U);
    EXPECT_EQ(two.b.heard[100], "cast a 1 99");
}

TYPED_TEST(bus_contract, lets_a_responder_outlive_its_bus) {
    std::vector<bus::responder> kept;
    {
        pair two(this->in);
        const auto done = call(this->in, two.a, "b", never, "x");
        ASSERT_TRUE(this->in.runs_until([&] { return two.b.kept.size() == 1; }));
        kept = std::move(two.b.kept);
        this->in.remove(two.b);
        ASSERT_TRUE(this->in.runs_until([&] { return done->is_done(); }));
        EXPECT_EQ(done->code(), errc::disconnected);
    }
    kept[0].reply(std::string("into the void"));
}

TYPED_TEST(bus_contract, may_be_called_from_its_own_callbacks) {
    auto& a = this->in.add("a");
    auto& b = this->in.add("b");
    // A cast from on_link_up arrives after the other's on_link_up.
    a.on_event = [&](const std::string& line) {
        if (line == "up b@1") {
            EXPECT_TRUE(a.links().cast("b", {1, "hello"}));
        }
    };
    b.on_event = [&](const std::string& line) {
        if (line == "cast a 1 hello") {
            EXPECT_TRUE(b.links().cast("a", {1, "hello yourself"}));
        }
    };
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    ASSERT_TRUE(this->in.runs_until([&] { return a.has_heard("cast b 1 hello yourself"); }));
    EXPECT_EQ(b.heard, (lines{"up a@1", "cast a 1 hello"}));

    int depth = 0;
    std::function<void()> chain = [&] {
        a.links().call("b", {echo, "again"}, this->in.clock.now() + 10s,
                       [&](const result<std::string>& what) {
                           EXPECT_TRUE(what);
                           if (++depth < 100) {
                               chain();
                           }
                       });
    };
    chain();
    ASSERT_TRUE(this->in.runs_until([&] { return depth == 100; }));
}

TYPED_TEST(bus_contract, may_be_stopped_from_a_callback) {
    for (const std::string when : {"up b@2", "cast b 1 now", "completion", "down b@2 lost"}) {
        auto& a = this->in.add("a", 1);
        auto& b = this->in.add("b", 2);
        a.on_event = [&](const std::string& line) {
            if (line == when) {
                a.stop();
            }
        };
        ASSERT_TRUE(a.start({"b"}));
        ASSERT_TRUE(b.start({"a"}));
        if (when != "up b@2") {
            this->in.link(a, "b");
            this->in.link(b, "a");
            // More frames than the one that stops it: they are not served.
            ASSERT_TRUE(b.links().cast("a", {1, "now"}));
            ASSERT_TRUE(b.links().cast("a", {1, "later"}));
            a.links().call("b", {echo, "x"}, this->in.clock.now() + 10s,
                           [&](const result<std::string>&) {
                               if (when == "completion") {
                                   a.stop();
                               }
                           });
            if (when == "down b@2 lost") {
                this->in.runs_for(5ms);
                b.links().report_dead({"a", static_cast<incarnation>(1)});
            }
        }
        ASSERT_TRUE(this->in.runs_until([&] { return a.is_stopped(); })) << when;
        if (when == "cast b 1 now") {
            EXPECT_FALSE(a.has_heard("cast b 1 later"));
        }
        this->in.stop_all();
    }
}

} // namespace shaddock::contract
