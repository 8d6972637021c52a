#include "tls_stream.hpp"

#include "life.hpp"
#include "memory_stream.hpp"
#include "test_certificate.hpp"

#include <boost/asio/io_context.hpp>

#include <openssl/err.h>

#include <gmock/gmock.h>

#include <fstream>
#include <optional>
#include <vector>

namespace shaddock::net::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A client of OpenSSL's, in memory.
class tls_client {
public:
    explicit tls_client(int version, SSL_SESSION* resumed = nullptr)
        : context_(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_set_max_proto_version(context_.get(), version);
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl_.get());
        if (resumed != nullptr) {
            SSL_set_session(ssl_.get(), resumed);
        }
    }
    /// Reads what has come and gives what it makes of it.
    std::string answer(std::string_view bytes) {
        BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
        char room[4096];
        std::size_t count = 0;
        while (SSL_read_ex(ssl_.get(), room, sizeof room, &count) == 1) {
            seen.append(room, count);
        }
        has_ended = SSL_get_error(ssl_.get(), 0) == SSL_ERROR_ZERO_RETURN;
        return made();
    }
    std::string say(std::string_view text) {
        std::size_t count = 0;
        EXPECT_EQ(SSL_write_ex(ssl_.get(), text.data(), text.size(), &count), 1);
        return made();
    }
    std::string update_key() {
        EXPECT_EQ(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED), 1);
        SSL_do_handshake(ssl_.get());
        return made();
    }
    std::string end() {
        SSL_shutdown(ssl_.get());
        return made();
    }
    bool is_open() const { return SSL_is_init_finished(ssl_.get()) == 1; }
    bool has_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
    SSL_SESSION* session() const { return SSL_get1_session(ssl_.get()); }

    std::string seen;
    bool has_ended = false;

private:
    std::string made() {
        ERR_clear_error();
        char* data = nullptr;
        const auto size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
        std::string bytes(data, static_cast<std::size_t>(size));
        (void)BIO_reset(SSL_get_wbio(ssl_.get()));
        return bytes;
    }
    std::unique_ptr<SSL_CTX, ssl_free> context_;
    std::unique_ptr<SSL, ssl_free> ssl_;
};

/// Reads all that comes, as a connection does, and waits again.
class reader final : public stream_user {
public:
    explicit reader(stream& from, std::size_t room) : from_(from), room_(room) {}
    void begin() { from_.wait_readable(this); }
    void on_readable(const char* problem) override {
        if (problem != nullptr) {
            end = problem;
            return;
        }
        std::string buffer(room_, '\0');
        for (;;) {
            const auto got = from_.read_some(buffer.data(), room_);
            if (got.status == stream_status::ended || got.status == stream_status::failed) {
                end = got.status == stream_status::ended ? "ended" : got.problem;
                return;
            }
            seen.append(buffer, 0, got.size);
            if (got.size < room_) {
                break;
            }
        }
        from_.wait_readable(this);
    }
    void on_writable(const char* problem) override {
        ++writable;
        if (problem != nullptr) {
            end = problem;
        }
    }

    std::string seen;
    std::string end;
    int writable = 0;

private:
    stream& from_;
    std::size_t room_;
};

struct tls : ::testing::Test {
    void open(plain_clients plain = plain_clients::refused, std::size_t room = 65536) {
        bytes = make_tls_stream(wire.make_stream(), context(),
                                {plain, [this] { return may_begin; }}, line);
        user = new reader(*bytes, room);
        user->begin();
    }
    const tls_context& context() const { return static_cast<const tls_context&>(*identity); }
    void run() {
        loop.restart();
        loop.poll();
    }
    /// Carries bytes both ways until nobody has anything to say.
    void talk(std::string first = {}) {
        wire.give(first);
        for (int turn = 0; turn < 50; ++turn) {
            run();
            const auto answer = client->answer(std::exchange(wire.output, {}));
            if (answer.empty()) {
                return;
            }
            wire.give(answer);
        }
        ADD_FAILURE() << "they never end";
    }
    void shake_hands(int version, SSL_SESSION* resumed = nullptr) {
        client.emplace(version, resumed);
        talk(client->answer({}));
    }

