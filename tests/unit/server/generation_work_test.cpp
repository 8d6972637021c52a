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

namespace shaddock::server {
namespace {

struct generation_work_test : testing::Test {
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

} // namespace
} // namespace shaddock::server
