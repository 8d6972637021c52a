#include "bus_nats/transport.hpp"
#include "chunk.hpp"
#include "client.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>
#include <stdexcept>
#include <unistd.h>

namespace shaddock::test {

namespace {

/// One for all tests here that do not end it.
nats_server& the_server() {
    static nats_server server({.has_jetstream = false});
    return server;
}

/// Waits for nothing by itself; the gate is held as long as a wait is under way.
class user final : public bus::pipe_user {
public:
    void on_readable() override { ++readable; }
    void on_writable() override { ++writable; }
    int readable = 0;
    int writable = 0;
};

/// A transport under test, and its pipes.
class end {
public:
    end(loop& in, const nats_server& over, std::string cluster, std::string id,
        std::size_t window = 512 * 1024, std::size_t receive_limit = 16 * 1024 * 1024)
        : in_(in), over_(in, options_with(over, receive_limit)) {
        EXPECT_TRUE(over_.to.start());
        EXPECT_TRUE(in.runs_until([&] { return over_.to.is_up(); }));
        bus::nats_transport_options wanted;
        wanted.cluster = std::move(cluster);
        wanted.id = std::move(id);
        wanted.window = window;
        wanted.heartbeat = 50ms;
        to = bus::make_nats_transport(in.io.get_executor(), in.clock, over_.to, wanted);
        EXPECT_TRUE(to->open());
        // What it has sent to itself is back: all that it listens at is in place.
        EXPECT_TRUE(in.runs_until([&] { return is_whole(); }));
    }
    bool is_whole() const { return to->judges({}).whole_since < base::time_point::max(); }
    std::unique_ptr<bus::pipe> accept() {
        const auto who = std::make_shared<std::optional<bus::arrival>>();
        to->accept([who](bus::arrival came) { *who = std::move(came); });
        if (!in_.runs_until([&] { return who->has_value(); })) {
            throw std::runtime_error("nobody has called");
        }
        EXPECT_EQ((*who)->what, bus::arrival::trouble::none);
        return std::move((*who)->from);
    }
    std::unique_ptr<bus::pipe> dial(std::string_view id) {
        auto made = to->dial(id);
        EXPECT_TRUE(made);
        return made ? std::move(*made) : nullptr;
    }
    nats::connection& connection() { return over_.to; }

private:
    static nats::options options_with(const nats_server& server, std::size_t receive_limit) {
        auto wanted = options_for(server);
        wanted.receive_limit = receive_limit;
        return wanted;
    }
    loop& in_;
    client over_;

public:
    std::unique_ptr<bus::transport> to;
};

class bus_nats_stream : public testing::Test {
protected:
    bus_nats_stream() {
        static int worlds = 0;
        cluster = "streams-" + std::to_string(++worlds);
    }

    /// All that can be read now; then `error_` says how it went on: 0 the end, else errno.
    std::string read(bus::pipe& from) {
        std::string all;
        char bytes[4096];
        for (;;) {
            const auto got = from.recv(bytes, sizeof(bytes));
            if (got <= 0) {
                error_ = got == 0 ? 0 : errno;
                return all;
            }
            all.append(bytes, static_cast<std::size_t>(got));
        }
    }
    std::string read_until(bus::pipe& from, std::size_t size) {
        std::string all;
        EXPECT_TRUE(in.runs_until([&] {
            all += read(from);
            return all.size() >= size || error_ != EAGAIN;
        }));
        return all;
    }
    /// How it ends, after what could be read.
    int ending(bus::pipe& of) {
        std::string ignored;
        EXPECT_TRUE(in.runs_until([&] {
            ignored += read(of);
            return error_ != EAGAIN;
        })) << "it does not end";
        return error_;
    }
    bool ending_now(bus::pipe& of) {
        read(of);
        return error_ != EAGAIN;
    }
    void write(bus::pipe& to, std::string_view bytes) {
        EXPECT_TRUE(in.runs_until([&] {
            const auto sent = to.send(bytes);
            if (sent > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            }
            return bytes.empty() || (sent < 0 && errno != EAGAIN);
        }));
        EXPECT_TRUE(bytes.empty());
    }

