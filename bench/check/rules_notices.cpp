#include "findings.hpp"

#include <algorithm>
#include <map>

namespace shaddock::bench {
namespace {

/// A coming or going of which a client must or may be told.
struct occasion {
    nanoseconds begin;
    bool is_owed;
};

/// What one client saw of one user, and what there was to see.
struct sight {
    std::vector<nanoseconds> seen[2];
    std::vector<occasion> occasions[2];
};

enum notice_side : std::size_t { adds = 0, leaves = 1 };

constexpr violation_kind missing_kind[] = {violation_kind::missing_add,
                                           violation_kind::missing_leave};
constexpr violation_kind doubled_kind[] = {violation_kind::doubled_add,
                                           violation_kind::doubled_leave};
constexpr violation_kind stray_kind[] = {violation_kind::stray_add, violation_kind::stray_leave};
constexpr std::string_view push_name[] = {"onAdd", "onLeave"};

/// The rules on onAdd and onLeave for one receiver.
class notice_rules {
public:
    notice_rules(const examination& all, client_id receiver,
                 const std::vector<std::uint32_t>& notices)
        : all_(all), receiver_(receiver), notices_(notices) {}

    void run() {
        for (const std::size_t place : all_.line.by_client[receiver_]) {
            collect_occasions(all_.line.memberships[place]);
        }
        for (const std::uint32_t place : notices_) {
            const auto& seen = all_.log.events()[place];
            const auto side = seen.kind() == event_kind::add ? adds : leaves;
            if (is_own_name(seen.a)) {
                all_.found.add(violation_kind::self_announced, "{}: got {} of himself at {}",
                               all_.found.client(receiver_), push_name[side],
                               all_.found.at(seen.t));
                continue;
            }
            sights_[seen.a].seen[side].push_back(seen.t);
        }
        for (auto& [user, what] : sights_) {
            match(user, what, adds);
            match(user, what, leaves);
        }
        for (const std::size_t place : all_.line.by_client[receiver_]) {
            check_turns(all_.line.memberships[place]);
        }
    }

private:
    bool is_own_name(name_id user) const {
        const auto& own = all_.line.by_client[receiver_];
        return !own.empty() && all_.line.memberships[own[0]].user == user;
    }

    void collect_occasions(const membership& mine) {
        for (const std::size_t place : all_.line.by_room.at(mine.room)) {
            const auto& theirs = all_.line.memberships[place];
            if (theirs.client == receiver_ || theirs.user == mine.user) {
                continue;
            }
            if (mine.possibly(theirs.join_begin, theirs.join_ok)) {
                sights_[theirs.user].occasions[adds].push_back(
                    {theirs.join_begin,
                     theirs.join_ok != never &&
                         is_there_throughout(mine, theirs.join_begin, theirs.join_ok)});
            }
            if (theirs.leave_begin != never && mine.possibly(theirs.leave_begin, theirs.leave_ok)) {
                sights_[theirs.user].occasions[leaves].push_back(
                    {theirs.leave_begin,
                     theirs.join_ok != never && theirs.leave_ok != never &&
                         is_there_throughout(mine, theirs.leave_begin, theirs.leave_ok)});
                if (is_in_doubt(theirs)) {
                    // Who takes the enter back may tell of a leave, whatever was told before.
                    auto& there = sights_[theirs.user].occasions[leaves];
                    there.insert(there.end(), 2, {theirs.leave_begin, false});
                }
            }
        }
    }

    /// An unexpected close counts as a leave that began `leave_grace` earlier; who came in that
    /// time may not have met the leaver any more.
    bool is_there_throughout(const membership& mine, nanoseconds from, nanoseconds to) const {
        return mine.surely(from, to) && all_.line.is_told(from, to);
    }

    /// An occasion can only be seen after it began, so both sides sort by time and pair off: owed
    /// ones from the end, seen ones from the beginning.
    void match(name_id user, sight& what, notice_side side) {
        auto& seen = what.seen[side];
        auto& there = what.occasions[side];
        std::sort(there.begin(), there.end(),
                  [](const occasion& x, const occasion& y) { return x.begin < y.begin; });
        report_missing(user, seen, there, side);
        report_surplus(user, seen, there, side);
    }

    void report_missing(name_id user, const std::vector<nanoseconds>& seen,
                        const std::vector<occasion>& there, notice_side side) {
        std::size_t unused = seen.size();
        for (auto owed = there.rbegin(); owed != there.rend(); ++owed) {
            if (!owed->is_owed) {
                continue;
            }
            if (unused > 0 && seen[unused - 1] >= owed->begin) {
                --unused;
                continue;
            }
            all_.found.add(missing_kind[side], "{}: never got the {} of '{}', due since {}",
                           all_.found.client(receiver_), push_name[side], all_.found.name(user),
                           all_.found.at(owed->begin));
        }
    }

