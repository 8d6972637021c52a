#include "bus_worlds.hpp"

#include <algorithm>

namespace shaddock::contract {

namespace {

using lines = std::vector<std::string>;

template <class World>
class bus_faults_contract : public bus_contract<World> {};

} // namespace

TYPED_TEST_SUITE(bus_faults_contract, bus_worlds, world_name);

TYPED_TEST(bus_faults_contract, answers_overloaded_when_the_queue_is_full) {
    auto& a = this->in.add("a", 1, {.queue_limit = 64 * 1024});
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    this->in.link(b, "a");
    // Far more than a socket's own buffer takes.
    const std::string bytes(16 * 1024, 'x');
    std::vector<std::shared_ptr<outcome>> calls;
    for (int i = 0; i < 200; ++i) {
        calls.push_back(call(this->in, a, "b", echo, bytes));
    }
    ASSERT_TRUE(this->in.runs_until([&] {
        return std::all_of(calls.begin(), calls.end(),
                           [](const auto& one) { return one->is_done(); });
    }));
    std::size_t overloaded = 0;
    std::size_t answered = 0;
    for (const auto& one : calls) {
        overloaded += one->code() == errc::overloaded ? 1 : 0;
        answered += one->what ? 1 : 0;
    }
    EXPECT_GT(overloaded, 0U);
    EXPECT_GT(answered, 0U);
    EXPECT_EQ(overloaded + answered, calls.size());
    const auto served = std::count_if(b.heard.begin(), b.heard.end(),
                                      [](const auto& line) { return line.starts_with("call"); });
    EXPECT_EQ(static_cast<std::size_t>(served), answered) << "an overloaded call was executed";
    EXPECT_EQ(a.link_news(), (lines{"up b@1"}));
}

TYPED_TEST(bus_faults_contract, takes_any_one_message_into_an_empty_queue) {
    auto& a = this->in.add("a", 1, {.queue_limit = 64 * 1024});
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    const std::string big(16 * 1024 * 1024, 'x');
    const auto done = call(this->in, a, "b", echo, big, this->in.patience);
    ASSERT_TRUE(this->in.runs_until([&] { return done->is_done(); }));
    ASSERT_TRUE(done->what) << done->what.error().text();
    EXPECT_EQ(*done->what, big);
}

TYPED_TEST(bus_faults_contract, refuses_a_cast_that_does_not_fit_and_keeps_the_link) {
    auto& a = this->in.add("a", 1, {.queue_limit = 64 * 1024});
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    this->in.link(b, "a");
    const auto flying = call(this->in, a, "b", never, "x");
    const std::string bytes(16 * 1024, 'x');
    std::size_t sent = 0;
    auto last = a.links().cast("b", {1, bytes});
    for (; last && sent < 1000; ++sent) {
        last = a.links().cast("b", {1, bytes});
    }
    ASSERT_TRUE(last.has_error());
    EXPECT_EQ(last.error().code(), errc::overloaded);
    EXPECT_TRUE(a.links().admits("b", bytes.size(), {}).has_error());
    EXPECT_EQ(a.links().counts().refused_casts, 2U);
    const auto refused = call(this->in, a, "b", echo, bytes);
    // What was taken arrives, what was refused does not, and the link is the same.
    const auto arrived = [&] {
        return static_cast<std::size_t>(
            std::count(b.heard.begin(), b.heard.end(), "cast a 1 (16384 bytes)"));
    };
    ASSERT_TRUE(this->in.runs_until([&] { return arrived() == sent && refused->is_done(); }));
    EXPECT_EQ(refused->code(), errc::overloaded);
    ASSERT_TRUE(this->in.runs_until([&] { return bool(a.links().cast("b", {1, "again"})); }));
    ASSERT_TRUE(this->in.runs_until([&] { return b.has_heard("cast a 1 again"); }));
    EXPECT_EQ(arrived(), sent);
    EXPECT_FALSE(flying->is_done());
    EXPECT_EQ(a.link_news(), (lines{"up b@1"}));
    EXPECT_EQ(b.link_news(), (lines{"up a@1"}));
}

TYPED_TEST(bus_faults_contract, takes_every_membership_and_keeps_the_last_ones_while_it_is_full) {
    auto& a = this->in.add("a", 1, {.queue_limit = 64 * 1024});
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    const std::string bytes(1000, 'x');
    for (int i = 0; i < 10000; ++i) {
        ASSERT_TRUE(a.links().tell("b", {2, bytes}, fmt::format("session {}", i % 10)));
    }
    for (int i = 0; i < 10; ++i) {
        const auto news = fmt::format("last news of {}", i);
        ASSERT_TRUE(a.links().tell("b", {2, news}, fmt::format("session {}", i)));
    }
    EXPECT_GT(a.links().counts().memberships_replaced, 9000U);
    EXPECT_LE(a.links().queues().front().bytes, 80U * 1024);
    EXPECT_TRUE(a.links().cast("b", {1, "x"}).has_error()) << "it would overtake them";
    ASSERT_TRUE(this->in.runs_until([&] { return b.has_heard("cast a 2 last news of 9"); }));
    const lines last(b.heard.end() - 10, b.heard.end());
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(last[static_cast<std::size_t>(i)], fmt::format("cast a 2 last news of {}", i));
    }
    ASSERT_TRUE(a.links().cast("b", {1, "x"}));
    EXPECT_EQ(a.link_news(), (lines{"up b@1"}));
}