    loop in;
    std::string cluster;
    int error_ = 0;
};

/// The other side of a pipe, spoken by hand.
class bus_nats_stranger : public bus_nats_stream {
protected:
    bus_nats_stranger() : one(in, the_server(), cluster, "one"), raw(in, the_server()) {
        auto at = raw.to.subscribe("shaddock." + cluster + ".bus.to.raw",
                                   [this](nats::message got) { calls.push_back(std::move(got)); });
        EXPECT_TRUE(at);
        called_ = std::move(*at);
        inbox = "shaddock." + cluster + ".bus.pipe.raw";
        auto answers =
            raw.to.subscribe(inbox, [this](nats::message got) { heard.push_back(std::move(got)); });
        EXPECT_TRUE(answers);
        answers_ = std::move(*answers);
        // Both are in place when something comes back.
        EXPECT_TRUE(raw.to.publish(inbox, {}, "x"));
        EXPECT_TRUE(in.runs_until([&] { return !heard.empty(); }));
        heard.clear();
        pipe = one.dial("raw");
        EXPECT_TRUE(in.runs_until([&] { return !calls.empty(); }));
        say(bus::accept_chunk(4096));
        write(*pipe, "x");
        EXPECT_TRUE(in.runs_until([&] { return heard.size() == 1; }));
    }
    void say(std::string_view bytes) {
        EXPECT_TRUE(raw.to.publish(calls.at(0).reply, inbox, bytes));
    }

    void raw_leaves() { answers_.end(); }

