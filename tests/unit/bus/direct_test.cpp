#include "bus/direct.hpp"

#include "base/bytes.hpp"
#include "bus/run_folder.hpp"
#include "bus/unix_socket.hpp"
#include "bus_world.hpp"
#include "frame.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace shaddock::contract {

namespace {

using lines = std::vector<std::string>;

class direct_bus : public testing::Test {
protected:
    direct_world in;

    /// A caller that speaks bytes of its own.
    bus::unix_socket call_raw(const std::string& id, std::string_view bytes) {
        auto socket = bus::dial(in.io.get_executor(), bus::socket_path(in.folder, id));
        EXPECT_TRUE(socket);
        EXPECT_EQ(::send(socket->native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
        return std::move(*socket);
    }
    /// All that comes until the other side closes; fails when it does not.
    std::string read_to_end(bus::unix_socket& socket) {
        std::string all;
        EXPECT_TRUE(in.runs_until([&] {
            char bytes[4096];
            const auto got = ::recv(socket.native_handle(), bytes, sizeof(bytes), MSG_DONTWAIT);
            if (got > 0) {
                all.append(bytes, static_cast<std::size_t>(got));
            }
            return got == 0 || (got < 0 && errno == ECONNRESET);
        })) << "it was not closed";
        return all;
    }
    static std::string hello_of(bus::hello said) {
        std::string out;
        bus::append_hello(out, said);
        return out;
    }
    /// With another field at its end, as a later version might write it.
    static std::string grown(std::string frame) {
        base::writer fields(frame);
        fields.u64(42);
        fields.set_length(0);
        return frame;
    }
    static bus::hello greeting(std::string id, std::string to) {
        bus::hello said;
        said.id = std::move(id);
        said.to = std::move(to);
        said.life = static_cast<incarnation>(3);
        said.random = 77;
        return said;
    }
};

} // namespace

TEST_F(direct_bus, keeps_its_socket_to_its_user_and_removes_it_when_it_stops) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    struct stat found {};
    ASSERT_EQ(::stat(bus::socket_path(in.folder, "m").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    in.remove(m);
    EXPECT_NE(::stat(bus::socket_path(in.folder, "m").c_str(), &found), 0);
    EXPECT_FALSE(bus::is_running(in.folder, "m"));
}

TEST_F(direct_bus, leaves_no_socket_or_lock_to_programs_that_it_starts) {
    auto& m = in.add("m");
    auto& n = in.add("n");
    ASSERT_TRUE(m.start({"n"}));
    ASSERT_TRUE(n.start({"m"}));
    in.link(m, "n");
    in.link(n, "m");
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const auto what = std::filesystem::read_symlink(entry.path(), gone).string();
        const int file = std::stoi(entry.path().filename().string());
        if (file > 2 && (what.starts_with("socket:") || what.ends_with(".lock"))) {
            ++found;
            EXPECT_NE(::fcntl(file, F_GETFD) & FD_CLOEXEC, 0) << what;
        }
    }
    EXPECT_EQ(found, 6) << "two listeners, two locks, two ends of a link";
}

TEST_F(direct_bus, replaces_the_socket_of_a_dead_process) {
    auto gone = in.add_victim("m", 1, {});
    ASSERT_TRUE(in.runs_until(
        [&] { return bool(bus::dial(in.io.get_executor(), bus::socket_path(in.folder, "m"))); }));
    gone->kill();
    ASSERT_TRUE(std::filesystem::exists(bus::socket_path(in.folder, "m")));
    auto& m = in.add("m", 2);
    auto& n = in.add("n");
    ASSERT_TRUE(m.start({"n"}));
    ASSERT_TRUE(n.start({"m"}));
    in.link(n, "m");
}

TEST_F(direct_bus, says_when_the_path_is_too_long_for_a_socket) {
    auto& long_name = in.add(std::string(100, 'x'));
    const auto started = long_name.start({});
    ASSERT_TRUE(started.has_error());
    EXPECT_EQ(started.error().code(), errc::config);
    EXPECT_NE(started.error().text().find("107"), std::string::npos) << started.error().text();
}

TEST_F(direct_bus, closes_garbage_and_goes_on) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    std::string ping;
    bus::append_plain(ping, bus::frame_kind::ping);
    std::string call;
    bus::append_call(call, 1, 1000, 1, "before any greeting");
    for (const std::string& bytes :
         {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100, '\0'), std::string(100, '\xff'),
          ping, call, hello_of(greeting("a", "somebody else")), hello_of(greeting("z", "m")),
          hello_of(greeting("m", "m"))}) {
        auto socket = call_raw("m", bytes);
        read_to_end(socket);
    }
    EXPECT_TRUE(m.heard.empty());
    auto& n = in.add("n");
    ASSERT_TRUE(n.start({"m"}));
    in.link(n, "m");
}

