#include "findings.hpp"

#include <algorithm>

namespace shaddock::bench {
namespace {

/// Whether a membership of `user` in `room` satisfies `test`; `other` is skipped.
template <class Test>
bool is_any_member(const timeline& line, name_id room, name_id user, client_id other, Test test) {
    const auto found = line.by_room.find(room);
    return found != line.by_room.end() &&
           std::any_of(found->second.begin(), found->second.end(), [&](std::size_t place) {
               const auto& member = line.memberships[place];
               return member.user == user && member.client != other && test(member);
           });
}

constexpr client_id nobody = static_cast<client_id>(-1);

/// A refusal of an enter is right when the name may be taken, the client may be in that room
/// already, or it asks for another name than before.
bool may_refuse_enter(const timeline& line, const request& asked) {
    if (is_any_member(line, asked.b, asked.c, asked.client, [&](const membership& member) {
            return member.possibly(asked.begin, asked.end);
        })) {
        return true;
    }
    const auto& own = line.by_client[asked.client];
    return std::any_of(own.begin(), own.end(), [&](std::size_t place) {
        const auto& member = line.memberships[place];
        return member.join_begin < asked.begin &&
               (member.user != asked.c ||
                (member.room == asked.b && member.possibly(asked.begin, asked.end)));
    });
}

void check_enter(const examination& all, const request& asked) {
    if (!asked.is_ok) {
        if (all.line.is_calm(asked.begin, asked.end) && !may_refuse_enter(all.line, asked)) {
            all.found.add(violation_kind::wrong_answer,
                          "{}: enter of '{}' into '{}' was refused with {} at {} for no reason",
                          all.found.client(asked.client), all.found.name(asked.c),
                          all.found.name(asked.b), asked.code, all.found.at(asked.end));
        }
        return;
    }
    ++all.report.joins;
    if (is_any_member(all.line, asked.b, asked.c, nobody, [&](const membership& member) {
            return all.line.surely(member, asked.begin, asked.end);
        })) {
        all.found.add(
            violation_kind::wrong_answer,
            "{}: enter of '{}' into '{}' succeeded at {} though that name was in the room",
            all.found.client(asked.client), all.found.name(asked.c), all.found.name(asked.b),
            all.found.at(asked.end));
    }
}

/// What the sender's and the target's memberships say of the answer that a send must get.
struct expectation {
    bool may_succeed = false;
    bool must_succeed = false;
};

expectation expect_send(const timeline& line, const request& asked) {
    expectation expected;
    const auto rooms = possible_memberships(line, asked.client, asked.begin, asked.end);
    for (const std::size_t place : rooms) {
        const auto& sender = line.memberships[place];
        const bool is_sure = rooms.size() == 1 && line.surely(sender, asked.begin, asked.end);
        if (asked.c == everyone) {
            expected.may_succeed = true;
            expected.must_succeed = is_sure;
            continue;
        }
        expected.may_succeed |=
            is_any_member(line, sender.room, asked.c, nobody, [&](const membership& member) {
                return member.possibly(asked.begin, asked.end);
            });
        expected.must_succeed |=
            is_sure &&
            is_any_member(line, sender.room, asked.c, nobody, [&](const membership& member) {
                return line.surely(member, asked.begin, asked.end);
            });
    }
    return expected;
}

void check_send(const examination& all, const request& asked) {
    const expectation expected = expect_send(all.line, asked);
    if (asked.is_ok && !expected.may_succeed) {
        all.found.add(violation_kind::wrong_answer,
                      "{}: send '{}' to '{}' succeeded at {} though {} in the sender's room",
                      all.found.client(asked.client), all.found.text(asked.b),
                      all.found.name(asked.c), all.found.at(asked.end),
                      asked.c == everyone ? "the sender is not" : "there is no such member");
    } else if (!asked.is_ok && expected.must_succeed) {
        all.found.add(violation_kind::wrong_answer,
                      "{}: send '{}' to '{}' was refused with {} at {} for no reason",
                      all.found.client(asked.client), all.found.text(asked.b),
                      all.found.name(asked.c), asked.code, all.found.at(asked.end));
    }
}

} // namespace

std::vector<std::size_t> possible_memberships(const timeline& line, client_id client,
                                              nanoseconds from, nanoseconds to) {
    std::vector<std::size_t> found;
    for (const std::size_t place : line.by_client[client]) {
        if (line.memberships[place].possibly(from, to)) {
            found.push_back(place);
        }
    }
    return found;
}

void check_answers(const examination& all) {
    all.report.requests = all.line.requests.size();
    for (const auto& asked : all.line.requests) {
        if (asked.answers == 0) {
            if (!asked.is_excused) {
                all.found.add(violation_kind::unanswered,
                              "{}: request {} ({}) of {} was never answered",
                              all.found.client(asked.client), asked.id, to_string(asked.kind),
                              all.found.at(asked.begin));
            }
            continue;
        }
        if (asked.answers > 1) {
            all.found.add(violation_kind::answered_twice,
                          "{}: request {} ({}) of {} was answered {} times",
                          all.found.client(asked.client), asked.id, to_string(asked.kind),
                          all.found.at(asked.begin), asked.answers);
        }
        switch (asked.kind) {
        case event_kind::enter:
            check_enter(all, asked);
            break;
        case event_kind::send:
            check_send(all, asked);
            break;
        default:
            if (!asked.is_ok && all.line.is_calm(asked.begin, asked.end)) {
                all.found.add(
                    violation_kind::wrong_answer, "{}: query {} was refused with {} at {}",
                    all.found.client(asked.client), asked.id, asked.code, all.found.at(asked.end));
            }
        }
    }
    for (const std::size_t place : all.line.unasked) {
        const auto& seen = all.log.events()[place];
        all.found.add(violation_kind::unasked_answer, "{}: an answer to id {} at {}, never asked",
                      all.found.client(seen.client), seen.a, all.found.at(seen.t));
    }
}

void check_users_lists(const examination& all) {
    for (const auto& joined : all.line.memberships) {
        if (joined.join_ok == never) {
            continue;
        }
        std::unordered_map<name_id, unsigned> listed;
        for (const name_id user : all.log.users(joined.users_list)) {
            ++listed[user];
        }
        const std::string where =
            fmt::format("the users list of '{}' for {} at {}", all.found.name(joined.room),
                        all.found.client(joined.client), all.found.at(joined.join_ok));
        if (!listed.contains(joined.user)) {
            all.found.add(violation_kind::missing_user, "{} lacks the newcomer himself", where);
        }
        std::unordered_map<name_id, bool> possible;
        for (const std::size_t place : all.line.by_room.at(joined.room)) {
            const auto& member = all.line.memberships[place];
            possible[member.user] |= member.possibly(joined.join_begin, joined.join_ok);
            if (all.line.surely(member, joined.join_begin, joined.join_ok) &&
                !listed.contains(member.user)) {
                all.found.add(violation_kind::missing_user, "{} lacks '{}', a member since {}",
                              where, all.found.name(member.user), all.found.at(member.join_ok));
            }
        }
        for (const auto& [user, times] : listed) {
            if (times > 1) {
                all.found.add(violation_kind::doubled_user, "{} names '{}' {} times", where,
                              all.found.name(user), times);
            }
            const auto is_possible = possible.find(user);
            if (is_possible == possible.end() || !is_possible->second) {
                all.found.add(violation_kind::ghost_member, "{} names '{}', who is not there",
                              where, all.found.name(user));
            }
        }
    }
}

void check_connections(const examination& all) {
    std::vector<bool> departed(all.log.clients(), false);
    for (const auto& seen : all.log.events()) {
        switch (seen.kind()) {
        case event_kind::depart:
            departed[seen.client] = true;
            break;
        case event_kind::closed:
            if (!departed[seen.client] && all.line.is_calm(seen.t, seen.t)) {
                all.found.add(violation_kind::unexpected_close,
                              "{}: its connection closed at {}: {}", all.found.client(seen.client),
                              all.found.at(seen.t), all.found.name(seen.a));
            }
            break;
        case event_kind::kicked:
            if (!all.line.is_calm(seen.t, seen.t)) {
                break;
            }
            all.found.add(violation_kind::unexpected_kick, "{}: kicked at {} with '{}'",
                          all.found.client(seen.client), all.found.at(seen.t),
                          all.found.name(seen.a));
            break;
        case event_kind::mangled:
            all.found.add(violation_kind::mangled, "{}: at {}: {}", all.found.client(seen.client),
                          all.found.at(seen.t), all.found.name(seen.a));
            break;
        default:
            break;
        }
    }
}

} // namespace shaddock::bench
