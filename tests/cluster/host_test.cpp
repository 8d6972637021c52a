#include "cluster.hpp"

#include <functional>

/// What the host offers to plugins, used by a bare plugin (no SDK) on a backend, against real
/// frontends.
namespace shaddock::cluster_test {
namespace {

using texts = std::vector<std::string>;

door::host* host = nullptr;
int created = 0;

struct probe_plugin final : door::plugin {
    struct echo final : door::callable {
        void invoke(std::unique_ptr<door::invocation> call) noexcept override {
            call->finish(std::string(call->request()));
        }
    } echo_method;
    struct refuse final : door::callable {
        void invoke(std::unique_ptr<door::invocation> call) noexcept override {
            call->finish(error(errc::application, "no", 501));
        }
    } refuse_method;
    struct silent final : door::callable {
        void invoke(std::unique_ptr<door::invocation> call) noexcept override {
            kept.push_back(std::move(call));
        }
        std::vector<std::unique_ptr<door::invocation>> kept;
    } silent_method;
};

const door::plugin_door& probe_door() {
    static const door::plugin_door door{
        sizeof(door::plugin_door),
        door::sdk_abi,
        "",
        "probe",
        "1",
        "b",
        nullptr,
        [](door::host& with, door::registration& into, std::string*) -> door::plugin* {
            auto* made = new probe_plugin;
            host = &with;
            ++created;
            into.handler({.object = "probeHandler", .method = "echo"}, &made->echo_method);
            into.handler({.object = "probeHandler", .method = "refuse"}, &made->refuse_method);
            into.handler({.object = "probeHandler", .method = "silent"}, &made->silent_method);
            into.remote({.object = "probeRemote", .method = "echo"}, &made->echo_method);
            into.remote({.object = "probeRemote", .method = "silent"}, &made->silent_method);
            return made;
        },
        [](door::plugin* gone) {
            delete static_cast<probe_plugin*>(gone);
            host = nullptr;
            --created;
        }};
    return door;
}

/// Where an operation of the host ended.
struct ending {
    std::optional<result<door::body>> outcome;
    std::unique_ptr<door::completion> sink() {
        struct to final : door::completion {
            explicit to(ending& e) : end(e) {}
            void done(result<door::body> got) noexcept override { end.outcome = std::move(got); }
            ending& end;
        };
        return std::make_unique<to>(*this);
    }
    std::string text() const {
        return !outcome   ? "nothing"
               : *outcome ? **outcome
                          : std::string(to_string(outcome->error().code()));
    }
};

struct run_it final : door::task {
    explicit run_it(std::function<void()> f) : work(std::move(f)) {}
    void run() noexcept override { work(); }
    std::function<void()> work;
};
std::unique_ptr<door::task> task(std::function<void()> work) {
    return std::make_unique<run_it>(std::move(work));
}

struct host_test : testing::Test {
    system all{2, 1, &probe_door()};