    test_certificate files;
    boost::asio::io_context loop;
    base::manual_clock clock;
    listener_counts counts;
    std::shared_ptr<tls_identity> identity =
        tls_identity::open(files.certificate(), files.key()).value();
    std::shared_ptr<tls_line> line = std::make_shared<tls_line>(loop.get_executor(), clock, counts);
    memory_wire wire{loop.get_executor()};
    bool may_begin = true;
    std::unique_ptr<stream> bytes;
    boost::intrusive_ptr<reader> user;
    std::optional<tls_client> client;
};

struct tls_versions : tls, ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(of, tls_versions, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(tls_versions, carry_bytes_both_ways_however_they_are_cut) {
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, memory_wire::all}) {
        SCOPED_TRACE(chunk);
        memory_wire own(loop.get_executor());
        wire = own;
        wire.chunk = chunk;
        open(plain_clients::refused, chunk == 7 ? 5 : 65536);
        shake_hands(GetParam());
        ASSERT_TRUE(client->is_open());
        // Quadratic in the test's wire, so little of it in single bytes.
        const std::size_t size = chunk == 1 ? 2'000 : 40'000;
        const std::string large(size, 'x');
        talk(client->say(large + "end"));
        EXPECT_EQ(user->seen, large + "end");
        const std::string answer(size, 'y');
        for (std::size_t said = 0; said < answer.size();) {
            const auto took = bytes->write_some(std::string_view(answer).substr(said));
            ASSERT_NE(took.status, stream_status::failed) << took.problem;
            said += took.size;
            talk();
        }
        EXPECT_EQ(client->seen, answer);
        EXPECT_EQ(bytes->shut_down().status, stream_status::done);
        EXPECT_TRUE(wire.is_shut_down);
        talk();
        EXPECT_TRUE(client->has_ended) << "TLS says it too";
        talk(client->end());
        EXPECT_EQ(user->end, "ended");
        bytes.reset();
        run();
    }
    EXPECT_EQ(counts.tls_handshakes, 3U);
    EXPECT_EQ(counts.tls_resumed + counts.tls_refused, 0U);
}

TEST_P(tls_versions, resume_also_after_the_files_were_read_again) {
    open();
    shake_hands(GetParam());
    talk(client->say("hello"));
    const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(client->session(),
                                                                            &SSL_SESSION_free);
    // A client that is cut off forgets its session.
    talk(client->end());
    ASSERT_TRUE(identity->read_again());
    memory_wire other(loop.get_executor());
    bytes.reset();
    run();
    wire = other;
    open();
    shake_hands(GetParam(), session.get());
    EXPECT_TRUE(client->has_resumed());
    EXPECT_EQ(counts.tls_handshakes, 2U);
    EXPECT_EQ(counts.tls_resumed, 1U);
}