    end one;
    client raw;
    std::string inbox;
    std::vector<nats::message> calls;
    std::vector<nats::message> heard;
    std::unique_ptr<bus::pipe> pipe;

private:
    nats::subscription called_;
    nats::subscription answers_;
};

} // namespace

TEST_F(bus_nats_stream, carries_bytes_both_ways_and_ends_after_the_last) {
    end one(in, the_server(), cluster, "one");
    end two(in, the_server(), cluster, "two.2 *>");
    auto dialled = one.dial("two.2 *>");
    auto accepted = two.accept();
    write(*dialled, "hello");
    EXPECT_EQ(read_until(*accepted, 5), "hello");
    const std::string big(3 * 1024 * 1024, 'b');
    std::string rest(big);
    std::string got;
    ASSERT_TRUE(in.runs_until([&] {
        const auto sent = accepted->send(rest);
        rest.erase(0, sent > 0 ? static_cast<std::size_t>(sent) : 0);
        got += read(*dialled);
        return got.size() == big.size();
    }));
    EXPECT_EQ(got, big);
    write(*accepted, "last words");
    accepted->close();
    EXPECT_EQ(read_until(*dialled, 10), "last words");
    EXPECT_EQ(ending(*dialled), 0);
    EXPECT_TRUE(dialled->is_hung_up());
    EXPECT_EQ(dialled->send("x"), -1);
    EXPECT_EQ(errno, EPIPE);
}

TEST_F(bus_nats_stream, tells_who_waits) {
    end one(in, the_server(), cluster, "one");
    end two(in, the_server(), cluster, "two");
    base::gate gate;
    auto waits = std::make_shared<user>();
    auto dialled = one.dial("two");
    EXPECT_EQ(dialled->send("too early"), -1);
    EXPECT_EQ(errno, EAGAIN);
    dialled->wait_writable(waits, *gate.enter());
    auto accepted = two.accept();
    ASSERT_TRUE(in.runs_until([&] { return waits->writable == 1; }));
    dialled->wait_readable(waits, *gate.enter());
    write(*accepted, "x");
    EXPECT_EQ(waits->readable, 0);
    ASSERT_TRUE(in.runs_until([&] { return waits->readable == 1; }));
    EXPECT_TRUE(dialled->has_unread());
    EXPECT_EQ(read(*dialled), "x");
    EXPECT_FALSE(dialled->has_unread());
    // A wait under way ends with the pipe.
    dialled->wait_readable(waits, *gate.enter());
    dialled->close();
    ASSERT_TRUE(in.runs_until([&] { return waits->readable == 2; }));
    bool is_empty = false;
    gate.close([&] { is_empty = true; });
    EXPECT_TRUE(in.runs_until([&] { return is_empty; }));
}

TEST_F(bus_nats_stream, sends_no_more_than_the_other_side_reads) {
    constexpr std::size_t window = 64 * 1024;
    end one(in, the_server(), cluster, "one", window);
    end two(in, the_server(), cluster, "two", window);
    auto dialled = one.dial("two");
    auto accepted = two.accept();
    write(*dialled, "x");
    std::size_t sent = 1;
    const std::string bytes(1000, 'x');
    for (int i = 0; i < 1000; ++i) {
        const auto part = dialled->send(bytes);
        sent += part > 0 ? static_cast<std::size_t>(part) : 0;
    }
    EXPECT_LT(sent, window);
    EXPECT_GT(sent, window / 2);
    base::gate gate;
    auto waits = std::make_shared<user>();
    dialled->wait_writable(waits, *gate.enter());
    EXPECT_FALSE(in.runs_until([&, left = 20]() mutable {
        return waits->writable > 0 || --left == 0;
    }) && waits->writable > 0)
        << "the other side has read nothing";
    read_until(*accepted, sent);
    ASSERT_TRUE(in.runs_until([&] { return waits->writable == 1; }));
    EXPECT_GT(dialled->send(bytes), 0);
    gate.close([] {});
}

TEST_F(bus_nats_stream, says_that_nobody_is_there) {
    end one(in, the_server(), cluster, "one");
    end other(in, the_server(), cluster + "x", "two");
    auto dialled = one.dial("two");
    EXPECT_EQ(ending(*dialled), ECONNREFUSED) << "another cluster is another world";
    // Who was there and is gone without a word.
    auto two = std::make_unique<end>(in, the_server(), cluster, "two");
    auto again = one.dial("two");
    auto accepted = two->accept();
    write(*again, "x");
    accepted.reset();
    EXPECT_EQ(ending(*again), 0);
    // Its call may come in the moment between.
    auto third = one.dial("two");
    two->to->close();
    EXPECT_NE(ending(*third), EAGAIN);
    auto fourth = one.dial("two");
    EXPECT_EQ(ending(*fourth), ECONNREFUSED);
}

TEST_F(bus_nats_stream, ends_both_sides_when_the_connection_is_lost) {
    nats_server server({.has_jetstream = false});
    end one(in, server, cluster, "one");
    end two(in, server, cluster, "two");
    auto dialled = one.dial("two");
    auto accepted = two.accept();
    write(*dialled, "x");
    read_until(*accepted, 1);
    EXPECT_EQ(one.to->judges("two").silence, 10s);
    ASSERT_TRUE(in.runs_until([&] { return one.is_whole(); }));
    server.kill();
    EXPECT_EQ(ending(*dialled), ECONNRESET);
    EXPECT_EQ(ending(*accepted), ECONNRESET);
    EXPECT_EQ(one.to->judges("two").whole_since, base::time_point::max());
    EXPECT_FALSE(one.to->dial("two")) << "while it is down it dials nobody";
    const auto down = std::chrono::steady_clock::now();
    server.start();
    ASSERT_TRUE(in.runs_until([&] { return one.is_whole() && two.is_whole(); }));
    EXPECT_GT(one.to->judges("two").whole_since, down);
    auto again = one.dial("two");
    ASSERT_NE(again, nullptr);
    auto other = two.accept();
    write(*again, "y");
    EXPECT_EQ(read_until(*other, 1), "y");
}

TEST_F(bus_nats_stream, tells_the_other_side_of_its_loss_when_it_is_back) {
    // Two servers of one cluster: each end has one of its own.
    nats_cluster servers(2);
    end one(in, servers.at(0), cluster, "one");
    end two(in, servers.at(1), cluster, "two");
    // What listens is known on the other server a moment later.
    std::unique_ptr<bus::pipe> dialled;
    ASSERT_TRUE(in.runs_until([&] {
        if (dialled == nullptr || ending_now(*dialled)) {
            dialled = one.dial("two");
        }
        return dialled->send("x") == 1;
    }));
    auto accepted = two.accept();
    EXPECT_EQ(read_until(*accepted, 1), "x");
    servers.at(1).kill();
    EXPECT_EQ(ending(*accepted), ECONNRESET);
    accepted.reset();
    servers.at(1).start();
    // Without a word from this side, which sends nothing.
    EXPECT_NE(ending(*dialled), EAGAIN);
}

TEST_F(bus_nats_stream, notices_that_its_own_connection_is_deaf) {
    nats_server server({.has_jetstream = false});
    end one(in, server, cluster, "one");
    ASSERT_TRUE(in.runs_until([&] { return one.is_whole(); }));
    server.freeze();
    // Before the library does, after three of its seconds.
    ASSERT_TRUE(in.runs_until([&] { return !one.is_whole(); }));
    EXPECT_TRUE(one.connection().is_up());
    server.thaw();
    ASSERT_TRUE(in.runs_until([&] { return one.is_whole(); }));
}

TEST_F(bus_nats_stream, ends_when_messages_were_dropped_before_they_were_read) {
    end one(in, the_server(), cluster, "one");
    end two(in, the_server(), cluster, "two", 512 * 1024, 32 * 1024);
    auto dialled = one.dial("two");
    auto accepted = two.accept();
    write(*dialled, "x");
    // The loop stands still while more comes than the limit.
    for (int i = 0; i < 100; ++i) {
        (void)dialled->send(std::string(4000, 'x'));
    }
    for (int i = 0; i < 1000 && one.connection().waiting() > 0; ++i) {
        ::usleep(1000);
    }
    ::usleep(100 * 1000);
    EXPECT_EQ(ending(*accepted), ECONNRESET);
    accepted->close();
    EXPECT_NE(ending(*dialled), EAGAIN);
}

TEST_F(bus_nats_stream, cuts_what_is_larger_than_the_server_takes) {
    nats_server server({.has_jetstream = false, .config = "max_payload: 65536"});
    end one(in, server, cluster, "one");
    end two(in, server, cluster, "two");
    auto dialled = one.dial("two");
    auto accepted = two.accept();
    std::string big(1000 * 1000, 'b');
    std::string got;
    std::string_view rest(big);
    ASSERT_TRUE(in.runs_until([&] {
        const auto sent = dialled->send(rest);
        rest.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
        got += read(*accepted);
        return got.size() == big.size();
    }));
    EXPECT_EQ(got, big);
}

TEST_F(bus_nats_stream, drops_garbage_at_its_door) {
    end one(in, the_server(), cluster, "one");
    client raw(in, the_server());
    const auto door = "shaddock." + cluster + ".bus.to.one";
    for (const auto& bytes :
         {std::string(), std::string("GET / HTTP/1.1"), std::string(100, '\0'),
          std::string(100, '\xff'), bus::data_chunk(0, "x"), bus::accept_chunk(4096),
          bus::dial_chunk(0), bus::dial_chunk(1).substr(0, 5)}) {
        ASSERT_TRUE(raw.to.publish(door, "back", bytes));
    }
    ASSERT_TRUE(raw.to.publish(door, {}, bus::dial_chunk(4096)));
    end two(in, the_server(), cluster, "two");
    auto dialled = two.dial("one");
    auto accepted = one.accept();
    write(*dialled, "x");
    EXPECT_EQ(read_until(*accepted, 1), "x");
}

TEST_F(bus_nats_stream, refuses_a_cluster_name_that_cannot_be_in_a_subject) {
    client over(in, the_server());
    for (const std::string name : {"", "a b", "a.b", "a*", "\xc3\xa4"}) {
        bus::nats_transport_options wanted;
        wanted.cluster = name;
        wanted.id = "one";
        const auto to = bus::make_nats_transport(in.io.get_executor(), in.clock, over.to, wanted);
        const auto opened = to->open();
        ASSERT_TRUE(opened.has_error()) << name;
        EXPECT_EQ(opened.error().code(), errc::config);
    }
}

TEST_F(bus_nats_stranger, reads_what_is_numbered_right) {
    say(bus::data_chunk(1, "first "));
    say(bus::data_chunk(2, "second"));
    EXPECT_EQ(read_until(*pipe, 12), "first second");
    say(bus::plain_chunk(bus::chunk_kind::end, 3));
    EXPECT_EQ(ending(*pipe), 0);
}

TEST_F(bus_nats_stranger, ends_at_a_gap_after_what_came_before_it) {
    say(bus::data_chunk(1, "before"));
    say(bus::data_chunk(3, "after"));
    say(bus::data_chunk(2, "late"));
    EXPECT_EQ(read_until(*pipe, 12), "before");
    EXPECT_EQ(ending(*pipe), ECONNRESET);
    pipe->close();
    ASSERT_TRUE(in.runs_until([&] { return heard.size() == 2; }));
    const auto last = bus::read_chunk(heard.back().bytes);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->kind, bus::chunk_kind::end);
    EXPECT_EQ(last->number, 1U) << "after the one byte that it had sent";
}

