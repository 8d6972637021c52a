#include "rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace shaddock::reload {
namespace {

constexpr std::size_t explained_each = 3;

std::string_view name_of(const history& all, stamp_id id) {
    return id == none ? std::string_view("nobody") : std::string_view(all.stamps[id].server);
}

class examination {
public:
    explicit examination(const history& all) : all_(all) {
        for (const auto& one : all.reloads) {
            start_ = std::min(start_, one.began);
        }
        for (const auto& one : all.requests) {
            start_ = std::min(start_, one.sent);
        }
    }

    findings run() {
        check_reloads();
        check_answers();
        check_order();
        check_generations();
        check_pushes();
        if (all_.has_rows) {
            check_rows();
        }
        check_connections();
        return std::move(found_);
    }

private:
    template <class... Args>
    void add(rule broken, fmt::format_string<Args...> format, Args&&... args) {
        if (++found_.counts[static_cast<std::size_t>(broken)] <= explained_each) {
            found_.explained.push_back({broken, fmt::format(format, std::forward<Args>(args)...)});
        }
    }
    double at(nanoseconds t) const { return static_cast<double>(t - start_) / 1e9; }
    std::string text(stamp_id id) const {
        if (id == none) {
            return "no stamp";
        }
        const auto& one = all_.stamps[id];
        return fmt::format("{} version {} generation {} (life {})", one.server, one.version,
                           one.generation, one.life);
    }
    std::string text(const request& one) const {
        return fmt::format("session {}, {} {} sent at {:.6f} s", one.session, to_string(one.what),
                           one.n, at(one.sent));
    }

    void check_reloads();
    void check_swap(const reload& by, const swap& one);
    void check_answers();
    void check_one_answer(const request& one);
    void check_order();
    void check_generations();
    void check_stale(const request& one, stamp_id by);
    void check_known(stamp_id by);
    void check_pushes();
    /// By key_of.
    using messages = std::unordered_map<std::uint64_t, const request*>;
    using places = std::unordered_map<std::uint64_t, std::size_t>;
    void check_state(std::uint32_t room, const messages& said);
    void check_member(const session& member, std::size_t place, const messages& owed);
    void check_after(std::size_t place, const push& one, const push& before);
    void check_common_order(const session& member, std::size_t place, const places& common);
    void check_rows();
    void check_connections();