TYPED_TEST(bus_faults_contract, a_room_that_is_flooded_does_not_keep_out_another) {
    auto& a = this->in.add("a", 1, {.queue_limit = 64 * 1024});
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    // Little to carry, much to do.
    const bus::load flood{7, 16 * 1024};
    std::size_t sent = 0;
    while (sent < 1000 && a.links().cast("b", {1, "flood"}, flood)) {
        ++sent;
    }
    EXPECT_GE(sent, 4U);
    EXPECT_LE(sent, 16U);
    EXPECT_TRUE(a.links().cast("b", {1, "quiet"}, {8, 1024}));
    ASSERT_TRUE(this->in.runs_until([&] { return b.has_heard("cast a 1 quiet"); }));
    ASSERT_TRUE(this->in.runs_until([&] {
        return bool(a.links().cast("b", {1, "flood"}, flood));
    })) << "the other side has said that it is done";
}

TYPED_TEST(bus_faults_contract, an_old_build_that_knows_no_marks_is_bounded_by_bytes) {
    auto& a = this->in.add("a", 1, {.queue_limit = 64 * 1024});
    auto& b = this->in.add("b", 1, {.versions = {2, 3}});
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(a.links().cast("b", {1, "x"}, {7, 16 * 1024}));
    }
    ASSERT_TRUE(this->in.runs_until(
        [&] { return std::count(b.heard.begin(), b.heard.end(), "cast a 1 x") == 200; }));
    EXPECT_EQ(a.link_news(), (lines{"up b@1"}));
}

TYPED_TEST(bus_faults_contract, ends_calls_before_it_tells_of_the_loss) {
    auto& a = this->in.add("a");
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    this->in.link(b, "a");
    lines events;
    a.on_event = [&](const std::string& line) { events.push_back(line); };
    for (int i = 0; i < 3; ++i) {
        a.links().call("b", {never, "x"}, this->in.clock.now() + 10s,
                       [&events, i](const result<std::string>& what) {
                           ASSERT_TRUE(what.has_error());
                           events.push_back(
                               fmt::format("{} {}", i, to_string(what.error().code())));
                       });
    }
    ASSERT_TRUE(this->in.runs_until([&] { return b.kept.size() == 3; }));
    b.links().report_dead({"a", static_cast<incarnation>(1)});
    ASSERT_TRUE(this->in.runs_until([&] { return events.size() >= 4; }));
    EXPECT_EQ(events,
              (lines{"0 disconnected", "1 disconnected", "2 disconnected", "down b@1 lost"}));
}

TYPED_TEST(bus_faults_contract, tells_of_a_crash_first_the_loss_then_the_death) {
    // On both sides of the one who dials.
    for (const std::string id : {"a", "z"}) {
        auto& m = this->in.add("m");
        ASSERT_TRUE(m.start({id}));
        auto gone = this->in.add_victim(id, 5, {"m"});
        this->in.link(m, id);
        const auto flying = call(this->in, m, id, never, "x");
        this->in.runs_for(20ms);
        const auto begin = std::chrono::steady_clock::now();
        gone->kill();
        ASSERT_TRUE(this->in.runs_until([&] { return m.link_news().size() >= 3; }));
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
        EXPECT_EQ(m.link_news(),
                  (lines{"up " + id + "@5", "down " + id + "@5 lost", "dead " + id + "@5"}));
        EXPECT_EQ(flying->code(), errc::disconnected);
        const auto after = call(this->in, m, id, echo, "x");
        ASSERT_TRUE(this->in.runs_until([&] { return after->is_done(); }));
        EXPECT_EQ(after->code(), errc::no_server);
        this->in.stop_all();
    }
}