TEST_F(tls, a_client_that_does_not_read_holds_one_record) {
    open();
    shake_hands(TLS1_3_VERSION);
    wire.make_room(0);
    const std::string large(200'000, 'x');
    const auto took = bytes->write_some(large);
    EXPECT_EQ(took.size, 16'384U);
    EXPECT_EQ(bytes->write_some(large).status, stream_status::would_block);
    bytes->wait_writable(user);
    run();
    EXPECT_EQ(user->writable, 0);
    EXPECT_EQ(bytes->shut_down().status, stream_status::would_block) << "the record first";
    wire.make_room(memory_wire::all);
    run();
    EXPECT_EQ(user->writable, 1);
    EXPECT_EQ(bytes->shut_down().status, stream_status::done);
    talk();
    EXPECT_EQ(client->seen.size(), 16'384U);
    EXPECT_TRUE(client->has_ended);
}

TEST_F(tls, who_speaks_plainly_is_refused_and_a_browser_hears_why) {
    open();
    wire.give("GET / HTTP/1.1\r\n\r\n");
    run();
    EXPECT_THAT(wire.output, AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("use wss://")));
    const auto body = wire.output.substr(wire.output.find("\r\n\r\n") + 4);
    EXPECT_THAT(wire.output, HasSubstr("Content-Length: " + std::to_string(body.size()) + "\r\n"));
    EXPECT_THAT(user->end, HasSubstr("no TLS"));
    EXPECT_EQ(counts.tls_refused, 1U);
}

TEST_F(tls, who_speaks_plainly_is_served_where_that_is_wanted) {
    open(plain_clients::served);
    wire.give(std::string("\1\0\0\2{}", 6));
    run();
    EXPECT_EQ(user->seen, std::string("\1\0\0\2{}", 6));
    EXPECT_EQ(bytes->write_some("plain").size, 5U);
    EXPECT_EQ(wire.output, "plain");
    wire.give("more");
    run();
    EXPECT_THAT(user->seen, HasSubstr("more"));
    EXPECT_EQ(bytes->shut_down().status, stream_status::done);
    EXPECT_TRUE(wire.is_shut_down);
}

TEST_F(tls, what_is_no_handshake_fails_with_words_and_an_alert) {
    open();
    wire.give(std::string("\x16\3\1\0\5hello", 10));
    run();
    EXPECT_THAT(user->end, StartsWith("TLS: "));
    EXPECT_EQ(wire.output.substr(0, 1), "\x15") << "an alert";
    EXPECT_EQ(counts.tls_refused, 1U);
    client.emplace(TLS1_1_VERSION);
}

TEST_F(tls, versions_before_1_2_are_refused) {
    open();
    client.emplace(TLS1_1_VERSION);
    // A client of today refuses to begin so; an old one's hello is this.
    std::string hello("\x16\3\1\0\x2d\1\0\0\x29\3\2", 11);
    hello += std::string(32, 'r') + std::string("\0\0\2\0\x2f\1\0", 7);
    wire.give(hello);
    run();
    EXPECT_THAT(user->end, HasSubstr("unsupported protocol"));
}

TEST_F(tls, key_updates_without_end_are_an_attack) {
    open();
    shake_hands(TLS1_3_VERSION);
    // Each wants an answer, and the client takes none.
    wire.make_room(0);
    std::size_t most = 0;
    int updates = 0;
    for (; updates < 5'000 && user->end.empty(); ++updates) {
        wire.give(client->update_key());
        run();
        most = std::max(most, bytes->held_bytes());
    }
    EXPECT_LT(updates, 2'000);
    EXPECT_THAT(user->end, StartsWith("TLS: "));
    EXPECT_LT(most, 64U * 1024);
}

TEST_F(tls, key_updates_among_messages_are_not) {
    open();
    shake_hands(TLS1_3_VERSION);
    for (int i = 0; i < 1'000; ++i) {
        const auto update = client->update_key();
        talk(update + client->say("x"));
        ASSERT_TRUE(client->is_open()) << i;
    }
    EXPECT_EQ(user->end, "");
    EXPECT_EQ(user->seen.size(), 1'000U);
    EXPECT_EQ(bytes->held_bytes(), 0U);
}

TEST_F(tls, a_handshake_has_a_size) {
    open();
    // The beginning of a hello of 128 KiB, in whole records.
    const std::string body(16'384, 'h');
    std::string hello("\x01\x02\0\0", 4);
    hello += body;
    std::string sent;
    for (int i = 0; i < 7 && user->end.empty(); ++i) {
        wire.give(std::string("\x16\3\1\x40\0", 5) + hello.substr(0, 16'384));
        hello = body;
        run();
        EXPECT_LT(bytes->held_bytes(), 48U * 1024);
    }
    EXPECT_THAT(user->end, StartsWith("TLS: "));
    EXPECT_EQ(counts.tls_refused, 1U);
}

TEST_F(tls, a_record_under_way_is_counted) {
    open();
    shake_hands(TLS1_3_VERSION);
    const auto record = client->say(std::string(16'000, 'x'));
    wire.give(record.substr(0, record.size() - 1));
    run();
    EXPECT_EQ(bytes->held_bytes(), record.size() - 1);
    wire.give(record.substr(record.size() - 1));
    run();
    EXPECT_EQ(bytes->held_bytes(), 0U);
    EXPECT_EQ(user->seen.size(), 16'000U);
}

TEST_F(tls, a_handshake_too_many_costs_no_cryptography) {
    may_begin = false;
    open();
    client.emplace(TLS1_3_VERSION);
    wire.give(client->answer({}));
    run();
    EXPECT_EQ(user->end, "TLS: too many handshakes");
    EXPECT_EQ(wire.output, "");
}

TEST_F(tls, a_wire_that_breaks_at_any_point_ends_the_stream_once) {
    int longest = 0;
    for (int at = 1; at < 200; ++at) {
        memory_wire own(loop.get_executor());
        wire = own;
        wire.fail_at = at;
        open();
        client.emplace(TLS1_3_VERSION);
        wire.give(client->answer({}));
        for (int turn = 0; turn < 5; ++turn) {
            run();
            wire.give(client->answer(std::exchange(wire.output, {})));
        }
        if (client->is_open()) {
            wire.give(client->say("hello"));
            run();
        }
        if (user->end.empty()) {
            bytes->write_some("answer");
            bytes->shut_down();
            run();
        }
        bytes.reset();
        run();
        if (wire.operations < at) {
            longest = at;
            break;
        }
    }
    EXPECT_GT(longest, 8) << "operations of a whole life";
}

TEST_F(tls, a_wait_under_way_ends_with_the_stream) {
    open();
    shake_hands(TLS1_3_VERSION);
    wire.make_room(0);
    bytes->write_some(std::string(20'000, 'x'));
    bytes->wait_writable(user);
    bytes->close();
    bytes.reset();
    run();
    EXPECT_EQ(user->writable, 1);
    EXPECT_NE(user->end, "");
}

/// Takes its time.
class slow final : public stream_user {
public:
    slow(base::manual_clock& clock, base::duration takes, std::vector<int>& turns, int& turn)
        : clock_(clock), takes_(takes), turns_(turns), turn_(turn) {}
    void on_readable(const char* /*problem*/) override {
        clock_.advance(takes_);
        turns_.push_back(turn_);
    }
    void on_writable(const char* /*problem*/) override {}

private:
    base::manual_clock& clock_;
    base::duration takes_;
    std::vector<int>& turns_;
    int& turn_;
};

TEST_F(tls, handshakes_stand_in_line_and_leave_the_loop_to_others) {
    const auto turns_of = [this](int many, base::duration takes) {
        std::vector<int> turns;
        int turn = 0;
        for (int i = 0; i < many; ++i) {
            line->wake_later(new slow(clock, takes, turns, turn));
        }
        loop.restart();
        for (; loop.poll_one() != 0; ++turn) {
        }
        return turns;
    };
    EXPECT_THAT(turns_of(5, std::chrono::milliseconds(2)), ElementsAre(0, 0, 1, 1, 2))
        << "3 ms a turn";
    EXPECT_THAT(turns_of(6, base::duration::zero()), ElementsAre(0, 0, 0, 0, 1, 1))
        << "their time may pass elsewhere";
}

/// Closed while it stood in line.
struct gone final : stream_user {
    void on_readable(const char* /*problem*/) override { ADD_FAILURE() << "it had a turn"; }
    void on_writable(const char* /*problem*/) override {}
    bool is_over() const override { return true; }
};

TEST_F(tls, who_is_gone_takes_nobody_s_turn_in_the_line) {
    std::vector<int> turns;
    int turn = 0;
    for (int i = 0; i < 100; ++i) {
        line->wake_later(new gone);
    }
    line->wake_later(new slow(clock, base::duration::zero(), turns, turn));
    line->wake_later(new gone);
    loop.restart();
    for (; loop.poll_one() != 0; ++turn) {
    }
    EXPECT_THAT(turns, ElementsAre(0));
    line->wake_later(new slow(clock, base::duration::zero(), turns, turn = 7));
    run();
    EXPECT_THAT(turns, ElementsAre(0, 7)) << "the line goes on";
}

/// A port with TLS of its own.
TEST_F(tls, a_client_that_has_said_all_reads_the_end_of_its_answer) {
    life here;
    const auto own_line =
        std::make_shared<tls_line>(here.loop.get_executor(), here.clock, here.the_set.counts());
    client.emplace(TLS1_3_VERSION);
    const auto carry = [&](std::string said) {
        for (int turn = 0; turn < 50 && (turn == 0 || !said.empty()); ++turn) {
            here.wire.give(said);
            here.settle();
            said = client->answer(std::exchange(here.wire.output, {}));
        }
    };
    here.the_set.add(make_tls_stream(here.wire.make_stream(), context(), {}, own_line),
                     {.from = *base::parse_ip("10.0.0.1"), .port = 1});
    carry(client->answer({}));
    carry(client->say(package(package_type::handshake, "{}")));
    carry(client->say(package(package_type::handshake_ack)));
    ASSERT_THAT(here.events.ready, ::testing::SizeIs(1));
    client->seen.clear();
    here.wire.make_room(100);
    here.events.ready[0]->send_package(package(package_type::data, std::string(10'000, 'x')));
    here.settle();
    here.wire.give(client->end());
    here.wire.end();
    here.settle();
    here.wire.make_room(memory_wire::all);
    here.settle();
    client->answer(here.wire.output);
    EXPECT_EQ(client->seen.size(), 10'004U);
    EXPECT_TRUE(client->has_ended);
    EXPECT_EQ(here.connections(), 0U);
}

struct identity_files : ::testing::Test {
    static std::string refusal(const std::filesystem::path& certificate,
                               const std::filesystem::path& key) {
        const auto opened = tls_identity::open(certificate, key);
        return opened ? "opened" : opened.error().text();
    }
    test_certificate files;
};

TEST_F(identity_files, that_do_not_fit_are_refused_with_file_and_remedy) {
    const test_certificate other;
    const test_certificate locked(3600, "secret");
    EXPECT_EQ(refusal(files.certificate(), files.key()), "opened");
    EXPECT_THAT(refusal("/no/cert.pem", files.key()),
                AllOf(HasSubstr("/no/cert.pem: No such file or directory"), HasSubstr("PEM")));
    EXPECT_THAT(refusal(files.key(), files.key()), HasSubstr("key.pem"));
    EXPECT_THAT(refusal(files.certificate(), other.key()),
                AllOf(HasSubstr(other.key().string()), HasSubstr(files.certificate().string())));
    EXPECT_THAT(refusal(locked.certificate(), locked.key()), HasSubstr("without a passphrase"));
}

TEST_F(identity_files, keep_what_was_read_when_they_break) {
    const auto identity = tls_identity::open(files.certificate(), files.key()).value();
    EXPECT_THAT(identity->text(), AllOf(HasSubstr("CN = chat.test"), HasSubstr("until ")));
    EXPECT_FALSE(identity->has_expired());
    std::ofstream(files.certificate()) << "half a certif";
    EXPECT_FALSE(identity->read_again());
    EXPECT_THAT(identity->text(), HasSubstr("chat.test"));
    const test_certificate old(-60);
    EXPECT_TRUE(tls_identity::open(old.certificate(), old.key()).value()->has_expired());
}

} // namespace
} // namespace shaddock::net::testing
