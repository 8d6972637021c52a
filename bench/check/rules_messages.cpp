#include "findings.hpp"

#include <algorithm>

namespace shaddock::bench {
namespace {

/// The chat events of a history, ordered by `key` (message or receiver), otherwise as seen.
template <class Key>
std::vector<std::uint32_t> sorted_deliveries(const history& log, std::size_t keys, Key key,
                                             std::vector<std::size_t>& first) {
    first.assign(keys + 1, 0);
    for (const auto& seen : log.events()) {
        if (seen.kind() == event_kind::chat) {
            ++first[key(seen) + 1];
        }
    }
    for (std::size_t i = 0; i < keys; ++i) {
        first[i + 1] += first[i];
    }
    std::vector<std::size_t> next(first);
    std::vector<std::uint32_t> order(first[keys]);
    for (std::size_t i = 0; i < log.events().size(); ++i) {
        if (log.events()[i].kind() == event_kind::chat) {
            order[next[key(log.events()[i])]++] = static_cast<std::uint32_t>(i);
        }
    }
    return order;
}

/// Checks that each message reached whom it had to reach, once, and nobody else.
class message_rules {
public:
    explicit message_rules(const examination& all)
        : all_(all), standings_(all.log.clients()),
          order_(sorted_deliveries(
              all.log, all.log.messages(), [](const event& seen) { return seen.a; }, first_)) {}

    void run() {
        all_.report.deliveries = order_.size();
        for (message_id message = 0; message < all_.log.messages(); ++message) {
            const std::size_t send = all_.line.sends[message];
            if (send == nothing) {
                for (std::size_t i = first_[message]; i < first_[message + 1]; ++i) {
                    report_ghost(all_.log.events()[order_[i]]);
                }
                continue;
            }
            ++all_.report.messages;
            check_message(message, all_.line.requests[send]);
        }
    }

private:
    /// How a client stands to the message that is looked at; old ones have another `round`.
    struct standing {
        std::uint64_t round = 0;
        bool is_allowed = false;
        bool is_owed = false;
        unsigned times = 0;
    };

    standing& standing_of(client_id client) {
        auto& found = standings_[client];
        if (found.round != round_) {
            found = {};
            found.round = round_;
        }
        return found;
    }

    void check_message(message_id message, const request& asked) {
        ++round_;
        owed_.clear();
        find_receivers(asked);
        for (std::size_t i = first_[message]; i < first_[message + 1]; ++i) {
            check_delivery(message, asked, all_.log.events()[order_[i]]);
        }
        for (const std::size_t place : owed_) {
            const auto& member = all_.line.memberships[place];
            if (standing_of(member.client).times == 0) {
                all_.found.add(violation_kind::lost,
                               "{}: never got '{}' of {} to '{}', sent {}, answered {}; in '{}' "
                               "since {}",
                               all_.found.client(member.client), all_.found.text(message),
                               all_.found.client(asked.client), all_.found.name(asked.c),
                               all_.found.at(asked.begin), all_.found.at(asked.end),
                               all_.found.name(member.room), all_.found.at(member.join_ok));
            }
        }
    }

    void find_receivers(const request& asked) {
        const auto rooms = possible_memberships(all_.line, asked.client, asked.begin, asked.end);
        const bool is_calm = all_.line.is_calm(asked.begin, asked.end);
        const bool is_sure = rooms.size() == 1 && asked.is_ok &&
                             is_in(all_.line.memberships[rooms[0]], asked, is_calm);
        for (const std::size_t room : rooms) {
            for (const std::size_t place : all_.line.by_room.at(all_.line.memberships[room].room)) {
                const auto& member = all_.line.memberships[place];
                if (asked.c != everyone && member.user != asked.c) {
                    continue;
                }
                if (!member.possibly(asked.begin, asked.end)) {
                    continue;
                }
                auto& stands = standing_of(member.client);
                stands.is_allowed = true;
                if (is_sure && !stands.is_owed && is_in(member, asked, is_calm) &&
                    (is_calm || is_unhurt(member, asked))) {
                    stands.is_owed = true;
                    owed_.push_back(place);
                    ++all_.report.deliveries_owed;
                }
            }
        }
    }

    /// In a trouble: without any doubt about where else it might be, and for long enough.
    bool is_in(const membership& who, const request& asked, bool is_calm) const {
        if (is_calm) {
            return who.surely(asked.begin, asked.end);
        }
        return who.steadily(asked.begin, asked.end) &&
               possible_memberships(all_.line, who.client, asked.begin, asked.end).size() == 1;
    }
    bool is_unhurt(const membership& who, const request& asked) const {
        return all_.line.is_unhurt(who.client, all_.found.name(who.room), asked.begin, asked.end);
    }

