#include "generation_work.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

namespace shaddock::server {
namespace {

struct generation_work_test : ::testing::Test {
    boost::asio::io_context loop;
    std::optional<generation_work> work{std::in_place, loop.get_executor()};
};

boost::asio::awaitable<void> wait_for(boost::asio::steady_timer& timer) {
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

TEST_F(generation_work_test, counts_handlers_until_they_have_run) {
    const auto executor = work->executor();
    EXPECT_EQ(work->count(), 0u) << "an executor alone is no work";
    bool was_run = false;
    boost::asio::post(executor, [&] {
        was_run = true;
        EXPECT_EQ(work->count(), 1u);
    });
    EXPECT_EQ(work->count(), 1u);
    loop.run();
    EXPECT_TRUE(was_run);
    EXPECT_EQ(work->count(), 0u);
}

TEST_F(generation_work_test, counts_a_coroutine_until_it_ends) {
    boost::asio::steady_timer never(loop, std::chrono::hours(1));
    boost::asio::co_spawn(work->executor(), wait_for(never), boost::asio::detached);
    loop.poll();
    EXPECT_GT(work->count(), 0u) << "it waits for something that is not ours";
    never.cancel();
    loop.poll();
    EXPECT_EQ(work->count(), 0u);
}

TEST_F(generation_work_test, keeps_generations_apart) {
    generation_work other(loop.get_executor());
    boost::asio::post(other.executor(), [] {});
    EXPECT_EQ(work->count(), 0u);
    EXPECT_EQ(other.count(), 1u);
    loop.run();
}

TEST_F(generation_work_test, executor_may_outlive_it) {
    const auto executor = work->executor();
    work.reset();
    bool was_run = false;
    boost::asio::post(executor, [&] { was_run = true; });
    loop.run();
    EXPECT_TRUE(was_run);
}

TEST_F(generation_work_test, counts_what_is_held) {
    auto held = work->hold();
    auto other = work->hold();
    EXPECT_EQ(work->count(), 2u);
    held.reset();
    other.reset();
    EXPECT_EQ(work->count(), 0u);
}

TEST_F(generation_work_test, the_last_piece_tells_by_post) {
    auto held = work->hold();
    int times = 0;
    work->close([&] { ++times; });
    boost::asio::post(work->executor(), [] {});
    EXPECT_EQ(work->count(), 2u) << "it counts on as long as something is under way";
    loop.poll();
    EXPECT_EQ(times, 0);
    held.reset();
    EXPECT_EQ(work->count(), 0u);
    EXPECT_EQ(times, 0) << "told inline";
    loop.restart();
    loop.poll();
    EXPECT_EQ(times, 1);
    work->close([&] { ++times; });
    EXPECT_EQ(work->hold(), nullptr);
    loop.restart();
    loop.poll();
    EXPECT_EQ(times, 1);
}

TEST_F(generation_work_test, without_work_its_end_is_told_too) {
    bool is_told = false;
    work->close([&] { is_told = true; });
    EXPECT_FALSE(is_told);
    loop.run();
    EXPECT_TRUE(is_told);
}

TEST_F(generation_work_test, the_last_piece_may_end_on_another_thread) {
    auto held = work->hold();
    std::thread::id told_on;
    work->close([&] { told_on = std::this_thread::get_id(); });
    std::thread([last = std::move(held)]() mutable { last.reset(); }).join();
    loop.run();
    EXPECT_EQ(told_on, std::this_thread::get_id());
}

TEST_F(generation_work_test, is_silent_when_it_was_never_closed) {
    auto held = work->hold();
    work.reset();
    held.reset();
    EXPECT_EQ(loop.poll(), 0u);
}

} // namespace
} // namespace shaddock::server
