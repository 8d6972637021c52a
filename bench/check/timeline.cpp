#include "timeline.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace shaddock::bench {
namespace {

/// What is known of one client while its events go by.
struct client_state {
    std::unordered_map<std::uint32_t, std::size_t> requests;
    /// Indices of enters that have no answer yet.
    std::vector<std::size_t> entering;
    /// The membership that counts now.
    std::size_t current = nothing;
    nanoseconds departed = never;
};

std::vector<trouble> merged(const std::vector<trouble>& all) {
    std::vector<const trouble*> order;
    order.reserve(all.size());
    for (const auto& each : all) {
        order.push_back(&each);
    }
    std::ranges::sort(order, {}, &trouble::from);
    std::vector<trouble> made;
    for (const auto* each : order) {
        if (made.empty() || made.back().to < each->from) {
            made.push_back(*each);
        } else {
            made.back().to = std::max(made.back().to, each->to);
            made.back().is_told = made.back().is_told && each->is_told;
        }
    }
    return made;
}

std::vector<timeline::told_trouble> resolved(const history& log, const std::vector<trouble>& all) {
    std::vector<timeline::told_trouble> made;
    for (const auto& each : all) {
        auto& one = made.emplace_back(timeline::told_trouble{each, {}});
        one.clients.assign(log.clients(), !each.only);
        for (client_id client = 0; each.only && client < log.clients(); ++client) {
            const std::string_view label = log.label(client);
            const auto at = label.rfind('@');
            one.clients[client] =
                at != std::string_view::npos &&
                std::ranges::count(each.only->frontends, label.substr(at + 1)) > 0;
        }
    }
    return made;
}

class builder {
public:
    builder(const history& log, const check_options& options)
        : log_(log), leave_grace_(options.leave_grace), clients_(log.clients()) {
        line_.leave_grace = leave_grace_;
        line_.troubles = merged(options.troubles);
        line_.told = resolved(log, options.troubles);
        line_.by_client.resize(log.clients());
        line_.sends.assign(log.messages(), nothing);
    }

    timeline build() {
        if (!log_.events().empty()) {
            line_.start =
                std::min_element(log_.events().begin(), log_.events().end(), [](auto& x, auto& y) {
                    return x.t < y.t;
                })->t;
        }
        for (std::size_t i = 0; i < log_.events().size(); ++i) {
            take(log_.events()[i], i);
        }
        for (auto& state : clients_) {
            give_up_entering(state, never);
        }
        for (std::size_t i = 0; i < line_.memberships.size(); ++i) {
            line_.by_room[line_.memberships[i].room].push_back(i);
            line_.by_client[line_.memberships[i].client].push_back(i);
        }
        return std::move(line_);
    }

private:
    void take(const event& seen, std::size_t index) {
        auto& state = clients_[seen.client];
        switch (seen.kind()) {
        case event_kind::query:
        case event_kind::enter:
        case event_kind::send:
            begin_request(seen, state);
            break;
        case event_kind::ok:
        case event_kind::fail:
            end_request(seen, state, index);
            break;
        case event_kind::depart:
            depart(seen, state);
            break;
        case event_kind::closed:
            close(seen, state);
            break;
        default:
            break;
        }
    }

    void begin_request(const event& seen, client_state& state) {
        const std::size_t place = line_.requests.size();
        if (!state.requests.try_emplace(seen.a, place).second) {
            throw std::runtime_error("client " + log_.label(seen.client) + " used request id " +
                                     std::to_string(seen.a) + " twice");
        }
        request asked;
        asked.client = seen.client;
        asked.id = seen.a;
        asked.kind = seen.kind();
        asked.begin = seen.t;
        asked.b = seen.b;
        asked.c = seen.c;
        line_.requests.push_back(asked);
        if (seen.kind() == event_kind::enter) {
            state.entering.push_back(place);
        } else if (seen.kind() == event_kind::send) {
            if (line_.sends[seen.b] != nothing) {
                throw std::runtime_error("the message '" + log_.message_text(seen.b) +
                                         "' was sent twice; texts must be unique");
            }
            line_.sends[seen.b] = place;
        }
    }

