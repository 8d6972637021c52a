#include <shaddock/app.hpp>
#include <shaddock/component.hpp>
#include <shaddock/testing/plugin_under_test.hpp>

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using shaddock::errc;
using shaddock::testing::fake_host;
using testing::Contains;
using testing::ElementsAre;

struct room_options {
    std::string name;
    int size = 0;
};
BOOST_DESCRIBE_STRUCT(room_options, (), (name, size))
struct rooms_file {
    std::vector<room_options> rooms;
};
BOOST_DESCRIBE_STRUCT(rooms_file, (), (rooms))

inline constexpr shaddock::remote_method<std::string(std::string text, int number)> echo{
    "other.echoRemote.echo"};

class app_of_a_server : public testing::Test {
protected:
    fake_host host;
    shaddock::app app{host};
    std::vector<std::string> seen;

    /// Runs a coroutine that writes into `seen`.
    void run(shaddock::awaitable<void> work) {
        app.spawn("test", std::move(work));
        host.run();
    }
};

shaddock::awaitable<void> call_echo(shaddock::app& app, std::vector<std::string>& seen,
                                    shaddock::routing by) {
    const auto answer = co_await app.call(echo, std::move(by), "a", 3);
    seen.push_back(answer ? *answer
                          : std::string(to_string(answer.error().code())) + ": " +
                                answer.error().text());
}

TEST_F(app_of_a_server, calls_by_contract_and_by_what_it_is_given) {
    host.on_call = [](const auto&) { return std::string("\"answer\""); };
    run(call_echo(app, seen, "room"));
    run(call_echo(app, seen, 5));
    run(call_echo(app, seen, shaddock::to_server{"other-1"}));
    EXPECT_THAT(seen, ElementsAre("answer", "answer", "answer"));
    ASSERT_EQ(host.calls.size(), 3U);
    EXPECT_EQ(host.calls[0].route, "other.echoRemote.echo");
    EXPECT_EQ(host.calls[0].contract, echo.hash());
    EXPECT_EQ(host.calls[0].arguments, R"(["a",3])");
    EXPECT_EQ(host.calls[0].routed_by_text, "room");
    EXPECT_EQ(host.calls[1].routed_by_number, 5);
    EXPECT_EQ(host.calls[2].server_id, "other-1");
}

TEST_F(app_of_a_server, gets_the_error_of_a_call_and_of_a_result_that_does_not_fit) {
    run(call_echo(app, seen, "room"));
    host.on_call = [](const auto&) { return std::string("[]"); };
    run(call_echo(app, seen, "room"));
    EXPECT_THAT(
        seen, ElementsAre("no_server: no server in this test",
                          "contract: other.echoRemote.echo: result: expected string, found array"));
}

shaddock::awaitable<void> call_with_session(shaddock::app& app, shaddock::session& who) {
    auto pending = app.call(echo, who, who.get<std::string>("k").value(), 1);
    // Arguments are taken by now.
    who.set("k", "later");
    co_await std::move(pending);
}

TEST_F(app_of_a_server, encodes_arguments_before_a_call_is_awaited) {
    shaddock::session who(host, shaddock::testing::make_session(4, "u", {{"k", "\"first\""}}));
    run(call_with_session(app, who));
    ASSERT_EQ(host.calls.size(), 1U);
    EXPECT_EQ(host.calls[0].arguments, R"(["first",1])");
    EXPECT_EQ(host.calls[0].routed_by_session->uid, "u");
}

TEST_F(app_of_a_server, calls_by_name_without_a_contract_and_casts) {
    EXPECT_TRUE(app.cast(echo, "r", std::string("a"), 1));
    EXPECT_TRUE(app.cast("x.y.z", "r", 1, "two"));
    EXPECT_TRUE(host.calls[0].is_cast);
    EXPECT_EQ(host.calls[1].arguments, R"([1,"two"])");
    EXPECT_EQ(host.calls[1].contract, 0U);
}