TEST_F(direct_bus, closes_a_link_that_turns_to_garbage) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    std::string bytes = hello_of(greeting("a", "m"));
    bus::append_cast(bytes, 1, "good");
    bytes += std::string("\0\0\0\0", 4);
    bus::append_cast(bytes, 1, "after the damage");
    auto socket = call_raw("m", bytes);
    read_to_end(socket);
    ASSERT_TRUE(in.runs_until([&] { return m.heard.size() >= 3; }));
    EXPECT_EQ(lines(m.heard.begin(), m.heard.begin() + 3),
              (lines{"up a@3", "cast a 1 good", "down a@3 lost"}));
    EXPECT_FALSE(m.has_heard("cast a 1 after the damage"));
}

TEST_F(direct_bus, understands_frames_that_come_byte_by_byte) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    std::string bytes = hello_of(greeting("a", "m"));
    bus::append_cast(bytes, 1, "first");
    bus::append_cast(bytes, 2, "second");
    auto socket = call_raw("m", bytes.substr(0, 1));
    for (const char byte : bytes.substr(1)) {
        ASSERT_EQ(::send(socket.native_handle(), &byte, 1, MSG_NOSIGNAL), 1);
        in.io.restart();
        in.io.poll();
    }
    ASSERT_TRUE(in.runs_until([&] { return m.heard.size() >= 3; }));
    EXPECT_EQ(m.heard, (lines{"up a@3", "cast a 1 first", "cast a 2 second"}));
}

TEST_F(direct_bus, tells_a_caller_of_another_version_why_it_is_refused) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    auto said = greeting("a", "m");
    said.versions = {8, 9};
    auto socket = call_raw("m", hello_of(said));
    const auto answer = read_to_end(socket);
    const auto cut = bus::cut_frame(answer, 1000);
    ASSERT_EQ(cut.outcome, bus::cut_outcome::done);
    EXPECT_EQ(cut.frame.kind, bus::frame_kind::refuse);
    for (const auto part : {"'a' speaks versions 8 to 9", "'m' 2 to 6", "a build in between"}) {
        EXPECT_NE(cut.frame.bytes.find(part), std::string_view::npos) << cut.frame.bytes;
    }
}

TEST_F(direct_bus, passes_over_what_a_newer_build_adds_to_its_frames) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    auto said = greeting("a", "m");
    said.versions = {2, 9};
    std::string cast;
    bus::append_cast(cast, 1, "known");
    auto socket = call_raw("m", grown(hello_of(said)) + grown(cast));
    ASSERT_TRUE(in.runs_until([&] { return m.heard.size() >= 2; }));
    EXPECT_EQ(m.heard, (lines{"up a@3", "cast a 1 known"}));
    EXPECT_EQ(m.links().linked().front().version, bus::version_range{}.highest);
}

TEST_F(direct_bus, declares_a_stopped_process_dead_and_tells_it_when_it_goes_on) {
    for (const std::string id : {"a", "z"}) {
        auto& m = in.add("m", 1, {.heartbeat = 30ms, .silence = 200ms});
        ASSERT_TRUE(m.start({id}));
        auto sleeper = in.add_victim(id, 5, {"m"});
        in.link(m, id);
        in.runs_for(100ms);
        sleeper->freeze();
        const auto flying = call(in, m, id, echo, "x");
        ASSERT_TRUE(in.runs_until([&] { return m.link_news().size() >= 2; }));
        EXPECT_EQ(m.link_news(), (lines{"up " + id + "@5", "down " + id + "@5 dead"}));
        EXPECT_EQ(flying->code(), errc::disconnected);
        in.runs_for(300ms);
        EXPECT_EQ(m.link_news().size(), 2U);
        sleeper->thaw();
        ASSERT_TRUE(in.runs_until([&] { return m.link_news().size() >= 3; }));
        EXPECT_TRUE(m.link_news().back().starts_with("up " + id + "@"));
        EXPECT_NE(m.link_news().back(), "up " + id + "@5") << "that life is over";
        sleeper->kill();
        in.stop_all();
    }
}

