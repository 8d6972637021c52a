#include "write_queue.hpp"

#include <gtest/gtest.h>

namespace shaddock::net::testing {
namespace {

/// Frames of these tests: one digit, then so many bytes.
std::size_t digit_frame(std::string_view queued) {
    return 1 + static_cast<std::size_t>(queued.front() - '0');
}

TEST(write_queue, cut_before_anything_was_sent_drops_all) {
    write_queue queue;
    queue.tail() += "2ab1c";
    queue.cut();
    EXPECT_TRUE(queue.is_empty());
}

TEST(write_queue, cut_keeps_the_rest_of_a_frame_in_progress) {
    write_queue queue;
    queue.tail() += "2ab3cde1f";
    queue.sent(4, digit_frame);
    EXPECT_EQ(queue.waiting(), "cde1f");
    queue.cut();
    EXPECT_EQ(queue.waiting(), "cde");
    queue.tail() += "1k";
    queue.sent(3, digit_frame);
    EXPECT_EQ(queue.waiting(), "1k");
}

TEST(write_queue, cut_at_the_end_of_a_frame_keeps_nothing) {
    write_queue queue;
    queue.tail() += "2ab3cde";
    queue.sent(3, digit_frame);
    queue.cut();
    EXPECT_TRUE(queue.is_empty());
}

TEST(write_queue, opaque_bytes_are_one_frame) {
    write_queue queue;
    queue.push_opaque("HTTP");
    queue.tail() += "1a";
    queue.sent(1, digit_frame);
    queue.cut();
    EXPECT_EQ(queue.waiting(), "TTP");
}

TEST(write_queue, an_unsent_opaque_part_survives_a_cut) {
    write_queue queue;
    queue.push_opaque("HTTP");
    queue.tail() += "1a";
    queue.cut();
    EXPECT_EQ(queue.waiting(), "HTTP");
}

TEST(write_queue, gives_its_memory_back_only_when_empty) {
    write_queue queue;
    EXPECT_FALSE(queue.has_storage());
    std::string storage;
    storage.reserve(1000);
    queue.lend(std::move(storage));
    queue.tail() += "1a";
    queue.sent(2, digit_frame);
    const auto back = queue.take_storage();
    EXPECT_GE(back.capacity(), 1000U);
    EXPECT_FALSE(queue.has_storage());
}

TEST(write_queue, forgets_what_was_sent_of_a_long_queue_and_still_knows_its_frames) {
    write_queue queue;
    for (int i = 0; i < 50'000; ++i) {
        queue.tail() += "3abc";
    }
    queue.sent(150'001, digit_frame);
    EXPECT_EQ(queue.size(), 49'999U);
    EXPECT_EQ(queue.tail().size(), 49'999U) << "compacted";
    queue.cut();
    EXPECT_EQ(queue.waiting(), "abc");
}

} // namespace
} // namespace shaddock::net::testing