TEST_F(bus_nats_stranger, ends_at_what_comes_twice) {
    say(bus::data_chunk(1, "once"));
    say(bus::data_chunk(1, "once"));
    EXPECT_EQ(read_until(*pipe, 8), "once");
    EXPECT_EQ(ending(*pipe), ECONNRESET);
}

TEST_F(bus_nats_stranger, ends_when_nobody_listens_any_more) {
    heard.clear();
    EXPECT_TRUE(raw.to.publish(calls.at(0).reply, inbox, bus::taken_chunk(1, 1 + bus::chunk_cost)));
    raw_leaves();
    ASSERT_TRUE(in.runs_until([&] { return pipe->send("x") < 0 && errno == EPIPE; }));
    EXPECT_EQ(ending(*pipe), ECONNRESET);
}

class bus_nats_liar : public bus_nats_stranger, public testing::WithParamInterface<std::string> {};

TEST_P(bus_nats_liar, ends_the_pipe) {
    say(GetParam());
    EXPECT_EQ(ending(*pipe), ECONNRESET);
}

INSTANTIATE_TEST_SUITE_P(
    all, bus_nats_liar,
    testing::Values(std::string(), std::string("garbage"), std::string(20, '\xff'),
                    bus::data_chunk(1, ""), bus::accept_chunk(4096), bus::dial_chunk(4096),
                    bus::taken_chunk(1, 1ULL << 50), bus::plain_chunk(bus::chunk_kind::echo, 1),
                    bus::data_chunk(std::numeric_limits<std::uint64_t>::max(), "x")));

TEST_F(bus_nats_stranger, ends_when_more_comes_than_it_has_room_for) {
    for (std::uint64_t i = 1; i < 20; ++i) {
        say(bus::data_chunk(i, std::string(60000, 'x')));
    }
    std::size_t most = 0;
    // Nothing is read until all is there.
    ASSERT_TRUE(in.runs_until([&] { return pipe->is_hung_up(); }));
    most = read(*pipe).size();
    EXPECT_EQ(error_, ECONNRESET);
    EXPECT_LE(most, 512U * 1024);
}

} // namespace shaddock::test