TYPED_TEST(bus_faults_contract, tells_of_the_old_life_s_death_before_the_new_life_s_link) {
    for (const std::string id : {"a", "z"}) {
        auto& m = this->in.add("m");
        ASSERT_TRUE(m.start({id}));
        auto old = this->in.add_victim(id, 5, {"m"});
        this->in.link(m, id);
        old->kill();
        // The loop of "m" has not run since: it finds both at once.
        auto young = this->in.add_victim(id, 6, {"m"});
        ASSERT_TRUE(this->in.runs_until([&] { return m.has_heard("up " + id + "@6"); }));
        lines news = m.link_news();
        // Whether the loss is seen as such or as the death depends on who is first.
        std::erase(news, "down " + id + "@5 lost");
        std::replace(news.begin(), news.end(), "down " + id + "@5 dead", "dead " + id + "@5");
        EXPECT_EQ(news, (lines{"up " + id + "@5", "dead " + id + "@5", "up " + id + "@6"}));
        young->kill();
        this->in.stop_all();
    }
}

TYPED_TEST(bus_faults_contract, links_again_with_each_new_life_after_a_goodbye) {
    auto& m = this->in.add("m");
    ASSERT_TRUE(m.start({"a", "z"}));
    lines expected;
    for (std::uint64_t life = 1; life <= 4; ++life) {
        for (const std::string id : {"a", "z"}) {
            auto& other = this->in.add(id, life);
            ASSERT_TRUE(other.start({"m"}));
            const auto name = fmt::format("{}@{}", id, life);
            ASSERT_TRUE(this->in.runs_until([&] { return m.has_heard("up " + name); }));
            this->in.remove(other);
            ASSERT_TRUE(this->in.runs_until([&] { return m.has_heard("down " + name + " bye"); }));
            expected.push_back("up " + name);
            expected.push_back("down " + name + " bye");
        }
    }
    this->in.runs_for(30ms);
    EXPECT_EQ(m.link_news(), expected) << "a goodbye is the last word on a life";
}

TYPED_TEST(bus_faults_contract, dials_for_ever_and_links_a_newcomer_at_once) {
    for (const std::string id : {"a", "z"}) {
        auto& m = this->in.add("m");
        ASSERT_TRUE(m.start({id}));
        this->in.runs_for(700ms); // by then the time between two attempts has grown to its longest
        auto& late = this->in.add(id);
        const auto begin = std::chrono::steady_clock::now();
        ASSERT_TRUE(late.start({"m"}));
        this->in.link(m, id);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 100ms);
        this->in.stop_all();
    }
}

TYPED_TEST(bus_faults_contract, takes_the_word_of_others_that_a_server_is_dead) {
    auto& a = this->in.add("a");
    auto& b = this->in.add("b", 5);
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    this->in.link(b, "a");
    const auto flying = call(this->in, a, "b", never, "x");
    a.links().report_dead({"b", static_cast<incarnation>(4)}); // a former life: old news
    this->in.runs_for(20ms);
    EXPECT_TRUE(a.links().is_linked("b"));
    EXPECT_EQ(a.link_news(), (lines{"up b@5"}));

    a.links().report_dead({"b", static_cast<incarnation>(5)});
    EXPECT_FALSE(a.links().is_linked("b"));
    ASSERT_TRUE(this->in.runs_until([&] { return flying->is_done(); }));
    EXPECT_EQ(flying->code(), errc::disconnected);
    a.links().report_dead({"b", static_cast<incarnation>(5)});
    a.links().report_dead({"c", static_cast<incarnation>(1)});
    this->in.runs_for(20ms);
    ASSERT_GE(a.link_news().size(), 3U);
    EXPECT_EQ(a.link_news()[1], "down b@5 dead");
    EXPECT_TRUE(a.has_heard("dead c@1"));
    EXPECT_FALSE(a.has_heard("dead b@5")) << "it was told already";
}