TEST_F(app_of_a_server, reads_config_and_names_file_line_and_key_of_an_error) {
    host.files["rooms"] = "{\n \"rooms\": [\n  {\"name\": \"a\", \"size\": 3},\n  {\"name\": "
                          "\"b\",\n   \"size\": \"big\"}\n ]\n}";
    const auto wrong = app.load_config<rooms_file>("rooms");
    EXPECT_EQ(wrong.error().code(), errc::config);
    EXPECT_EQ(wrong.error().text(),
              "config/rooms.json:5: rooms[1].size: expected integer, found string \"big\"");
    host.files["rooms"] = "{\n \"rooms\": [\n  {\"name\": \"a\"}]}";
    EXPECT_EQ(app.load_config<rooms_file>("rooms")->rooms.at(0).size, room_options{}.size)
        << "what the file lacks keeps its initialiser";
    host.files["rooms"] = "{\n \"rooms\": [\n  {]}";
    EXPECT_THAT(app.load_config<rooms_file>("rooms").error().text(),
                testing::StartsWith("config/rooms.json:3: not JSON"));
    host.files["rooms"] = R"({"rooms":[{"name":"a","size":3}]})";
    EXPECT_EQ(app.load_config<rooms_file>("rooms")->rooms.at(0).size, 3);
    EXPECT_EQ(app.load_config<rooms_file>("none").error().code(), errc::not_found);
}

class dice : public shaddock::door::extension {
public:
    static constexpr std::string_view name = "test.dice";
    static constexpr std::uint32_t version = 2;
    virtual int roll() noexcept = 0;

protected:
    ~dice() = default;
};
class older_dice : public dice {
public:
    static constexpr std::uint32_t version = 1;

protected:
    ~older_dice() = default;
};
struct dice_of_the_test final : dice {
    explicit dice_of_the_test(int eyes) : eyes_(eyes) {}
    int roll() noexcept override { return eyes_; }
    int eyes_;
};

TEST_F(app_of_a_server, gets_the_extensions_that_the_host_has) {
    const auto absent = app.extension<dice>();
    ASSERT_TRUE(absent.has_error());
    EXPECT_EQ(absent.error().code(), errc::not_found);
    EXPECT_EQ(absent.error().text(),
              "this host has no extension test.dice version 2, it has shaddock.config_files "
              "version 1: build the plugin for what is there, update the host, or do without");

    dice_of_the_test loaded(6);
    host.offer(loaded);
    ASSERT_TRUE(app.extension<dice>());
    EXPECT_EQ((*app.extension<dice>())->roll(), 6);
    EXPECT_EQ(app.extension<older_dice>().error().text(),
              "this host has no extension test.dice version 1, it has shaddock.config_files "
              "version 1, test.dice version 2: build the plugin for what is there, update the "
              "host, or do without");

    dice_of_the_test other(1);
    host.offer(other);
    EXPECT_EQ((*app.extension<dice>())->roll(), 1);
}

TEST_F(app_of_a_server, reads_the_config_files_that_a_test_offers_in_its_way) {
    struct slow_disk final : shaddock::door::config_files {
        shaddock::result<shaddock::door::config_text> read(std::string_view) noexcept override {
            return shaddock::error(errc::timeout, "the disk sleeps");
        }
    } disk;
    host.offer(disk);
    EXPECT_EQ(app.load_config<rooms_file>("rooms").error().text(), "the disk sleeps");
}

TEST_F(app_of_a_server, keeps_settings_by_type) {
    app.set("limit", 3);
    EXPECT_EQ(app.get<int>("limit"), 3);
    EXPECT_EQ(app.get<std::string>("limit"), std::nullopt);
    EXPECT_EQ(app.get<int>("other"), std::nullopt);
}

struct settings_v1 {
    int level = 3;
};
BOOST_DESCRIBE_STRUCT(settings_v1, (), (level))
struct settings_v2 {
    int level = 0;
    std::string colour = "red";
};
BOOST_DESCRIBE_STRUCT(settings_v2, (), (level, colour))