TEST_F(direct_bus, keeps_a_quiet_link_alive_with_heartbeats) {
    auto& a = in.add("a", 1, {.heartbeat = 20ms, .silence = 100ms});
    auto& b = in.add("b", 1, {.heartbeat = 20ms, .silence = 100ms});
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    in.link(a, "b");
    in.runs_for(500ms);
    EXPECT_EQ(a.heard, (lines{"up b@1"}));
    EXPECT_EQ(b.heard, (lines{"up a@1"}));
}

TEST_F(direct_bus, does_not_dial_again_when_a_poke_comes_with_the_answer) {
    auto listening = bus::listen_at(in.io.get_executor(), bus::socket_path(in.folder, "z"));
    ASSERT_TRUE(listening);
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({"z"}));
    bus::unix_socket dialled(in.io);
    boost::system::error_code failed;
    ASSERT_TRUE(in.runs_until([&] {
        listening->accept(dialled, failed);
        return !failed;
    }));
    std::string said;
    ASSERT_TRUE(in.runs_until([&] {
        char bytes[1000];
        const auto got = ::recv(dialled.native_handle(), bytes, sizeof(bytes), MSG_DONTWAIT);
        said.append(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
        return bus::cut_frame(said, 1000).outcome == bus::cut_outcome::done;
    }));
    auto answer = greeting("z", "m");
    answer.purpose = bus::hello_purpose::answer;
    answer.random = bus::read_hello(bus::cut_frame(said, 1000).frame.bytes)->random;
    auto poke = greeting("z", "m");
    poke.purpose = bus::hello_purpose::poke;

    auto poking = call_raw("m", "");
    in.runs_for(20ms);
    // Both are there in one wake-up of the loop, the poke first.
    for (const auto& [socket, hello] : {std::pair(&poking, poke), std::pair(&dialled, answer)}) {
        const auto bytes = hello_of(hello);
        ASSERT_EQ(::send(socket->native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    in.link(m, "z");
    in.runs_for(20ms);
    bus::unix_socket second(in.io);
    listening->accept(second, failed);
    EXPECT_TRUE(failed) << "dialled while linked";
    EXPECT_EQ(m.heard, (lines{"up z@3"}));
}

TEST_F(direct_bus, does_not_take_its_own_sleep_for_the_others_death) {
    auto& a = in.add("a", 1, {.heartbeat = 20ms, .silence = 100ms});
    ASSERT_TRUE(a.start({"z"}));
    auto other = in.add_victim("z", 1, {"a"});
    in.link(a, "z");
    // The loop of "a" stands still for longer than `silence`, as after SIGSTOP.
    ::usleep(300'000);
    in.runs_for(60ms);
    EXPECT_EQ(a.heard, (lines{"up z@1"}));
}

TEST_F(direct_bus, runs_nothing_after_its_sleep_whose_callers_were_told_that_it_failed) {
    auto& m = in.add("m", 1, {.heartbeat = 20ms, .silence = 10s});
    ASSERT_TRUE(m.start({}));
    auto socket = call_raw("m", hello_of(greeting("a", "m")));
    const auto say = [&](std::string_view bytes) {
        EXPECT_EQ(::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    };
    std::string bytes;
    bus::append_cast(bytes, 1, "in time");
    say(bytes);
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("cast a 1 in time"); }));
    // The first one's caller was told `timeout` while the loop stood still.
    bytes.clear();
    bus::append_call(bytes, 1, 50, echo, "late");
    bus::append_call(bytes, 2, 5000, echo, "still waited for");
    say(bytes);
    ::usleep(200'000);
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("call a 1 still waited for"); }));
    EXPECT_FALSE(m.has_heard("call a 1 late"));
    // And all were told `disconnected` by one that has closed the link meanwhile. What was cast is
    // owed all the same: a push was answered well when it was sent.
    in.runs_for(100ms);
    bytes.clear();
    bus::append_cast(bytes, 1, "before it");
    bus::append_call(bytes, 3, 5000, echo, "old");
    bus::append_cast(bytes, 1, "behind it");
    say(bytes);
    ::usleep(200'000);
    socket.close();
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("down a@3 lost"); }));
    EXPECT_FALSE(m.has_heard("call a 1 old"));
    EXPECT_TRUE(m.has_heard("cast a 1 before it"));
    EXPECT_TRUE(m.has_heard("cast a 1 behind it"));
}

