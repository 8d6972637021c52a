// Made-up histories of a reload: one that keeps all promises, and that one with each promise
// broken.
#include "report.hpp"
#include "rules.hpp"

#include <gtest/gtest.h>

namespace shaddock::reload {
namespace {

constexpr nanoseconds ms = 1'000'000;

/// Two sessions in one room; a reload of `chat` from generation 1 to 2 between 10 and 20 ms, of
/// `front` between 30 and 40 ms. Every request takes 1 ms.
class story : public testing::Test {
protected:
    story() {
        all.sessions.resize(2);
        old_chat = chat(1);
        new_chat = chat(2);
        old_front = front(1);
        new_front = front(2);
        all.reloads.push_back(exchanged("chat", 10 * ms, 20 * ms));
        all.reloads.push_back(exchanged("front", 30 * ms, 40 * ms));
        say(0, 1 * ms, old_chat, 1);
        echo(0, 2 * ms, old_front);
        say(1, 12 * ms, old_chat, 2);
        say(0, 14 * ms, new_chat, 3);
        echo(1, 32 * ms, old_front);
        echo(1, 34 * ms, new_front);
        say(1, 50 * ms, new_chat, 4);
        echo(0, 51 * ms, new_front);
    }

    stamp_id chat(std::uint64_t generation) {
        return all.intern({"chat", "7", version(generation), generation});
    }
    stamp_id front(std::uint64_t generation) {
        return all.intern({"front", "7", version(generation), generation});
    }
    static std::string version(std::uint64_t generation) {
        return std::to_string(generation) + ".0.0";
    }
    static reload exchanged(const std::string& server, nanoseconds began, nanoseconds ended) {
        reload done;
        done.began = began;
        done.ended = ended;
        done.target = server;
        done.swaps.push_back({server, true, "1.0.0", 1, "2.0.0", 2, 5, ""});
        return done;
    }
    request& add(std::uint32_t who, kind what, nanoseconds sent, stamp_id by) {
        auto& made = all.ask(who, what, sent);
        made.answered = sent + ms;
        made.answers = 1;
        made.place = all.sessions[who].answers++;
        made.taken = made.given = by;
        return made;
    }
    request& echo(std::uint32_t who, nanoseconds sent, stamp_id by) {
        return add(who, kind::echo, sent, by);
    }
    void say(std::uint32_t who, nanoseconds sent, stamp_id by, std::uint32_t seq) {
        auto& made = add(who, kind::say, sent, by);
        made.seq = seq;
        for (auto& member : all.sessions) {
            member.pushes.push_back({who, made.n, seq, by, true});
        }
    }
    /// The `place`th say.
    request& said(std::size_t place) {
        for (auto& one : all.requests) {
            if (one.what == kind::say && place-- == 0) {
                return one;
            }
        }
        throw std::out_of_range("no such say");
    }
    /// Broken, and nothing else is.
    void expect_only(rule broken, std::size_t times = 1) {
        const auto found = check(all);
        EXPECT_EQ(found.count(broken), times) << to_string(broken);
        EXPECT_EQ(found.failures(), times);
        for (const auto& one : found.explained) {
            EXPECT_EQ(one.broken, broken) << to_string(one.broken) << ": " << one.text;
        }
    }