TEST_F(app_of_a_server, reads_settings_of_an_older_and_of_a_newer_build) {
    app.set("old", settings_v1{});
    EXPECT_EQ(app.get<settings_v2>("old")->level, 3);
    EXPECT_EQ(app.get<settings_v2>("old")->colour, "red");
    app.set("new", settings_v2{7, "blue"});
    EXPECT_EQ(app.get<settings_v1>("new")->level, 7);
    shaddock::session who(host, shaddock::door::session_data{});
    who.set("old", settings_v1{});
    EXPECT_EQ(who.get<settings_v2>("old")->colour, "red");
}

TEST_F(app_of_a_server, has_named_timers) {
    app.every("tick", 5s, [&] { seen.emplace_back("tick"); });
    app.once("late", 7s, [&] { seen.emplace_back("late"); });
    app.once("gone", 7s, [&] { seen.emplace_back("gone"); });
    EXPECT_TRUE(app.cancel("gone"));
    EXPECT_FALSE(app.cancel("gone"));
    host.advance(11s);
    EXPECT_THAT(seen, ElementsAre("tick", "late", "tick"));
    app.every("tick", 5s, [] { throw std::runtime_error("a bug"); });
    host.advance(5s);
    EXPECT_THAT(host.log_lines, Contains("timer tick: internal: a bug"));
}

shaddock::awaitable<void> use_blocking(shaddock::app& app, std::vector<std::string>& seen) {
    seen.push_back(std::to_string(co_await app.blocking([] { return 5; })));
    co_await app.blocking([] { throw shaddock::application_error("disk on fire"); });
}

TEST_F(app_of_a_server, brings_values_and_exceptions_back_from_blocking_work) {
    run(use_blocking(app, seen));
    EXPECT_THAT(seen, ElementsAre("5"));
    EXPECT_THAT(host.log_lines, ElementsAre("test: application: disk on fire"));
}

shaddock::awaitable<void> use_blocking_within(shaddock::app& app, shaddock::door::duration within,
                                              std::vector<std::string>& seen) {
    auto work = [number = std::make_unique<int>(5)]() mutable { return std::move(number); };
    try {
        auto waits = app.blocking(std::move(work), within);
        const auto got = co_await std::move(waits);
        seen.push_back(std::to_string(*got));
    } catch (const shaddock::error& failed) {
        seen.push_back(std::string(to_string(failed.code())) + ": " + failed.text());
    }
}

TEST_F(app_of_a_server, gives_move_only_work_to_a_thread_and_waits_so_long) {
    host.holds_blocking = true;
    app.spawn("in time", use_blocking_within(app, 1s, seen));
    host.advance(900ms);
    EXPECT_THAT(seen, ElementsAre());
    EXPECT_EQ(host.run_blocking(), 1U);
    EXPECT_THAT(seen, ElementsAre("5"));
    host.advance(1s);
    EXPECT_THAT(seen, ElementsAre("5"));

    app.spawn("too late", use_blocking_within(app, 1s, seen));
    host.advance(999ms);
    EXPECT_EQ(seen.size(), 1U);
    host.advance(1ms);
    EXPECT_THAT(seen, ElementsAre("5", "timeout: blocking work took longer than 1000 ms"));
    EXPECT_EQ(host.run_blocking(), 1U);
    EXPECT_EQ(seen.size(), 2U);

    app.spawn("at once", use_blocking_within(app, 0s, seen));
    host.advance(0s);
    EXPECT_EQ(seen.back(), "timeout: blocking work took longer than 0 ms");
    app.spawn("never", use_blocking_within(app, shaddock::door::duration::max(), seen));
    host.advance(24h);
    EXPECT_EQ(seen.size(), 3U);
    EXPECT_EQ(host.run_blocking(), 2U);
    EXPECT_EQ(seen.back(), "5");
}

