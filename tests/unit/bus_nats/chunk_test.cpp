#include "chunk.hpp"

#include <gtest/gtest.h>

namespace shaddock::bus {

TEST(bus_nats_chunk, is_read_as_it_was_made) {
    const auto dial = read_chunk(dial_chunk(4096));
    ASSERT_TRUE(dial);
    EXPECT_EQ(dial->kind, chunk_kind::dial);
    EXPECT_EQ(dial->window, 4096U);
    const auto accept = read_chunk(accept_chunk(5000));
    ASSERT_TRUE(accept);
    EXPECT_EQ(accept->kind, chunk_kind::accept);
    EXPECT_EQ(accept->number, 0U);
    EXPECT_EQ(accept->window, 5000U);
    const auto bytes = data_chunk(7, std::string("a\0b", 3));
    const auto data = read_chunk(bytes);
    ASSERT_TRUE(data);
    EXPECT_EQ(data->number, 7U);
    EXPECT_EQ(data->bytes, std::string("a\0b", 3));
    const auto taken = read_chunk(taken_chunk(8, 1ULL << 40));
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->number, 8U);
    EXPECT_EQ(taken->cost, 1ULL << 40);
    for (const auto kind : {chunk_kind::end, chunk_kind::echo}) {
        const auto plain = read_chunk(plain_chunk(kind, ~0ULL));
        ASSERT_TRUE(plain);
        EXPECT_EQ(plain->kind, kind);
        EXPECT_EQ(plain->number, ~0ULL);
    }
}

TEST(bus_nats_chunk, is_refused_when_it_is_cut_short_or_of_another_kind) {
    for (const auto& whole : {dial_chunk(4096), accept_chunk(4096), data_chunk(1, ""),
                              taken_chunk(1, 1), plain_chunk(chunk_kind::end, 1)}) {
        EXPECT_TRUE(read_chunk(whole));
        for (std::size_t length = 0; length < whole.size(); ++length) {
            EXPECT_FALSE(read_chunk(std::string_view(whole).substr(0, length)));
        }
        // A later version may say more.
        EXPECT_TRUE(read_chunk(whole + "more"));
    }
    for (int kind = 0; kind < 256; ++kind) {
        const auto bytes = std::string(1, static_cast<char>(kind)) + std::string(30, '\x7f');
        const bool is_known = kind >= 2 && kind <= 6;
        EXPECT_EQ(read_chunk(bytes).has_value(), is_known) << kind;
    }
    EXPECT_FALSE(read_chunk(dial_chunk(0)));
    EXPECT_FALSE(read_chunk(accept_chunk(0)));
    auto other = dial_chunk(4096);
    other[5] = 9;
    EXPECT_FALSE(read_chunk(other)) << "another version";
}

} // namespace shaddock::bus