    history all;
    stamp_id old_chat;
    stamp_id new_chat;
    stamp_id old_front;
    stamp_id new_front;
};

TEST_F(story, is_clean_as_told) {
    const auto found = check(all);
    EXPECT_TRUE(found.is_clean()) << found.explained.front().text;
    EXPECT_EQ(found.requests, 8U);
    EXPECT_EQ(found.pushes, 8U);
    EXPECT_EQ(found.swaps, 2U);
    EXPECT_EQ(found.across, 4U);
}

TEST_F(story, every_request_is_answered) {
    all.requests[1].answers = 0;
    expect_only(rule::unanswered);
}

TEST_F(story, nothing_is_answered_twice) {
    all.requests[1].answers = 2;
    expect_only(rule::answered_twice);
}

TEST_F(story, nothing_is_answered_that_was_not_asked) {
    all.sessions[1].unasked = 1;
    expect_only(rule::unasked_answer);
}

TEST_F(story, no_request_fails) {
    all.requests[1].is_refused = true;
    expect_only(rule::refused);
}

TEST_F(story, answers_of_a_serial_method_keep_their_order) {
    std::swap(all.requests[4].place, all.requests[5].place);
    expect_only(rule::out_of_order);
}

TEST_F(story, one_generation_makes_a_whole_answer) {
    all.requests[4].given = new_front;
    expect_only(rule::mixed_generations);
}

TEST_F(story, an_answer_and_its_push_are_by_one_generation) {
    all.sessions[1].pushes[1].by = new_chat;
    expect_only(rule::mixed_generations);
}

TEST_F(story, a_version_computes_what_it_always_does) {
    all.requests[4].is_proved = false;
    expect_only(rule::mixed_code);
}

TEST_F(story, pushes_compute_it_too) {
    all.sessions[0].pushes[2].is_proved = false;
    expect_only(rule::mixed_code);
}

TEST_F(story, no_session_goes_back_to_an_older_generation) {
    // Both were sent while the reload went on, so neither is stale.
    std::swap(all.requests[4].taken, all.requests[5].taken);
    std::swap(all.requests[4].given, all.requests[5].given);
    expect_only(rule::went_back);
}

TEST_F(story, nor_to_an_older_life) {
    const auto earlier = all.intern({"front", "6", "2.0.0", 2});
    echo(0, 60 * ms, earlier);
    expect_only(rule::went_back);
}

TEST_F(story, pushes_do_not_go_back) {
    say(0, 15 * ms, new_chat, 5);
    said(4).taken = said(4).given = old_chat;
    for (auto& member : all.sessions) {
        member.pushes.back().by = old_chat;
    }
    const auto found = check(all);
    // For both members, and by order of asking for the sender.
    EXPECT_EQ(found.count(rule::went_back), 3U);
    EXPECT_EQ(found.failures(), 3U);
}

TEST_F(story, what_is_asked_after_a_swap_is_answered_by_the_new_generation) {
    auto& late = all.requests[5];
    late.sent = 45 * ms;
    late.answered = 46 * ms;
    late.taken = late.given = old_front;
    expect_only(rule::stale);
}

TEST_F(story, only_reported_generations_answer) {
    const auto wrong = all.intern({"front", "7", "3.0.0", 2});
    echo(0, 60 * ms, wrong);
    expect_only(rule::unknown_generation);
}

TEST_F(story, what_a_relay_asks_is_checked_as_well) {
    auto& one = add(0, kind::relay, 60 * ms, new_front);
    one.asked = new_chat;
    EXPECT_TRUE(check(all).is_clean());
    one.asked = old_chat;
    expect_only(rule::stale);
}

TEST_F(story, every_member_gets_every_message) {
    all.sessions[1].pushes.erase(all.sessions[1].pushes.begin() + 1);
    expect_only(rule::lost_push);
}

TEST_F(story, once) {
    auto& pushes = all.sessions[1].pushes;
    pushes.insert(pushes.begin() + 1, pushes.front());
    expect_only(rule::doubled_push);
}

TEST_F(story, in_one_order_for_all_members) {
    std::swap(all.sessions[1].pushes[0], all.sessions[1].pushes[1]);
    expect_only(rule::push_out_of_order);
}

TEST_F(story, in_the_order_of_its_sender) {
    // The second and third messages of session 0.
    say(0, 60 * ms, new_chat, 5);
    for (auto& member : all.sessions) {
        std::swap(member.pushes[2], member.pushes[4]);
    }
    expect_only(rule::push_out_of_order, 2);
}

TEST_F(story, and_nothing_that_nobody_said) {
    all.sessions[1].pushes.push_back({0, 9, 9, new_chat, true});
    expect_only(rule::ghost_push);
}

TEST_F(story, the_sender_of_a_push_is_who_said_it) {
    all.sessions[1].pushes[0].from = 1;
    const auto found = check(all);
    EXPECT_EQ(found.count(rule::ghost_push), 1U);
}

TEST_F(story, a_room_goes_on_counting) {
    // As if the new generation had begun with what the old one had before its last message.
    said(2).seq = 2;
    for (auto& member : all.sessions) {
        member.pushes[2].seq = 2;
    }
    EXPECT_TRUE(check(all).is_clean());
    all.has_state = true;
    EXPECT_GT(check(all).count(rule::lost_state), 0U);
}

TEST_F(story, a_room_leaves_no_number_out) {
    all.has_state = true;
    said(3).seq = 9;
    for (auto& member : all.sessions) {
        member.pushes[3].seq = 9;
    }
    expect_only(rule::lost_state);
}

/// As the story has it: session 0 said 0 and 2, session 1 said 0 and 3.
class written_story : public story {
protected:
    written_story() {
        all.has_rows = true;
        all.sessions[0].rows = {{1, 0}, {2, 2}};
        all.sessions[1].rows = {{1, 0}, {2, 3}};
    }
};

TEST_F(written_story, rows_are_what_was_said) {
    const auto found = check(all);
    EXPECT_TRUE(found.is_clean()) << found.explained.front().text;
    EXPECT_EQ(found.rows, 4U);
}

TEST_F(written_story, a_row_without_the_last_message_is_lost) {
    all.sessions[0].rows.pop_back();
    expect_only(rule::lost_row);
}

TEST_F(written_story, so_is_one_that_was_never_written) {
    all.sessions[1].rows.clear();
    expect_only(rule::lost_row);
}

TEST_F(written_story, and_one_of_another_message) {
    all.sessions[1].rows.back().sum = 4;
    expect_only(rule::lost_row);
}

TEST_F(written_story, a_message_that_was_refused_is_in_no_row) {
    add(0, kind::say, 60 * ms, new_chat).is_refused = true;
    expect_only(rule::refused);
}

TEST_F(written_story, no_row_is_overwritten_by_an_older_one) {
    // As by a flush of the old generation, after the new one has written; then mended by chance.
    all.sessions[1].rows = {{1, 0}, {2, 3}, {1, 0}, {2, 3}};
    expect_only(rule::stale_row);
    all.sessions[1].rows.pop_back();
    const auto found = check(all);
    EXPECT_EQ(found.count(rule::stale_row), 1U);
    EXPECT_EQ(found.count(rule::lost_row), 1U);
}

TEST_F(story, connections_stay_open) {
    all.sessions[1].closed = "reset";
    expect_only(rule::closed);
}

TEST_F(story, and_speak_properly) {
    all.sessions[1].mangled.emplace_back("x");
    expect_only(rule::mangled);
}

TEST_F(story, a_refused_reload_is_a_failure) {
    all.reloads[1].status = 1;
    expect_only(rule::reload_failed);
}

TEST_F(story, so_is_one_that_swapped_nothing) {
    all.reloads.push_back({});
    expect_only(rule::reload_failed);
}

TEST_F(story, each_swap_goes_on_by_one_generation) {
    auto third = exchanged("front", 60 * ms, 70 * ms);
    all.reloads.push_back(third);
    expect_only(rule::reload_failed);
}

TEST(proof, differs_between_builds) {
    int same = 0;
    for (std::uint32_t n = 0; n < 1000; ++n) {
        same += proof_of("1.0.0", n) == proof_of("2.0.0", n) ? 1 : 0;
        same += proof_of("2.0.0", n) == proof_of("3.0.0", n) ? 1 : 0;
        same += proof_of("1.0.0", n) == proof_of("3.0.0", n) ? 1 : 0;
    }
    EXPECT_EQ(same, 0);
}

// ---- bounds

class bounds : public testing::Test {
protected:
    bounds() {
        options.rate_floor = 500;
        for (int i = 0; i < 4; ++i) {
            measured.windows.push_back({i * 1000 * ms, (i + 1) * 1000 * ms, i % 2 == 1});
        }
        seen.sessions.resize(1);
        for (int i = 0; i < 4000; ++i) {
            auto& one = seen.ask(0, kind::echo, i * ms);
            one.answers = 1;
            one.answered = one.sent + ms;
        }
        server_growth grown;
        grown.before = {"chat", "chat", 1, 1, 0, 0};
        grown.after = {"chat", "chat", 1, 101, 0, 0};
        grown.held_before = {10'000, 100, 4, 20};
        grown.held_after = {10'000 + 45 * 100, 100 + 5 * 100, 4, 20};
        measured.servers.push_back(grown);
    }
    /// The names of those that are broken.
    std::string broken(std::uint64_t slack_kib = 0) const {
        std::string names;
        for (const auto& one : bounds_of(options, seen, measured, slack_kib)) {
            names += one.is_kept ? "" : std::string(one.name) + " ";
        }
        return names;
    }
    holding& after() { return measured.servers[0].held_after; }

    run_options options;
    history seen;
    measures measured;
};

TEST_F(bounds, are_kept_up_to_the_limit) {
    EXPECT_EQ(broken(), "");
}

TEST_F(bounds, memory_per_generation) {
    after().rss_kib += 1;
    EXPECT_EQ(broken(), "memory ");
    EXPECT_EQ(broken(1), "");
}

TEST_F(bounds, maps_per_generation) {
    after().maps += 1;
    EXPECT_EQ(broken(), "maps ");
}

TEST_F(bounds, threads_and_descriptors_do_not_grow) {
    ++after().threads;
    ++after().descriptors;
    EXPECT_EQ(broken(), "threads descriptors ");
}

TEST_F(bounds, generations_end) {
    measured.servers[0].after.ending = 1;
    EXPECT_EQ(broken(), "ending ");
}

TEST_F(bounds, a_window_too_slow) {
    options.rate_floor = 1001;
    EXPECT_EQ(broken(), "rate ");
}

TEST_F(bounds, late_answers_while_reloading) {
    for (auto& one : seen.requests) {
        const bool in_reload = one.sent / (1000 * ms) % 2 == 1;
        one.answered = one.sent + (in_reload && one.n % 100 == 0 ? 7 * ms : ms);
    }
    EXPECT_EQ(broken(), "latency ");
}

TEST_F(bounds, late_answers_at_any_time_are_not_the_reloads) {
    for (auto& one : seen.requests) {
        one.answered = one.sent + (one.n % 100 == 0 ? 7 * ms : ms);
    }
    EXPECT_EQ(broken(), "");
}

TEST_F(bounds, nothing_measured_keeps_nothing) {
    measured = {};
    EXPECT_EQ(broken(), "rate memory maps threads descriptors ending ");
}

} // namespace
} // namespace shaddock::reload