TEST_F(app_of_a_server, pushes_to_channels_with_one_text) {
    auto room = app.channels().create("room");
    const auto ann = shaddock::testing::make_session(1, "ann").ref;
    const auto bob = shaddock::testing::make_session(2, "bob").ref;
    EXPECT_TRUE(room.add(ann));
    EXPECT_TRUE(room.add(bob));
    EXPECT_EQ(room.add(bob).error().code(), errc::duplicate);
    EXPECT_TRUE(room.push("onX", room_options{"a", 1}));
    EXPECT_TRUE(room.push_to("onX", room_options{"b", 1}, bob));
    ASSERT_EQ(host.pushes.size(), 2U);
    EXPECT_EQ(host.pushes[0].message, R"({"name":"a","size":1})");
    EXPECT_THAT(host.pushes[0].uids(), ElementsAre("ann", "bob"));
    EXPECT_THAT(host.pushes[1].uids(), ElementsAre("bob"));
    app.channels().destroy("room");
    EXPECT_FALSE(app.channels().find("room"));
}

shaddock::awaitable<void> find_bob(shaddock::app& app, std::vector<std::string>& seen) {
    const auto found = co_await app.sessions().find("connector-server-1", "bob");
    for (const auto& one : found.value()) {
        seen.push_back(one.uid() + " " + one.get<std::string>("rid").value_or("?"));
    }
    seen.push_back(std::to_string((co_await app.sessions().kick("bob", "bye")).value()));
}

TEST_F(app_of_a_server, finds_and_kicks_sessions_elsewhere) {
    host.clients.connect(shaddock::testing::make_session(8, "ann"));
    host.clients.connect(shaddock::testing::make_session(9, "bob", {{"rid", R"("r")"}}));
    run(find_bob(app, seen));
    EXPECT_THAT(seen, ElementsAre("bob r", "1"));
    EXPECT_EQ(host.changes.back().change.text, "bye");
}

struct own_record {
    std::string zone;
    std::optional<int> seats;
};
BOOST_DESCRIBE_STRUCT(own_record, (), (zone, seats))
struct any_record {
    std::optional<std::string> zone;
};
BOOST_DESCRIBE_STRUCT(any_record, (), (zone))

TEST(record, is_read_as_a_type_of_the_plugin) {
    shaddock::server_info server;
    server.id = "chat-1";
    EXPECT_EQ(shaddock::record_as<any_record>(server).value().zone, std::nullopt);
    server.record_json = R"({"id":"chat-1","port":6050,"zone":"north","seats":3})";
    const auto own = shaddock::record_as<own_record>(server);
    ASSERT_TRUE(own) << own.error().text();
    EXPECT_EQ(own->zone, "north");
    EXPECT_EQ(own->seats, 3);
}

TEST(record, names_the_server_and_the_key_that_does_not_fit) {
    shaddock::server_info server;
    server.id = "chat-1";
    server.record_json = R"({"zone":"north","seats":"many"})";
    const auto own = shaddock::record_as<own_record>(server);
    ASSERT_FALSE(own);
    EXPECT_EQ(own.error().code(), errc::config);
    EXPECT_EQ(own.error().text(),
              "servers.json: record of chat-1: seats: expected integer, found string \"many\"");
}

// ---- the life of a generation

shaddock::awaitable<void> wait_on(shaddock::app& app, boost::asio::steady_timer& timer,
                                  std::vector<std::string>& seen) {
    try {
        auto waits = timer.async_wait(boost::asio::use_awaitable);
        auto ends = app.until_end(std::move(waits));
        co_await std::move(ends);
        seen.emplace_back("over");
    } catch (const shaddock::error& ended) {
        seen.emplace_back(to_string(ended.code()));
    } catch (const boost::system::system_error& failed) {
        seen.push_back(failed.code().message());
    }
}

TEST_F(app_of_a_server, cancels_a_wait_of_its_own_at_the_generations_end) {
    boost::asio::steady_timer never(app.executor(), boost::asio::steady_timer::time_point::max());
    run(wait_on(app, never, seen));
    EXPECT_THAT(seen, ElementsAre());
    host.end_work();
    EXPECT_THAT(seen, ElementsAre("cancelled"));
}