TEST_F(direct_bus, lives_anew_at_once_when_it_slept_for_longer_than_the_silence_and_was_left) {
    for (const bool declares_dead : {true, false}) {
        const auto id = declares_dead ? "m" : "n";
        auto& m =
            in.add(id, 1, {.heartbeat = 20ms, .silence = 200ms, .declares_dead = declares_dead});
        ASSERT_TRUE(m.start({}));
        std::string bytes = hello_of(greeting("a", id));
        bus::append_cast(bytes, 1, "hello");
        auto socket = call_raw(id, bytes);
        ASSERT_TRUE(in.runs_until([&] { return m.has_heard("cast a 1 hello"); }));
        ::usleep(300'000);
        socket.close();
        ASSERT_TRUE(in.runs_until([&] { return m.has_heard("down a@3 lost"); }));
        in.runs_for(20ms);
        EXPECT_EQ(m.reborn.empty(), !declares_dead) << "nobody has declared it dead";
    }
}

TEST_F(direct_bus, says_what_may_have_waited_while_it_stood_still_and_when_the_rest_is_read) {
    auto& m = in.add("m", 1);
    ASSERT_TRUE(m.start({}));
    auto socket = call_raw("m", hello_of(greeting("a", "m")));
    const auto say = [&](std::initializer_list<std::string_view> texts) {
        std::string bytes;
        for (const auto each : texts) {
            bus::append_cast(bytes, 1, each);
        }
        EXPECT_EQ(::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    };
    say({"hello"});
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("cast a 1 hello"); }));
    m.old.clear();
    say({"at once"});
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("cast a 1 at once"); }));
    EXPECT_EQ(m.old, lines{});
    say({"one", "two"});
    ::usleep(300'000);
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("cast a 1 two"); }));
    EXPECT_EQ(m.old, (lines{"cast a 1 one", "cast a 1 two", "read up a"}));
    say({"three"});
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("cast a 1 three"); }));
    EXPECT_EQ(m.old.size(), 3U);
}

TEST_F(direct_bus, does_not_call_a_silent_process_dead_where_a_debugger_may_hold_it) {
    auto& m = in.add("m", 1, {.heartbeat = 20ms, .silence = 100ms, .declares_dead = false});
    ASSERT_TRUE(m.start({"z"}));
    auto sleeper = in.add_victim("z", 5, {"m"});
    in.link(m, "z");
    sleeper->freeze();
    in.runs_for(400ms);
    EXPECT_EQ(m.heard, (lines{"up z@5"}));
    sleeper->thaw();
    const auto done = call(in, m, "z", echo, "x");
    ASSERT_TRUE(in.runs_until([&] { return done->is_done(); }));
    EXPECT_TRUE(done->what);
    sleeper->kill();
}

TEST_F(direct_bus, declares_a_silent_process_of_an_older_build_dead_which_links_again_as_it_is) {
    auto& m = in.add("m", 1, {.heartbeat = 30ms, .silence = 200ms, .versions = {2, 4}});
    ASSERT_TRUE(m.start({"a"}));
    auto sleeper = in.add_victim("a", 5, {"m"});
    in.link(m, "a");
    sleeper->freeze();
    ASSERT_TRUE(in.runs_until([&] { return m.has_heard("down a@5 dead"); }));
    sleeper->thaw();
    ASSERT_TRUE(in.runs_until([&] { return m.link_news().size() >= 3; }));
    EXPECT_EQ(m.link_news().back(), "up a@5");
    sleeper->kill();
}