    void report_surplus(name_id user, const std::vector<nanoseconds>& seen,
                        const std::vector<occasion>& there, notice_side side) {
        std::size_t used = 0;
        for (const nanoseconds t : seen) {
            if (used < there.size() && there[used].begin <= t) {
                ++used;
                continue;
            }
            const bool is_second = !there.empty() && there.front().begin <= t;
            all_.found.add(is_second ? doubled_kind[side] : stray_kind[side],
                           "{}: got {} of '{}' at {}, {}", all_.found.client(receiver_),
                           push_name[side], all_.found.name(user), all_.found.at(t),
                           is_second ? "once more than there was reason"
                                     : "for which there was no reason");
        }
    }

    /// An enter that nobody knows to have been carried out.
    bool is_in_doubt(const membership& theirs) const {
        return theirs.join_ok == never && !all_.line.is_calm(theirs.join_begin, theirs.leave_ok);
    }
    bool is_in_doubt(name_id room, name_id user, nanoseconds t) const {
        const auto& there = all_.line.by_room.at(room);
        return std::any_of(there.begin(), there.end(), [&](std::size_t place) {
            const auto& theirs = all_.line.memberships[place];
            return theirs.user == user && is_in_doubt(theirs) && theirs.possibly(t, t);
        });
    }

    /// The receiver may have got into a room though its enter was refused.
    bool is_in_two_rooms(nanoseconds t) const {
        const auto& own = all_.line.by_client[receiver_];
        return std::any_of(own.begin(), own.end(), [&](std::size_t place) {
            const auto& other = all_.line.memberships[place];
            return is_in_doubt(other) && other.possibly(t, t);
        });
    }

    /// While the receiver is surely in one room, a user's notices alternate, and the first fits the
    /// users list and what came before the answer of the enter.
    void check_turns(const membership& mine) {
        if (mine.join_ok == never) {
            return;
        }
        std::map<name_id, bool> is_here;
        std::map<name_id, nanoseconds> known_at;
        for (const name_id user : all_.log.users(mine.users_list)) {
            is_here[user] = true;
        }
        for (const std::uint32_t place : notices_) {
            const auto& seen = all_.log.events()[place];
            if (seen.t < mine.join_begin || seen.t >= mine.leave_begin || is_own_name(seen.a)) {
                continue;
            }
            const bool is_add = seen.kind() == event_kind::add;
            if (seen.t <= mine.join_ok || is_in_two_rooms(seen.t)) {
                // These may tell of the old room or of the new one.
                uncertain_[seen.a] = true;
                continue;
            }
            if (const auto unsure = uncertain_.find(seen.a); unsure != uncertain_.end()) {
                uncertain_.erase(unsure);
            } else if (is_here[seen.a] == is_add &&
                       all_.line.is_told(known_at.try_emplace(seen.a, mine.join_ok).first->second,
                                         seen.t) &&
                       (is_add || !is_in_doubt(mine.room, seen.a, seen.t))) {
                all_.found.add(violation_kind::out_of_turn,
                               "{}: got {} of '{}' at {}, who by all before {} in '{}'",
                               all_.found.client(receiver_), push_name[is_add ? adds : leaves],
                               all_.found.name(seen.a), all_.found.at(seen.t),
                               is_add ? "was already" : "was not", all_.found.name(mine.room));
            }
            is_here[seen.a] = is_add;
            known_at[seen.a] = seen.t;
        }
        uncertain_.clear();
    }

    const examination& all_;
    client_id receiver_;
    const std::vector<std::uint32_t>& notices_;
    std::map<name_id, sight> sights_;
    std::map<name_id, bool> uncertain_;
};

} // namespace

void check_notices(const examination& all) {
    std::vector<std::vector<std::uint32_t>> notices(all.log.clients());
    for (std::size_t i = 0; i < all.log.events().size(); ++i) {
        const auto& seen = all.log.events()[i];
        if (seen.kind() == event_kind::add || seen.kind() == event_kind::leave) {
            notices[seen.client].push_back(static_cast<std::uint32_t>(i));
            ++all.report.notices;
        }
    }
    for (client_id receiver = 0; receiver < all.log.clients(); ++receiver) {
        notice_rules(all, receiver, notices[receiver]).run();
    }
}

} // namespace shaddock::bench
