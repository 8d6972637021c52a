#include "stream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shaddock::net::testing {
namespace {

using boost::asio::ip::tcp;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Writes down how its waits end.
class noted_user final : public stream_user {
public:
    explicit noted_user(std::vector<std::string>& notes) : notes_(notes) {}
    void on_readable(const char* problem) override { note("readable", problem); }
    void on_writable(const char* problem) override { note("writable", problem); }

private:
    void note(const char* what, const char* problem) {
        notes_.emplace_back(problem == nullptr ? what : std::string(what) + ": " + problem);
    }

    std::vector<std::string>& notes_;
};

/// A stream, and the socket at its other end.
struct tcp_stream_test : ::testing::Test {
    tcp_stream_test() {
        tcp::acceptor acceptor(loop, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
        peer.connect(acceptor.local_endpoint());
        auto socket = acceptor.accept();
        socket.native_non_blocking(true);
        mine = make_tcp_stream(std::move(socket));
    }
    /// Waits for one thing to happen.
    void run_one() {
        loop.restart();
        ASSERT_EQ(loop.run_one_for(std::chrono::seconds(5)), 1U);
    }
    stream::user_ptr user() { return new noted_user(notes); }
    void give(std::string_view bytes) {
        peer.send(boost::asio::buffer(bytes));
        mine->wait_readable(user());
        run_one();
    }

    boost::asio::io_context loop;
    tcp::socket peer{loop};
    std::unique_ptr<stream> mine;
    std::vector<std::string> notes;
    char buffer[100]{};
};

TEST_F(tcp_stream_test, reads_what_is_there_then_would_block_then_ends) {
    EXPECT_EQ(mine->read_some(buffer, sizeof buffer).status, stream_status::would_block);
    give("hello");
    auto got = mine->read_some(buffer, 3);
    EXPECT_EQ(got.status, stream_status::done);
    EXPECT_EQ(std::string_view(buffer, got.size), "hel");
    got = mine->read_some(buffer, sizeof buffer);
    EXPECT_EQ(std::string_view(buffer, got.size), "lo");
    EXPECT_EQ(mine->read_some(buffer, sizeof buffer).status, stream_status::would_block);
    peer.shutdown(tcp::socket::shutdown_send);
    mine->wait_readable(user());
    run_one();
    EXPECT_EQ(mine->read_some(buffer, sizeof buffer).status, stream_status::ended);
    EXPECT_THAT(notes, ElementsAre("readable", "readable"));
}

TEST_F(tcp_stream_test, takes_what_fits_and_says_when_more_does) {
    const std::string much(std::size_t{16} * 1024 * 1024, 'x');
    const auto taken = mine->write_some(much);
    EXPECT_EQ(taken.status, stream_status::done);
    EXPECT_GT(taken.size, 0U);
    EXPECT_LT(taken.size, much.size());
    EXPECT_EQ(mine->write_some(much).status, stream_status::would_block);
    mine->wait_writable(user());
    loop.poll();
    EXPECT_THAT(notes, IsEmpty());
    std::string read(taken.size, '\0');
    boost::asio::read(peer, boost::asio::buffer(read));
    run_one();
    EXPECT_THAT(notes, ElementsAre("writable"));
    EXPECT_EQ(mine->write_some("y").size, 1U);
}

TEST_F(tcp_stream_test, shuts_down_after_what_it_took_and_reads_on) {
    (void)mine->write_some("last");
    EXPECT_EQ(mine->shut_down().status, stream_status::done);
    EXPECT_EQ(mine->shut_down().status, stream_status::done);
    std::string read;
    boost::system::error_code failed;
    boost::asio::read(peer, boost::asio::dynamic_buffer(read), failed);
    EXPECT_EQ(failed, boost::asio::error::eof);
    EXPECT_EQ(read, "last");
    give("answer");
    EXPECT_EQ(mine->read_some(buffer, sizeof buffer).size, 6U);
}

TEST_F(tcp_stream_test, failures_come_with_the_systems_words) {
    peer.set_option(boost::asio::socket_base::linger(true, 0));
    peer.close();
    mine->wait_readable(user());
    run_one();
    const auto read = mine->read_some(buffer, sizeof buffer);
    EXPECT_EQ(read.status, stream_status::failed);
    EXPECT_STREQ(read.problem, "Connection reset by peer");
    const auto written = mine->write_some("x");
    EXPECT_EQ(written.status, stream_status::failed);
    EXPECT_STREQ(written.problem, "Broken pipe");
    EXPECT_EQ(mine->shut_down().status, stream_status::failed);
}

TEST_F(tcp_stream_test, waits_end_with_a_problem_when_it_is_closed) {
    mine->wait_readable(user());
    mine->close();
    EXPECT_THAT(notes, IsEmpty()) << "by post";
    run_one();
    EXPECT_THAT(notes, ElementsAre("readable: Operation canceled"));
}

TEST_F(tcp_stream_test, reset_is_seen_as_such) {
    mine->reset();
    boost::system::error_code failed;
    peer.read_some(boost::asio::buffer(buffer), failed);
    EXPECT_EQ(failed, boost::asio::error::connection_reset);
}

TEST_F(tcp_stream_test, close_leaves_what_was_taken) {
    (void)mine->write_some("last");
    mine->close();
    std::string read(4, '\0');
    EXPECT_EQ(boost::asio::read(peer, boost::asio::buffer(read)), 4U);
    EXPECT_EQ(read, "last");
}

} // namespace
} // namespace shaddock::net::testing
