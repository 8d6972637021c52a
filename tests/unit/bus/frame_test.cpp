#include "frame.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace shaddock::bus {

namespace {

constexpr std::size_t frame_limit = 1000;

std::string one_of_each() {
    std::string out;
    append_call(out, 0x0102030405060708, 5000, 7, "body");
    append_reply(out, 9, "");
    append_failure(out, 10, error(errc::recovering, "wait", 501));
    append_cast(out, 255, std::string("a\0b", 3));
    append_plain(out, frame_kind::ping);
    append_refuse(out, "no");
    append_plain(out, frame_kind::bye);
    append_mark(out, 11, 20'000);
    append_taken(out, 11);
    return out;
}

hello greeting() {
    hello said;
    said.purpose = hello_purpose::poke;
    said.life = static_cast<incarnation>(1'700'000'000'000'000'000);
    said.random = 42;
    said.id = "chat-server-1";
    said.to = "connector-server-1";
    return said;
}

/// The frame as a later version might write it: with another field at its end.
std::string grown(std::string_view frame) {
    std::string out(frame);
    base::writer fields(out);
    fields.text("a field of tomorrow");
    fields.set_length(0);
    return out;
}

/// The fields of a frame that is whole.
std::string_view fields_of(std::string_view frame) {
    return frame.substr(5);
}

} // namespace

TEST(bus_frame, has_the_bytes_that_the_format_says) {
    std::string out;
    append_call(out, 0x0102030405060708, 0x11223344, 7, "hi");
    EXPECT_EQ(out, std::string("\x14\0\0\0\x04\x08\x07\x06\x05\x04\x03\x02\x01\x44\x33\x22\x11\x07"
                               "\x02\0\0\0hi",
                               24));
}

TEST(bus_frame, comes_back_as_it_was_sent) {
    const auto all = one_of_each();
    std::string_view in = all;
    const auto next = [&] {
        const auto cut = cut_frame(in, frame_limit);
        EXPECT_EQ(cut.outcome, cut_outcome::done);
        in.remove_prefix(cut.used);
        return cut.frame;
    };
    auto frame = next();
    EXPECT_EQ(frame.kind, frame_kind::call);
    EXPECT_EQ(frame.call, 0x0102030405060708U);
    EXPECT_EQ(frame.remaining_ms, 5000U);
    EXPECT_EQ(frame.what, 7);
    EXPECT_EQ(frame.bytes, "body");
    frame = next();
    EXPECT_EQ(frame.kind, frame_kind::reply);
    EXPECT_EQ(frame.call, 9U);
    EXPECT_EQ(frame.bytes, "");
    frame = next();
    EXPECT_EQ(frame.kind, frame_kind::failure);
    EXPECT_EQ(frame.call, 10U);
    EXPECT_EQ(frame.code, errc::recovering);
    EXPECT_EQ(frame.client_code, 501);
    EXPECT_EQ(frame.bytes, "wait");
    frame = next();
    EXPECT_EQ(frame.kind, frame_kind::cast);
    EXPECT_EQ(frame.what, 255);
    EXPECT_EQ(frame.bytes, std::string_view("a\0b", 3));
    EXPECT_EQ(next().kind, frame_kind::ping);
    frame = next();
    EXPECT_EQ(frame.kind, frame_kind::refuse);
    EXPECT_EQ(frame.bytes, "no");
    EXPECT_EQ(next().kind, frame_kind::bye);
    frame = next();
    EXPECT_EQ(frame.kind, frame_kind::mark);
    EXPECT_EQ(frame.call, 11U);
    EXPECT_EQ(frame.late_us, 20'000U);
    frame = next();
    EXPECT_EQ(frame.kind, frame_kind::taken);
    EXPECT_EQ(frame.call, 11U);
    EXPECT_TRUE(in.empty());
}

TEST(bus_frame, asks_for_more_at_every_split_point) {
    const auto all = one_of_each();
    std::size_t begin = 0;
    while (begin < all.size()) {
        const auto whole = cut_frame(std::string_view(all).substr(begin), frame_limit);
        ASSERT_EQ(whole.outcome, cut_outcome::done);
        for (std::size_t length = 0; length < whole.used; ++length) {
            const auto part = cut_frame(std::string_view(all).substr(begin, length), frame_limit);
            EXPECT_EQ(part.outcome, cut_outcome::need_more) << "at " << begin << " of " << length;
            EXPECT_EQ(part.used, 0U);
        }
        begin += whole.used;
    }
}

TEST(bus_frame, refuses_what_is_too_long_before_it_has_come) {
    std::string out;
    append_cast(out, 1, std::string(frame_limit, 'x'));
    EXPECT_EQ(cut_frame(out, frame_limit).outcome, cut_outcome::done);
    out.clear();
    append_cast(out, 1, std::string(frame_limit + 1, 'x'));
    EXPECT_EQ(cut_frame(out, frame_limit).outcome, cut_outcome::bad);
    const std::string huge("\xff\xff\xff\xff", 4);
    EXPECT_EQ(cut_frame(huge, frame_limit).outcome, cut_outcome::bad);
}

TEST(bus_frame, refuses_empty_short_and_unknown_frames) {
    EXPECT_EQ(cut_frame(std::string("\0\0\0\0", 4), frame_limit).outcome, cut_outcome::bad);
    for (const int kind : {0, 9, 255}) {
        EXPECT_EQ(cut_frame(std::string("\x01\0\0\0", 4) + std::string(1, static_cast<char>(kind)),
                            frame_limit)
                      .outcome,
                  cut_outcome::bad);
    }
    // A length that ends inside the fields.
    const std::pair<frame_kind, int> fields[] = {{frame_kind::call, 17},
                                                 {frame_kind::reply, 12},
                                                 {frame_kind::failure, 18},
                                                 {frame_kind::cast, 5},
                                                 {frame_kind::refuse, 4}};
    for (const auto& [kind, size] : fields) {
        for (int have = 0; have <= size; ++have) {
            std::string in(1, static_cast<char>(1 + have));
            in += std::string("\0\0\0", 3);
            in += static_cast<char>(kind);
            in += std::string(static_cast<std::size_t>(have), '\0');
            EXPECT_EQ(cut_frame(in, frame_limit).outcome,
                      have == size ? cut_outcome::done : cut_outcome::bad)
                << static_cast<int>(kind) << " with " << have;
        }
    }
}

TEST(bus_frame, may_end_in_fields_that_this_reader_does_not_know) {
    const auto all = one_of_each();
    std::string_view in = all;
    while (!in.empty()) {
        const auto plain = cut_frame(in, frame_limit);
        const auto fresh = grown(in.substr(0, plain.used));
        const auto cut = cut_frame(fresh, frame_limit);
        ASSERT_EQ(cut.outcome, cut_outcome::done);
        EXPECT_EQ(cut.used, fresh.size());
        EXPECT_EQ(cut.frame.kind, plain.frame.kind);
        EXPECT_EQ(cut.frame.call, plain.frame.call);
        EXPECT_EQ(cut.frame.remaining_ms, plain.frame.remaining_ms);
        EXPECT_EQ(cut.frame.what, plain.frame.what);
        EXPECT_EQ(cut.frame.code, plain.frame.code);
        EXPECT_EQ(cut.frame.client_code, plain.frame.client_code);
        EXPECT_EQ(cut.frame.bytes, plain.frame.bytes);
        in.remove_prefix(plain.used);
    }
}

TEST(bus_frame, has_room_for_fields_of_later_versions_beside_the_longest_payload) {
    std::string out;
    append_call(out, 1, 1, 1, std::string(frame_limit, 'x'));
    EXPECT_EQ(cut_frame(grown(out), frame_limit).outcome, cut_outcome::done);
}

TEST(bus_hello, comes_back_as_it_was_sent) {
    std::string out;
    append_hello(out, greeting());
    const auto cut = cut_frame(out, frame_limit);
    ASSERT_EQ(cut.outcome, cut_outcome::done);
    ASSERT_EQ(cut.frame.kind, frame_kind::hello);
    const auto said = read_hello(cut.frame.bytes);
    ASSERT_TRUE(said);
    EXPECT_EQ(*said, greeting());
}

TEST(bus_hello, is_refused_when_cut_short_or_of_another_tribe) {
    std::string out;
    append_hello(out, greeting());
    const auto fields = std::string(fields_of(out));
    for (std::size_t length = 0; length < fields.size(); ++length) {
        EXPECT_TRUE(read_hello(std::string_view(fields).substr(0, length)).has_error()) << length;
    }
    EXPECT_TRUE(read_hello("GET / HTTP/1.1\r\nHost: here\r\n\r\n").has_error());
    auto purpose = fields;
    purpose[8] = 4;
    EXPECT_TRUE(read_hello(purpose).has_error());
    auto nameless = greeting();
    nameless.id.clear();
    out.clear();
    append_hello(out, nameless);
    EXPECT_TRUE(read_hello(fields_of(out)).has_error());
}

TEST(bus_hello, tells_the_versions_that_its_sender_speaks) {
    auto said = greeting();
    said.versions = {3, 7};
    std::string out;
    append_hello(out, said);
    const auto read = read_hello(fields_of(out));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->versions, (version_range{3, 7}));
    for (const auto& none : {version_range{0, 1}, version_range{2, 1}}) {
        said.versions = none;
        out.clear();
        append_hello(out, said);
        EXPECT_TRUE(read_hello(fields_of(out)).has_error());
    }
}

TEST(bus_hello, may_end_in_fields_that_this_reader_does_not_know) {
    std::string out;
    append_hello(out, greeting());
    const auto fresh = grown(out);
    const auto read = read_hello(cut_frame(fresh, frame_limit).frame.bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, greeting());
}

TEST(bus_versions, have_the_highest_in_common_or_none) {
    EXPECT_EQ(common_version({1, 1}, {1, 1}), 1);
    EXPECT_EQ(common_version({1, 1}, {1, 2}), 1);
    EXPECT_EQ(common_version({1, 4}, {2, 3}), 3);
    EXPECT_EQ(common_version({2, 3}, {1, 2}), 2);
    EXPECT_EQ(common_version({3, 4}, {1, 2}), 0);
    EXPECT_EQ(common_version({1, 2}, {3, 4}), 0);
}

} // namespace shaddock::bus