    void end_request(const event& seen, client_state& state, std::size_t index) {
        const auto found = state.requests.find(seen.a);
        if (found == state.requests.end()) {
            line_.unasked.push_back(index);
            return;
        }
        auto& asked = line_.requests[found->second];
        if (++asked.answers > 1) {
            return;
        }
        asked.end = seen.t;
        asked.is_ok = seen.kind() == event_kind::ok;
        if (asked.kind == event_kind::enter) {
            std::erase(state.entering, found->second);
            if (asked.is_ok) {
                join(asked, seen, state);
            } else if (!line_.is_calm(asked.begin, asked.end)) {
                // Perhaps it was carried out, and is taken back when the trouble is over.
                membership maybe = member_by(asked);
                maybe.leave_begin = asked.begin;
                maybe.leave_ok = line_.over(asked.end);
                line_.memberships.push_back(maybe);
            }
        }
        if (!asked.is_ok) {
            asked.code = seen.b;
        }
    }

    void join(const request& asked, const event& answer, client_state& state) {
        if (state.current != nothing) {
            auto& old = line_.memberships[state.current];
            leave(old, asked.begin, asked.begin);
            old.leave_ok = line_.over(asked.end);
        }
        membership made = member_by(asked);
        made.join_ok = asked.end;
        made.users_list = answer.b;
        made.leave_begin = made.believed_until = state.departed;
        state.current = line_.memberships.size();
        line_.memberships.push_back(made);
    }

    void depart(const event& seen, client_state& state) {
        state.departed = seen.t;
        if (state.current != nothing) {
            leave(line_.memberships[state.current], line_.began(seen.t), seen.t);
        }
    }

    /// Without a wish to go, the server may have dropped the client some time before it noticed.
    void close(const event& seen, client_state& state) {
        excuse_requests(state, seen.t);
        const nanoseconds gone = line_.over(seen.t + leave_grace_);
        if (state.current != nothing) {
            auto& member = line_.memberships[state.current];
            if (state.departed == never) {
                leave(member, line_.began(seen.t - leave_grace_), seen.t - leave_grace_);
            }
            member.leave_ok = gone;
        }
        give_up_entering(state, gone);
    }

    /// An enter without an answer: perhaps it happened, until `until`.
    void give_up_entering(client_state& state, nanoseconds until) {
        for (const std::size_t place : std::exchange(state.entering, {})) {
            const auto& asked = line_.requests[place];
            membership maybe = member_by(asked);
            maybe.leave_begin = asked.begin;
            maybe.leave_ok = until;
            if (state.current != nothing) {
                leave(line_.memberships[state.current], asked.begin, asked.begin);
            }
            line_.memberships.push_back(maybe);
        }
    }

    /// A request may stay open when the connection closes soon after it.
    void excuse_requests(const client_state& state, nanoseconds t) {
        for (const auto& [id, place] : state.requests) {
            auto& asked = line_.requests[place];
            asked.is_excused |= asked.answers == 0 &&
                                (t - asked.begin <= leave_grace_ || !line_.is_calm(asked.begin, t));
        }
    }

    static void leave(membership& who, nanoseconds begin, nanoseconds believed) {
        who.leave_begin = std::min(who.leave_begin, begin);
        who.believed_until = std::min(who.believed_until, believed);
    }

    static membership member_by(const request& asked) {
        membership made;
        made.client = asked.client;
        made.user = asked.c;
        made.room = asked.b;
        made.join_begin = asked.begin;
        return made;
    }

    const history& log_;
    nanoseconds leave_grace_;
    std::vector<client_state> clients_;
    timeline line_;
};

} // namespace

timeline make_timeline(const history& log, const check_options& options) {
    return builder(log, options).build();
}

bool timeline::is_at(const trouble& each, nanoseconds from, nanoseconds to) const {
    const nanoseconds last = to == never ? never : to + leave_grace;
    return each.from <= last && from - leave_grace <= each.to;
}

bool timeline::count(nanoseconds from, nanoseconds to, bool told_are_fine) const {
    return std::none_of(troubles.begin(), troubles.end(), [&](const trouble& each) {
        return is_at(each, from, to) && !(told_are_fine && each.is_told);
    });
}

bool timeline::is_unhurt(client_id client, const std::string& room, nanoseconds from,
                         nanoseconds to) const {
    return std::ranges::none_of(told, [&](const told_trouble& each) {
        return is_at(each.what, from, to + late_in_trouble) &&
               (each.clients[client] || std::ranges::count(each.what.only->rooms, room) > 0);
    });
}

nanoseconds timeline::began(nanoseconds t) const {
    for (const auto& each : troubles) {
        if (each.from <= t && t <= each.to) {
            return each.from;
        }
    }
    return t;
}

nanoseconds timeline::over(nanoseconds t) const {
    for (const auto& each : troubles) {
        if (each.from - leave_grace <= t && t <= each.to) {
            return each.to + leave_grace;
        }
    }
    return t;
}

} // namespace shaddock::bench