/// As an accepted socket: there is none without a value.
struct guest {
    explicit guest(int is) : number(is) {}
    int number;
};
shaddock::awaitable<guest> come(int number) {
    co_return guest(number);
}
shaddock::awaitable<void> let_in(shaddock::app& app, int& seen) {
    auto ends = app.until_end(come(7));
    seen = (co_await std::move(ends)).number;
}

TEST_F(app_of_a_server, gives_what_a_wait_of_its_own_gives) {
    int number = 0;
    run(let_in(app, number));
    host.run();
    EXPECT_EQ(number, 7);
}

TEST_F(app_of_a_server, ends_a_wait_of_its_own_as_it_ends) {
    boost::asio::steady_timer timer(app.executor(), boost::asio::steady_timer::time_point::max());
    run(wait_on(app, timer, seen));
    timer.cancel();
    host.run();
    EXPECT_THAT(seen, ElementsAre("Operation canceled"));
    timer.expires_at(boost::asio::steady_timer::time_point::min());
    run(wait_on(app, timer, seen));
    EXPECT_EQ(seen.back(), "over");
    host.end_work(); // nobody waits any more
    EXPECT_EQ(seen.size(), 2U);
}

TEST_F(app_of_a_server, ticks_with_the_time_since_the_tick_before) {
    std::vector<double> first;
    std::vector<double> second;
    app.tick(100ms, [&](double dt) { first.push_back(dt); });
    app.tick(100ms, [&](double dt) { second.push_back(dt); });
    host.advance(250ms);
    EXPECT_THAT(first, ElementsAre(0.1, 0.1));
    EXPECT_EQ(second, first);
}

TEST_F(app_of_a_server, takes_durations_that_never_end) {
    constexpr auto never = shaddock::door::duration::max();
    app.every("every", never, [&] { seen.emplace_back("every"); });
    app.once("once", never, [&] { seen.emplace_back("once"); });
    app.tick(never, [&](double) { seen.emplace_back("tick"); });
    app.spawn("sleeper", app.sleep(never));
    host.advance(24h * 365);
    EXPECT_THAT(seen, ElementsAre());
}

struct old_part {
    void stop() { ++stops; }
    int stops = 0;
};
struct new_part {
    void stop(shaddock::stop_reason why) { reasons.push_back(why); }
    std::vector<shaddock::stop_reason> reasons;
};
struct hasty_part {
    /// No coroutine: it throws before it gives one.
    shaddock::awaitable<void> on_replacing() {
        throw shaddock::error(errc::application, "nothing to write to");
    }
};
class kept final : public shaddock::door::completion {
public:
    explicit kept(std::string& into) : into_(into) {}
    void done(shaddock::result<shaddock::door::body> outcome) noexcept override {
        into_ = outcome ? "done" : outcome.error().text();
    }

private:
    std::string& into_;
};
class ignored final : public shaddock::door::completion {
    void done(shaddock::result<shaddock::door::body> outcome) noexcept override {
        EXPECT_TRUE(outcome);
    }
};

TEST(component, answers_for_a_step_that_throws_before_it_waits) {
    fake_host host;
    hasty_part object;
    shaddock::detail::component_of part(host, "hasty", object);
    std::string said;
    part.on_replacing(std::make_unique<kept>(said));
    host.run();
    EXPECT_EQ(said, "nothing to write to");
}

TEST(component, tells_why_it_stops_and_spares_the_old_form) {
    using shaddock::stop_reason;
    fake_host host;
    old_part old_form;
    new_part new_form;
    shaddock::detail::component_of one(host, "one", old_form);
    shaddock::detail::component_of two(host, "two", new_form);
    const std::vector all{stop_reason::check, stop_reason::refused, stop_reason::replaced,
                          stop_reason::server_stops};
    for (const auto why : all) {
        one.stop(why, std::make_unique<ignored>());
        two.stop(why, std::make_unique<ignored>());
    }
    host.run();
    EXPECT_EQ(old_form.stops, 2);
    EXPECT_EQ(new_form.reasons, all);
    EXPECT_THAT(std::string(one.advice()), testing::HasSubstr("on_replacing()"));
    EXPECT_EQ(two.advice(), "");
}

} // namespace