TEST_F(direct_bus, holds_no_more_callers_without_a_name_than_its_limit) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    std::vector<bus::unix_socket> silent;
    for (int i = 0; i < 256; ++i) {
        silent.push_back(call_raw("m", ""));
        in.io.restart();
        in.io.poll();
    }
    auto one_more = call_raw("m", "");
    read_to_end(one_more);
    silent.clear();
    auto& n = in.add("n");
    ASSERT_TRUE(n.start({"m"}));
    in.link(n, "m");
}

TEST_F(direct_bus, reads_no_further_calls_of_a_peer_that_takes_none_of_its_answers) {
    auto& m = in.add("m", 1, {.queue_limit = 64 * 1024});
    ASSERT_TRUE(m.start({}));
    auto socket = call_raw("m", hello_of(greeting("a", "m")));
    std::string calls;
    bus::append_plain(calls, bus::frame_kind::ping);
    const std::string bytes(8 * 1024, 'x');
    for (std::uint64_t i = 0; i < 8; ++i) {
        bus::append_call(calls, i + 1, 60000, echo, bytes);
    }
    // As much as it takes; it answers each with as much.
    std::string left;
    std::size_t sent = 0;
    const auto send_more = [&] {
        if (left.empty()) {
            left = calls;
        }
        const auto put =
            ::send(socket.native_handle(), left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0) {
            sent += static_cast<std::size_t>(put);
            left.erase(0, static_cast<std::size_t>(put));
        }
        return put > 0;
    };
    for (int idle = 0; idle < 20; ++idle) {
        while (send_more()) {
            idle = 0;
        }
        in.runs_for(5ms);
    }
    EXPECT_LE(m.links().queues().front().bytes, 72U * 1024);
    EXPECT_LT(sent, 1024U * 1024) << "what the sockets hold, twice";
    // It goes on with the first answers that are taken.
    const auto before = m.heard.size();
    char taken[64 * 1024];
    ASSERT_TRUE(in.runs_until([&] {
        (void)::recv(socket.native_handle(), taken, sizeof(taken), MSG_DONTWAIT);
        return m.heard.size() > before + 10;
    }));
    EXPECT_TRUE(m.links().is_linked("a"));
}

TEST_F(direct_bus, breaks_the_link_to_a_peer_that_takes_nothing_for_the_silence) {
    auto& m = in.add("m", 1, {.queue_limit = 64 * 1024, .heartbeat = 20ms, .silence = 200ms});
    ASSERT_TRUE(m.start({}));
    auto hello = hello_of(greeting("a", "m"));
    bus::append_plain(hello, bus::frame_kind::ping);
    auto socket = call_raw("m", hello);
    in.link(m, "a");
    const std::string bytes(8 * 1024, 'x');
    while (m.links().cast("a", {1, bytes})) {
    }
    // It gives signs of life all the time.
    std::string ping;
    bus::append_plain(ping, bus::frame_kind::ping);
    ASSERT_TRUE(in.runs_until([&] {
        (void)::send(socket.native_handle(), ping.data(), ping.size(), MSG_NOSIGNAL);
        return m.has_heard("down a@3 lost");
    }));
}

TEST_F(direct_bus, gives_others_their_turn_while_one_link_brings_much) {
    auto& m = in.add("m");
    ASSERT_TRUE(m.start({}));
    m.on_event = [](const std::string& line) { // each frame is work
        if (line.starts_with("cast")) {
            const auto end = std::chrono::steady_clock::now() + 3ms;
            while (std::chrono::steady_clock::now() < end) {
            }
        }
    };
    auto frames = hello_of(greeting("a", "m"));
    bus::append_plain(frames, bus::frame_kind::ping);
    for (int i = 0; i < 40; ++i) {
        bus::append_cast(frames, 1, "x");
    }
    auto socket = call_raw("m", frames);
    std::size_t turns = 0;
    ASSERT_TRUE(in.runs_until([&] { // asks between two handlers of the loop
        ++turns;
        return std::count(m.heard.begin(), m.heard.end(), "cast a 1 x") == 40;
    }));
    EXPECT_GE(turns, 9U) << "120 ms of work in turns of 10";
}

} // namespace shaddock::contract