TYPED_TEST(bus_faults_contract, tells_a_life_that_was_declared_dead_which_goes_on_as_a_new_one) {
    // On both sides of the one who dials.
    for (const std::string id : {"a", "z"}) {
        auto& m = this->in.add("m");
        auto& n = this->in.add("n");
        auto& it = this->in.add(id, 5);
        ASSERT_TRUE(m.start({id}));
        ASSERT_TRUE(n.start({id}));
        ASSERT_TRUE(it.start({"m", "n"}));
        this->in.link(m, id);
        this->in.link(n, id);
        this->in.link(it, "m");
        this->in.link(it, "n");
        const auto flying = call(this->in, n, id, never, "x");
        m.links().report_dead({id, incarnation{5}});
        ASSERT_TRUE(this->in.runs_until([&] { return m.link_news().size() >= 3; }));
        EXPECT_EQ(m.link_news(), (lines{"up " + id + "@5", "down " + id + "@5 dead",
                                        "up " + id + "@" + it.reborn}));
        // Who had not declared it dead sees the one life end and the other begin.
        ASSERT_TRUE(this->in.runs_until([&] { return n.link_news().size() >= 4; }));
        EXPECT_EQ(n.link_news(), (lines{"up " + id + "@5", "down " + id + "@5 lost",
                                        "dead " + id + "@5", "up " + id + "@" + it.reborn}));
        EXPECT_EQ(flying->code(), errc::disconnected);
        ASSERT_TRUE(this->in.runs_until([&] { return it.links().linked().size() == 2; }));
        const auto again = call(this->in, m, id, echo, "x");
        ASSERT_TRUE(this->in.runs_until([&] { return again->is_done(); }));
        EXPECT_TRUE(again->what);
        // The news of the old life are old.
        m.links().report_dead({id, incarnation{5}});
        this->in.runs_for(20ms);
        EXPECT_TRUE(m.links().is_linked(id));
        this->in.stop_all();
    }
}

TYPED_TEST(bus_faults_contract, tells_that_nobody_runs_under_an_id) {
    auto& a = this->in.add("a");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(this->in.runs_until([&] { return a.absent.contains("b"); }));
    EXPECT_TRUE(a.link_news().empty());
}

TYPED_TEST(bus_faults_contract, delivers_at_the_stop_what_was_sent) {
    auto& a = this->in.add("a");
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    // More than the socket takes at once.
    const std::string bytes(64 * 1024, 'x');
    for (int i = 0; i < 60; ++i) {
        ASSERT_TRUE(a.links().cast("b", {1, bytes}));
    }
    ASSERT_TRUE(a.links().cast("b", {1, "last"}));
    a.stop();
    ASSERT_TRUE(this->in.runs_until([&] { return a.is_stopped(); }));
    ASSERT_TRUE(this->in.runs_until([&] { return b.link_news().size() >= 2; }));
    EXPECT_EQ(b.link_news().back(), "down a@1 bye");
    EXPECT_TRUE(b.has_heard("cast a 1 last"));
}

TYPED_TEST(bus_faults_contract, serves_the_others_while_one_crashes) {
    auto& m = this->in.add("m");
    auto& n = this->in.add("n");
    ASSERT_TRUE(m.start({"n", "a"}));
    ASSERT_TRUE(n.start({"m", "a"}));
    auto gone = this->in.add_victim("a", 1, {"m", "n"});
    this->in.link(m, "n");
    this->in.link(m, "a");
    this->in.link(n, "a");
    gone->kill();
    for (int i = 0; i < 20; ++i) {
        const auto done = call(this->in, m, "n", echo, "x");
        ASSERT_TRUE(this->in.runs_until([&] { return done->is_done(); }));
        EXPECT_TRUE(done->what);
    }
    ASSERT_TRUE(
        this->in.runs_until([&] { return m.has_heard("dead a@1") && n.has_heard("dead a@1"); }));
    EXPECT_EQ(std::count(m.heard.begin(), m.heard.end(), "up n@1"), 1);
    EXPECT_FALSE(m.has_heard("down n@1 lost"));
}

} // namespace shaddock::contract