    void check_delivery(message_id message, const request& asked, const event& seen) {
        auto& stands = standing_of(seen.client);
        const std::string_view receiver = all_.found.client(seen.client);
        if (seen.t < asked.begin) {
            report_ghost(seen);
        }
        if (++stands.times > 1) {
            all_.found.add(violation_kind::doubled, "{}: got '{}' a second time at {}", receiver,
                           all_.found.text(message), all_.found.at(seen.t));
        }
        if (seen.c != asked.c) {
            all_.found.add(violation_kind::wrong_target,
                           "{}: got '{}' at {} with target '{}', sent to '{}'", receiver,
                           all_.found.text(message), all_.found.at(seen.t), all_.found.name(seen.c),
                           all_.found.name(asked.c));
        }
        check_sender(message, asked, seen);
        if (stands.is_allowed) {
            return;
        }
        if (asked.c != everyone) {
            all_.found.add(violation_kind::leaked_private,
                           "{}: got '{}' at {}, which {} sent to '{}' only", receiver,
                           all_.found.text(message), all_.found.at(seen.t),
                           all_.found.client(asked.client), all_.found.name(asked.c));
        } else {
            all_.found.add(violation_kind::stray_push,
                           "{}: got '{}' of {} at {}, but was not in that room between {} and {}",
                           receiver, all_.found.text(message), all_.found.client(asked.client),
                           all_.found.at(seen.t), all_.found.at(asked.begin),
                           all_.found.at(asked.end));
        }
    }

    void check_sender(message_id message, const request& asked, const event& seen) {
        const auto& own = all_.line.by_client[asked.client];
        if (!own.empty() && all_.line.memberships[own[0]].user != seen.b) {
            all_.found.add(
                violation_kind::wrong_sender, "{}: got '{}' at {} as from '{}', sent by {}",
                all_.found.client(seen.client), all_.found.text(message), all_.found.at(seen.t),
                all_.found.name(seen.b), all_.found.client(asked.client));
        }
    }

    void report_ghost(const event& seen) {
        all_.found.add(violation_kind::ghost_message,
                       "{}: got '{}' from '{}' at {}, which nobody had sent by then",
                       all_.found.client(seen.client), all_.found.text(seen.a),
                       all_.found.name(seen.b), all_.found.at(seen.t));
    }

    const examination& all_;
    std::uint64_t round_ = 0;
    std::vector<standing> standings_;
    std::vector<std::size_t> owed_;
    std::vector<std::size_t> first_;
    std::vector<std::uint32_t> order_;
};

/// The one room in which the sender was while he sent; nothing when it is not sure.
std::size_t sure_room(const timeline& line, const request& asked) {
    for (const std::size_t place : line.by_client[asked.client]) {
        if (line.memberships[place].surely(asked.begin, asked.end)) {
            return line.memberships[place].room;
        }
    }
    return nothing;
}

} // namespace

void check_messages(const examination& all) {
    message_rules(all).run();
}

/// Requests are numbered in the order in which they were sent, so a lower number after a higher one
/// from the same client is out of order. Only within one room: rooms may have different owners.
void check_order(const examination& all) {
    struct last_seen {
        client_id receiver = static_cast<client_id>(-1);
        std::size_t request = nothing;
        std::size_t room = nothing;
    };
    std::vector<last_seen> last(all.log.clients());
    std::vector<std::size_t> rooms(all.line.requests.size(), nothing);
    for (std::size_t i = 0; i < all.line.requests.size(); ++i) {
        if (all.line.requests[i].kind == event_kind::send) {
            rooms[i] = sure_room(all.line, all.line.requests[i]);
        }
    }
    std::vector<std::size_t> first;
    const auto order = sorted_deliveries(
        all.log, all.log.clients(),
        [](const event& seen) { return static_cast<std::size_t>(seen.client); }, first);
    for (const std::uint32_t place : order) {
        const auto& seen = all.log.events()[place];
        const std::size_t send = all.line.sends[seen.a];
        if (send == nothing || rooms[send] == nothing) {
            continue;
        }
        const auto& asked = all.line.requests[send];
        auto& before = last[asked.client];
        if (before.receiver == seen.client && before.room == rooms[send] && before.request > send) {
            all.found.add(violation_kind::reordered,
                          "{}: got '{}' at {} after '{}', which {} sent later",
                          all.found.client(seen.client), all.found.text(seen.a),
                          all.found.at(seen.t), all.found.text(all.line.requests[before.request].b),
                          all.found.client(asked.client));
            continue;
        }
        before = {seen.client, send, rooms[send]};
    }
}

} // namespace shaddock::bench