    std::string wait_for(ending& end) {
        EXPECT_TRUE(all.until([&] { return end.outcome.has_value(); }));
        return end.text();
    }
    session_ref ref_of(const std::string& frontend, std::uint64_t id) {
        for (const auto& each : *host->all_servers()) {
            if (each.id == frontend) {
                return {frontend, each.life, session_id{id}, {}};
            }
        }
        return {};
    }
};

TEST_F(host_test, lists_servers_sorted_with_who_is_up) {
    texts ids;
    for (const auto& each : *host->all_servers()) {
        ids.push_back(each.id + (each.is_up ? "+" : "-"));
    }
    EXPECT_EQ(ids, (texts{"chat-server-1+", "connector-server-1+", "connector-server-2+",
                          "gate-server-1+", "probe-server-1+"}));
    all.kill("connector-server-2");
    EXPECT_TRUE(all.until([&] { return !host->servers("connector")->at(1).is_up; }));
    EXPECT_EQ(host->servers("connector")->size(), 2u); // still expected
    EXPECT_TRUE(host->servers("nothing")->empty());
}

TEST_F(host_test, clients_see_only_the_code_of_an_error) {
    auto& alice = all.connect("connector-server-1");
    EXPECT_EQ(all.ask(alice, "probe.probeHandler.echo", R"({"any":[1,2.50,"x"]})"),
              R"({"any":[1,2.50,"x"]})");
    EXPECT_EQ(all.ask(alice, "probe.probeHandler.refuse", "{}"), R"({"code":501})");
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(all.ask(alice, "probe.probeHandler.silent", "{}"), R"({"code":500})");
    EXPECT_GE(std::chrono::steady_clock::now() - before, 1900ms); // the deadline of 2 s answered
}

TEST(requests_without_an_answer, are_bounded_and_the_next_is_refused_at_once) {
    system all({.connectors = 1,
                .chats = 1,
                .probe = &probe_door(),
                .adjust = [](server::server_options& options) { options.requests_limit = 3; }});
    auto& alice = all.connect("connector-server-1");
    auto& bob = all.connect("connector-server-1");
    const auto before = std::chrono::steady_clock::now();
    std::vector<std::uint32_t> waiting;
    for (int i = 0; i < 3; ++i) {
        waiting.push_back(alice.send("probe.probeHandler.silent", "{}"));
    }
    EXPECT_EQ(all.ask(alice, "probe.probeHandler.echo", "{}"), R"({"code":500})");
    EXPECT_EQ(all.ask(bob, "probe.probeHandler.echo", "{}"), "{}");
    EXPECT_LE(std::chrono::steady_clock::now() - before, 1500ms);
    for (const auto id : waiting) {
        EXPECT_EQ(all.answer(alice, id), R"({"code":500})"); // at the deadline
    }
    EXPECT_EQ(all.ask(alice, "probe.probeHandler.echo", "{}"), "{}");
}

TEST_F(host_test, changes_sessions_of_any_frontend) {
    auto& alice = all.connect("connector-server-1");
    const auto who = ref_of("connector-server-1", 1);
    using change = door::session_change;
    const auto apply = [&](const session_ref& to, change what) {
        ending end;
        host->change_session(to, std::move(what), end.sink());
        EXPECT_FALSE(end.outcome.has_value()) << "completed inline";
        return wait_for(end);
    };
    EXPECT_EQ(apply(who, {.what = change::kind::bind, .uid = "alice", .settings = {}, .text = {}}),
              "");
    EXPECT_EQ(apply(who, {.what = change::kind::bind, .uid = "bob", .settings = {}, .text = {}}),
              "duplicate");
    EXPECT_EQ(
        apply(who,
              {.what = change::kind::push, .uid = {}, .settings = {{"level", "7"}}, .text = {}}),
        "");
    ending found;
    host->find_sessions({"connector-server-1", {}, {}, "alice"}, found.sink());
    EXPECT_EQ(
        wait_for(found),
        fmt::format(
            R"([{{"ref":{{"frontend":"connector-server-1","life":{},"id":1,"uid":"alice"}},"settings":{{"level":7}}}}])",
            number(who.life)));
    auto older = who;
    older.life = incarnation{12345};
    EXPECT_EQ(apply(older, {.what = change::kind::unbind, .uid = {}, .settings = {}, .text = {}}),
              "closed");
    EXPECT_EQ(apply({"nowhere", {}, session_id{1}, {}},
                    {.what = change::kind::unbind, .uid = {}, .settings = {}, .text = {}}),
              "no_server");
    EXPECT_EQ(
        apply(who, {.what = change::kind::kick, .uid = {}, .settings = {}, .text = "because"}), "");
    EXPECT_TRUE(all.until([&] { return alice.link->is_ended; }));
    EXPECT_EQ(alice.kicks, texts{R"({"reason":"because"})"});
    EXPECT_EQ(apply(who, {.what = change::kind::unbind, .uid = {}, .settings = {}, .text = {}}),
              "closed");
}

TEST_F(host_test, a_session_is_not_its_connection) {
    // Connections that never become sessions.
    all.open("connector-server-1");
    all.shake(all.open("connector-server-1"), R"({"sys":{"type":"test","version":"1"}})");
    auto& alice = all.connect("connector-server-1");
    all.open("connector-server-1");
    auto& bob = all.connect("connector-server-1");
    const auto to_alice = ref_of("connector-server-1", 1);
    const auto to_bob = ref_of("connector-server-1", 2);
    EXPECT_EQ(all.ask(alice, "probe.probeHandler.echo", R"("alice")"), R"("alice")");
    EXPECT_EQ(all.ask(bob, "probe.probeHandler.echo", R"("bob")"), R"("bob")");
    using change = door::session_change;
    const auto apply = [&](const session_ref& to, change what) {
        ending end;
        host->change_session(to, std::move(what), end.sink());
        return wait_for(end);
    };
    EXPECT_EQ(apply(to_bob,
                    {.what = change::kind::push, .uid = {}, .settings = {{"of", "2"}}, .text = {}}),
              "");
    ending settings_of_bob;
    host->find_sessions(to_bob, settings_of_bob.sink());
    EXPECT_NE(wait_for(settings_of_bob).find(R"("settings":{"of":2})"), std::string::npos);
    ending settings_of_alice;
    host->find_sessions(to_alice, settings_of_alice.sink());
    EXPECT_NE(wait_for(settings_of_alice).find(R"("settings":{})"), std::string::npos);
    ASSERT_TRUE(host->push_to_sessions("onX", "{}", std::vector{to_bob}));
    EXPECT_EQ(all.pushes(bob, 1), texts{"onX {}"});
    EXPECT_EQ(
        apply(to_alice, {.what = change::kind::kick, .uid = {}, .settings = {}, .text = "go"}), "");
    EXPECT_TRUE(all.until([&] { return alice.link->is_ended; }));
    EXPECT_EQ(all.pushes(alice, 0), texts{});
    EXPECT_FALSE(bob.link->is_ended);
    EXPECT_TRUE(bob.kicks.empty());
    // The fourth and fifth connections, and no other session.
    EXPECT_EQ(apply(ref_of("connector-server-1", 3),
                    {.what = change::kind::unbind, .uid = {}, .settings = {}, .text = {}}),
              "closed");
}

TEST_F(host_test, kicks_a_uid_anywhere_in_the_cluster) {
    auto& one = all.enter("connector-server-1", "alice", "room");
    auto& two = all.enter("connector-server-2", "bob", "room");
    ending end;
    host->kick_uid("alice*room", "banned", end.sink());
    EXPECT_EQ(wait_for(end), "1");
    EXPECT_TRUE(all.until([&] { return one.link->is_ended; }));
    EXPECT_EQ(one.kicks, texts{R"({"reason":"banned"})"});
    EXPECT_FALSE(two.link->is_ended);
    EXPECT_EQ(all.pushes(two, 1), texts{R"(onLeave {"route":"onLeave","user":"alice"})"});
    ending nobody;
    host->kick_uid("alice*room", "banned", nobody.sink());
    EXPECT_EQ(wait_for(nobody), "0");
}

TEST_F(host_test, broadcasts_to_all_or_only_to_bound_sessions) {
    auto& guest = all.connect("connector-server-1");
    auto& alice = all.enter("connector-server-2", "alice", "room");
    ASSERT_TRUE(host->broadcast("connector", "onNews", R"({"n":1})", false));
    EXPECT_EQ(all.pushes(guest, 1), texts{R"(onNews {"n":1})"});
    EXPECT_EQ(all.pushes(alice, 1), texts{R"(onNews {"n":1})"});
    ASSERT_TRUE(host->broadcast("connector", "onNews", R"({"n":2})", true));
    EXPECT_EQ(all.pushes(alice, 1), texts{R"(onNews {"n":2})"});
    EXPECT_EQ(all.pushes(guest, 0), texts{});
}

TEST_F(host_test, pushes_to_sessions_of_the_right_life_only) {
    auto& alice = all.connect("connector-server-1");
    auto who = ref_of("connector-server-1", 1);
    auto older = who;
    older.life = incarnation{12345};
    ASSERT_TRUE(host->push_to_sessions("onX", "{}", std::vector{older}));
    ASSERT_TRUE(host->push_to_sessions("onY", "{}", std::vector{who}));
    EXPECT_EQ(all.pushes(alice, 1), texts{"onY {}"});
}

TEST_F(host_test, calls_remotes_of_itself_and_others_by_post) {
    const auto call = [&](std::string_view route, door::call_target to) {
        ending end;
        host->call(route, 0, to, "[1]", end.sink());
        EXPECT_FALSE(end.outcome.has_value()) << "completed inline";
        return wait_for(end);
    };
    EXPECT_EQ(call("probe.probeRemote.echo", {}), "[1]");
    EXPECT_EQ(call("probe.probeRemote.nothing", {}), "unknown_route");
    EXPECT_EQ(call("nowhere.r.m", {}), "no_server");
    EXPECT_EQ(call("nonsense", {}), "unknown_route");
    EXPECT_EQ(call("probe.probeRemote.echo",
                   {.server_id = "nobody-1", .param = {}, .timeout = {}, .session = nullptr}),
              "no_server");
    EXPECT_EQ(call("probe.probeRemote.silent",
                   {.server_id = {}, .param = {}, .timeout = 50ms, .session = nullptr}),
              "timeout");
    EXPECT_EQ(
        call("probe.probeRemote.echo",
             {.server_id = {}, .param = {}, .timeout = door::duration::max(), .session = nullptr}),
        "[1]");
}

TEST_F(host_test, timers_and_sleeps_end_with_the_server) {
    int ticks = 0;
    struct count_it final : door::timer_task {
        explicit count_it(int& into) : count(into) {}
        void run(door::duration) noexcept override { ++count; }
        int& count;
    };
    host->set_timer("tick", 1ms, 1ms, std::make_unique<count_it>(ticks));
    EXPECT_TRUE(all.until([&] { return ticks >= 3; }));
    EXPECT_TRUE(host->cancel_timer("tick"));
    EXPECT_FALSE(host->cancel_timer("tick"));
    const int before = ticks;
    all.settle();
    EXPECT_EQ(ticks, before);
    ending brief;
    host->sleep(1ms, brief.sink());
    EXPECT_EQ(wait_for(brief), "");
    ending endless;
    host->sleep(1h, endless.sink());
    all.stop("probe-server-1");
    EXPECT_EQ(wait_for(endless), "cancelled");
    EXPECT_EQ(created, 0) << "the plugin's objects outlived the stop";
}

TEST_F(host_test, posted_work_runs_on_the_loop_and_later) {
    bool has_run = false;
    host->post(task([&] { has_run = host->is_on_loop(); }));
    EXPECT_FALSE(has_run);
    EXPECT_TRUE(all.until([&] { return has_run; }));
}

TEST_F(host_test, blocking_work_without_a_pool_is_refused_by_running_only_what_comes_after) {
    bool worked = false;
    bool after = false;
    host->blocking(task([&] { worked = true; }), task([&] { after = true; }));
    EXPECT_TRUE(all.until([&] { return after; }));
    EXPECT_FALSE(worked);
}

TEST_F(host_test, settings_are_kept_as_json) {
    EXPECT_EQ(host->setting("x"), std::nullopt);
    host->set_setting("x", "[1]");
    EXPECT_EQ(host->setting("x"), "[1]");
}

TEST_F(host_test, config_files_are_an_extension_of_each_generation) {
    const auto found = host->extension(door::config_files::name, door::config_files::version);
    ASSERT_TRUE(found);
    EXPECT_EQ(static_cast<door::config_files*>(*found)->read("x").error().code(), errc::not_found);
    EXPECT_EQ(host->extension(door::config_files::name, 0).error().code(), errc::not_found);
    EXPECT_EQ(host->extension("", 1).error().code(), errc::not_found);
}

} // namespace
} // namespace shaddock::cluster_test
