#pragma once

#include "stream.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock::net::testing {

/// The peer of a memory_stream: what it has sent, what it takes, and which operation breaks the
/// wire. It outlives the stream.
class memory_wire {
public:
    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

    explicit memory_wire(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
    std::unique_ptr<stream> make_stream();

    /// What the peer sends, more of it, and its end.
    void give(std::string_view bytes) {
        input_ += bytes;
        wake_reader();
    }
    void end() {
        is_ended_ = true;
        wake_reader();
    }
    /// The peer takes so many bytes more.
    void make_room(std::size_t bytes) {
        room_ = bytes;
        wake_writer();
    }
    void wake_reader() { wake(reader_, &stream_user::on_readable); }
    void wake_writer() { wake(writer_, &stream_user::on_writable); }

    /// At most so many bytes in one read or write.
    std::size_t chunk = all;
    /// So many calls of shut_down would block.
    int shut_down_steps = 0;
    /// The n-th operation fails, and all after it; 0: none. A wait is one.
    int fail_at = 0;
    int operations = 0;

    /// What has come to the peer.
    std::string output;
    int waits = 0;
    bool is_shut_down = false;
    int closed = 0;
    int resets = 0;

private:
    friend class memory_stream;
    static constexpr auto broken = "the wire is broken";
    using call = void (stream_user::*)(const char*);

    bool fails() { return ++operations >= fail_at && fail_at != 0; }
    void wait(stream::user_ptr& place, stream::user_ptr user, bool is_ready, call what) {
        EXPECT_EQ(place, nullptr) << "a second wait of the kind";
        EXPECT_EQ(closed + resets, 0);
        ++waits;
        place = std::move(user);
        if (is_ready || (fail_at != 0 && operations + 1 >= fail_at)) {
            wake(place, what);
        }
    }
    void wake(stream::user_ptr& place, call what) {
        if (place) {
            const auto* problem = closed + resets > 0 ? "closed" : fails() ? broken : nullptr;
            boost::asio::post(executor_, [user = std::exchange(place, nullptr), what, problem] {
                (user.get()->*what)(problem);
            });
        }
    }

    boost::asio::any_io_executor executor_;
    std::string input_;
    bool is_ended_ = false;
    std::size_t room_ = all;
    stream::user_ptr reader_;
    stream::user_ptr writer_;
};

/// A stream without a system below it.
class memory_stream final : public stream {
public:
    explicit memory_stream(memory_wire& wire) : wire_(wire) {}

    stream_result read_some(char* into, std::size_t size) override {
        if (auto failed = begin()) {
            return *failed;
        }
        auto& input = wire_.input_;
        if (input.empty()) {
            return {.status = wire_.is_ended_ ? stream_status::ended : stream_status::would_block};
        }
        const auto count = input.copy(into, std::min(size, wire_.chunk));
        input.erase(0, count);
        return {.size = count};
    }
    stream_result write_some(std::string_view bytes) override {
        if (auto failed = begin()) {
            return *failed;
        }
        const auto count = std::min({bytes.size(), wire_.chunk, wire_.room_});
        if (count == 0) {
            return {.status = stream_status::would_block};
        }
        EXPECT_FALSE(wire_.is_shut_down);
        wire_.output += bytes.substr(0, count);
        wire_.room_ -= wire_.room_ == memory_wire::all ? 0 : count;
        return {.size = count};
    }
    stream_result shut_down() override {
        if (auto failed = begin()) {
            return *failed;
        }
        if (wire_.shut_down_steps > 0) {
            --wire_.shut_down_steps;
            return {.status = stream_status::would_block};
        }
        wire_.is_shut_down = true;
        return {};
    }
    void close() override { give_up(wire_.closed); }
    void reset() override { give_up(wire_.resets); }
    void wait_readable(user_ptr user) override {
        wire_.wait(wire_.reader_, std::move(user), !wire_.input_.empty() || wire_.is_ended_,
                   &stream_user::on_readable);
    }
    void wait_writable(user_ptr user) override {
        wire_.wait(wire_.writer_, std::move(user), wire_.room_ > 0, &stream_user::on_writable);
    }

private:
    std::optional<stream_result> begin() {
        EXPECT_EQ(wire_.closed + wire_.resets, 0) << "nothing after the end";
        if (wire_.fails()) {
            return stream_result{.status = stream_status::failed, .problem = memory_wire::broken};
        }
        return std::nullopt;
    }
    void give_up(int& count) {
        ++count;
        wire_.wake_reader();
        wire_.wake_writer();
    }

    memory_wire& wire_;
};

inline std::unique_ptr<stream> memory_wire::make_stream() {
    return std::make_unique<memory_stream>(*this);
}

} // namespace shaddock::net::testing