    using moment = std::pair<nanoseconds, std::uint64_t>;
    const history& all_;
    findings found_;
    nanoseconds start_ = std::numeric_limits<nanoseconds>::max();
    /// By server: when which generation was reported, in order.
    std::map<std::string, std::vector<moment>, std::less<>> reported_;
    std::set<std::tuple<std::string, std::uint64_t, std::string>> known_;
    std::set<stamp_id> checked_;
};

void examination::check_reloads() {
    for (const auto& one : all_.reloads) {
        if (one.status != 0 || one.swaps.empty()) {
            add(rule::reload_failed, "reload {} at {:.6f} s: exit {}: {}", one.target,
                at(one.began), one.status, one.said);
        }
        for (const auto& each : one.swaps) {
            ++found_.swaps;
            check_swap(one, each);
        }
    }
}

void examination::check_swap(const reload& by, const swap& one) {
    if (!one.is_ok || one.to_generation != one.from_generation + 1) {
        add(rule::reload_failed, "reload at {:.6f} s: {}: generation {} to {}: {}", at(by.began),
            one.server, one.from_generation, one.to_generation, one.reason);
        return;
    }
    auto& known = reported_[one.server];
    if (!known.empty() && known.back().second != one.from_generation) {
        add(rule::reload_failed, "reload at {:.6f} s: {}: from generation {}, but {} served",
            at(by.began), one.server, one.from_generation, known.back().second);
    }
    known.emplace_back(by.ended, one.to_generation);
    known_.emplace(one.server, one.from_generation, one.from_version);
    known_.emplace(one.server, one.to_generation, one.to_version);
}

void examination::check_answers() {
    for (const auto& one : all_.requests) {
        ++found_.requests;
        if (one.answers == 0) {
            add(rule::unanswered, "{}", text(one));
            continue;
        }
        if (one.answers > 1) {
            add(rule::answered_twice, "{}: {} answers", text(one), one.answers);
        }
        check_one_answer(one);
    }
}

void examination::check_one_answer(const request& one) {
    if (one.is_refused) {
        add(rule::refused, "{}", text(one));
        return;
    }
    const auto is_across = [&](const reload& each) {
        return one.sent < each.ended && one.answered > each.began;
    };
    const auto next =
        std::lower_bound(all_.reloads.begin(), all_.reloads.end(), one.sent,
                         [](const reload& each, nanoseconds t) { return each.ended <= t; });
    found_.across += next != all_.reloads.end() && is_across(*next) ? 1 : 0;
    if (one.taken == none || one.given != one.taken) {
        add(rule::mixed_generations, "{}: taken by {}, answered by {}", text(one), text(one.taken),
            text(one.given));
    }
    if (!one.is_proved) {
        add(rule::mixed_code, "{}: {} did not compute what its version does", text(one),
            text(one.taken));
    }
}

void examination::check_order() {
    for (const auto& who : all_.sessions) {
        std::array<std::uint32_t, kinds> last{};
        for (const auto index : who.requests) {
            const auto& one = all_.requests[index];
            if ((one.what != kind::echo && one.what != kind::say) || one.answers == 0) {
                continue;
            }
            auto& before = last[static_cast<std::size_t>(one.what)];
            if (one.place < before) {
                add(rule::out_of_order, "{}: answered before one asked earlier", text(one));
            }
            before = std::max(before, one.place);
        }
    }
}

/// Requests of one session reach a server in the order of asking, and are accepted in it; a call
/// that another server makes for one of them has a way of its own.
void examination::check_generations() {
    for (const auto& who : all_.sessions) {
        std::map<std::string_view, stamp_id> last;
        std::map<std::string_view, stamp_id> last_asked;
        const auto follow = [&](auto& seen, const request& one, stamp_id by) {
            if (by == none) {
                return;
            }
            check_known(by);
            check_stale(one, by);
            const auto [before, is_first] = seen.try_emplace(name_of(all_, by), by);
            const auto age = [&](stamp_id id) {
                const auto& made = all_.stamps[id];
                return std::tuple(made.life.size(), std::string_view(made.life), made.generation);
            };
            if (age(by) < age(before->second)) {
                add(rule::went_back, "{}: {} after {}", text(one), text(by), text(before->second));
            } else {
                before->second = by;
            }
        };
        for (const auto index : who.requests) {
            const auto& one = all_.requests[index];
            follow(last, one, one.taken);
            follow(last_asked, one, one.asked);
        }
    }
}

void examination::check_known(stamp_id by) {
    if (!checked_.insert(by).second) {
        return;
    }
    const auto& one = all_.stamps[by];
    if (reported_.contains(one.server) &&
        !known_.contains({one.server, one.generation, one.version})) {
        add(rule::unknown_generation, "{} was never reported", text(by));
    }
}

void examination::check_stale(const request& one, stamp_id by) {
    const auto found = reported_.find(name_of(all_, by));
    if (found == reported_.end()) {
        return;
    }
    const auto& known = found->second;
    const auto next = std::lower_bound(known.begin(), known.end(), moment(one.sent, 0));
    if (next != known.begin() && all_.stamps[by].generation < std::prev(next)->second) {
        add(rule::stale, "{}: by {}, but generation {} had been reported {:.3f} ms before",
            text(one), text(by), std::prev(next)->second,
            static_cast<double>(one.sent - std::prev(next)->first) / 1e6);
    }
}

/// One message of a room.
constexpr std::uint64_t key_of(std::uint32_t from, std::uint32_t n) {
    return (std::uint64_t{from} << 32) | n;
}

void examination::check_pushes() {
    std::map<std::uint32_t, messages> rooms;
    for (const auto& one : all_.requests) {
        if (one.what == kind::say && one.answers > 0 && !one.is_refused) {
            rooms[all_.sessions[one.session].room].emplace(key_of(one.session, one.n), &one);
        }
    }
    // By room: the place at which its first member saw each message.
    std::map<std::uint32_t, places> order;
    for (std::size_t place = 0; place < all_.sessions.size(); ++place) {
        const auto& member = all_.sessions[place];
        found_.pushes += member.pushes.size();
        check_member(member, place, rooms[member.room]);
        const auto [common, is_first] = order.try_emplace(member.room);
        if (is_first) {
            for (const auto& one : member.pushes) {
                common->second.emplace(key_of(one.from, one.n), common->second.size());
            }
        } else {
            check_common_order(member, place, common->second);
        }
    }
    if (all_.has_state) {
        for (const auto& [room, said] : rooms) {
            check_state(room, said);
        }
    }
}

/// A room has counted its messages from one to the next, whatever generation they met.
void examination::check_state(std::uint32_t room, const messages& said) {
    std::map<std::uint32_t, const request*> counted;
    for (const auto& [key, one] : said) {
        const auto [other, is_new] = counted.try_emplace(one->seq, one);
        if (!is_new) {
            add(rule::lost_state, "room {}: message {} twice: {} and {}", room, one->seq,
                text(*one), text(*other->second));
        }
    }
    if (counted.rbegin()->first - counted.begin()->first + 1 != counted.size()) {
        add(rule::lost_state, "room {}: {} messages, numbered {} to {}", room, counted.size(),
            counted.begin()->first, counted.rbegin()->first);
    }
}

void examination::check_member(const session& member, std::size_t place, const messages& owed) {
    std::unordered_set<std::uint64_t> seen;
    // By sender: its last message here.
    std::unordered_map<std::uint32_t, push> last;
    for (const auto& one : member.pushes) {
        check_known(one.by);
        const auto said = owed.find(key_of(one.from, one.n));
        if (said == owed.end() || said->second->seq != one.seq) {
            add(rule::ghost_push, "session {}: message {} of session {} as {} of the room", place,
                one.n, one.from, one.seq);
            continue;
        }
        if (!seen.insert(said->first).second) {
            add(rule::doubled_push, "session {}: message {} of session {}", place, one.n, one.from);
            continue;
        }
        if (said->second->taken != one.by) {
            add(rule::mixed_generations, "session {}: pushed by {}, answered by {}", place,
                text(one.by), text(said->second->taken));
        }
        if (!one.is_proved) {
            add(rule::mixed_code,
                "session {}: message {} of session {}: {} did not compute what "
                "its version does",
                place, one.n, one.from, text(one.by));
        }
        const auto [before, is_first] = last.try_emplace(one.from, one);
        if (!is_first) {
            check_after(place, one, before->second);
            before->second = one;
        }
    }
    if (seen.size() != owed.size()) {
        const auto lost = std::ranges::find_if(
            owed, [&](const auto& each) { return !seen.contains(each.first); });
        add(rule::lost_push, "session {}: {} of {} messages of its room, one of them {}", place,
            owed.size() - seen.size(), owed.size(), text(*lost->second));
    }
}

/// `one` came after `before`, of the same sender.
void examination::check_after(std::size_t place, const push& one, const push& before) {
    if (one.n < before.n) {
        add(rule::push_out_of_order, "session {}: message {} of session {} after {}", place, one.n,
            one.from, before.n);
    } else if (all_.stamps[one.by].generation < all_.stamps[before.by].generation) {
        add(rule::went_back, "session {}: a push by {} after one by {}", place, text(one.by),
            text(before.by));
    }
}

/// All members of a room see its messages in one order.
void examination::check_common_order(const session& member, std::size_t place,
                                     const places& common) {
    std::size_t before = 0;
    for (const auto& one : member.pushes) {
        const auto found = common.find(key_of(one.from, one.n));
        if (found == common.end()) {
            continue;
        }
        if (found->second < before) {
            add(rule::push_out_of_order,
                "session {}: message {} of session {} later than another member of its room saw it",
                place, one.n, one.from);
        }
        before = std::max(before, found->second);
    }
}

void examination::check_rows() {
    for (std::size_t place = 0; place < all_.sessions.size(); ++place) {
        const auto& who = all_.sessions[place];
        row said;
        for (const auto index : who.requests) {
            const auto& one = all_.requests[index];
            if (one.what == kind::say && one.answers > 0 && !one.is_refused) {
                ++said.count;
                said.sum += one.n;
            }
        }
        const auto is = who.rows.empty() ? row() : who.rows.back();
        if (is != said) {
            add(rule::lost_row, "session {}: its row has {} messages, sum {}; it said {}, sum {}",
                place, is.count, is.sum, said.count, said.sum);
        }
        for (std::size_t i = 1; i < who.rows.size(); ++i) {
            if (who.rows[i].count < who.rows[i - 1].count) {
                add(rule::stale_row,
                    "session {}: a row of {} messages was overwritten by one of {}", place,
                    who.rows[i - 1].count, who.rows[i].count);
            }
        }
        found_.rows += who.rows.size();
    }
}

void examination::check_connections() {
    for (std::size_t place = 0; place < all_.sessions.size(); ++place) {
        const auto& one = all_.sessions[place];
        if (!one.closed.empty()) {
            add(rule::closed, "session {}: {}", place, one.closed);
        }
        for (const auto& what : one.mangled) {
            add(rule::mangled, "session {}: {}", place, what);
        }
        if (one.unasked > 0) {
            add(rule::unasked_answer, "session {}: {} answers to what it did not ask", place,
                one.unasked);
        }
    }
}

} // namespace

std::string_view to_string(rule broken) {
    constexpr std::array<std::string_view, rules> names{"unanswered",
                                                        "answered_twice",
                                                        "unasked_answer",
                                                        "refused",
                                                        "out_of_order",
                                                        "mixed_generations",
                                                        "mixed_code",
                                                        "went_back",
                                                        "stale",
                                                        "unknown_generation",
                                                        "lost_push",
                                                        "doubled_push",
                                                        "push_out_of_order",
                                                        "ghost_push",
                                                        "lost_state",
                                                        "lost_row",
                                                        "stale_row",
                                                        "closed",
                                                        "mangled",
                                                        "reload_failed"};
    return names[static_cast<std::size_t>(broken)];
}

std::size_t findings::failures() const {
    return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

findings check(const history& all) {
    return examination(all).run();
}

} // namespace shaddock::reload
