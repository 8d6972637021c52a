#include "drains.hpp"

#include "targets.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::master {
namespace {

constexpr std::chrono::seconds try_again_after{5};
/// The wall clock may be set meanwhile.
constexpr std::chrono::milliseconds longest_wait{std::chrono::minutes(1)};

} // namespace

result<void> drains::start(const std::vector<std::string>& ids, std::chrono::milliseconds within) {
    for (const auto& id : ids) {
        if (auto fits = check(id, ids); !fits) {
            return fits;
        }
    }
    if (auto kept = book_.leave(ids, clock_.wall_ms() + static_cast<std::uint64_t>(within.count()));
        !kept) {
        return kept;
    }
    look();
    return {};
}

/// `with`: all that are to drain now.
result<void> drains::check(const std::string& id, const std::vector<std::string>& with) const {
    const auto* record = system_.find(id);
    if (record == nullptr) {
        return error(errc::refused, fmt::format("{} is no server of the list", id));
    }
    if (record->frontend) {
        return error(errc::refused,
                     fmt::format("--within waits for rooms that stay, but {} has clients, whom "
                                 "`host stop` sends away at `connector.drain`",
                                 id));
    }
    if (system_.host.type(record->type).rooms != config::room_rule::stay) {
        return error(errc::refused,
                     fmt::format("{}: --within waits for rooms that stay, but those of the type {} "
                                 "move (host.yaml: types.{}.rooms); `host stop {}` moves them and "
                                 "stops it now",
                                 id, record->type, record->type, id));
    }
    if (record->stopped) {
        return error(errc::refused,
                     fmt::format("{} is stopped; `host restart {}` brings it back", id, id));
    }
    if (is_last(*record, with)) {
        return error(errc::refused,
                     fmt::format("{} is not drained: it is the last of type {} that takes new "
                                 "rooms; `host stop` stops it",
                                 id, record->type));
    }
    return {};
}

/// Who leaves already takes none, whatever becomes of the others.
bool drains::is_last(const config::server_record& record,
                     const std::vector<std::string>& with) const {
    return !record.leaving && std::ranges::none_of(system_.servers, [&](const auto& other) {
        return other.type == record.type && !other.stopped && !other.leaving &&
               std::ranges::find(with, other.id) == with.end();
    });
}

void drains::look() {
    next_.cancel();
    auto wait = longest_wait;
    bool is_any = false;
    const auto servers = system_.servers; // a stop changes them
    for (const auto& record : servers) {
        if (!record.leaving) {
            continue;
        }
        is_any = true;
        if (const auto why = why_over(record, children_.list()); !why.empty()) {
            if (clock_.now() >= not_before_ && !end_(record.id, why)) {
                not_before_ = clock_.now() + try_again_after;
            }
            wait = std::min<std::chrono::milliseconds>(wait, try_again_after);
        } else if (*record.leaving != 0) {
            const auto now = clock_.wall_ms();
            const auto left = *record.leaving > now ? *record.leaving - now : 0;
            wait = std::min(wait, std::chrono::milliseconds(left));
        }
    }
    if (is_any) {
        next_ = clock_.after(wait, [this] { look(); });
    }
}

/// Empty: it goes on.
std::string_view drains::why_over(const config::server_record& record,
                                  const std::vector<child_report>& children) const {
    if (*record.leaving != 0 && *record.leaving <= clock_.wall_ms()) {
        return "its time to drain has passed";
    }
    const auto* child = find_child(children, record.id);
    const bool is_empty = child != nullptr && child->is(control::server_state::ready) &&
                          child->staying && child->staying->rooms == 0;
    return is_empty ? "its rooms are empty" : "";
}

void drains::show(control::server_row& row) const {
    const auto* record = system_.find(row.id);
    if (record == nullptr || !record->leaving) {
        return;
    }
    if (row.is(control::server_state::ready)) {
        row.state = to_string(control::server_state::draining);
    }
    const auto now = clock_.wall_ms();
    auto& left = row.draining.emplace();
    if (row.staying) {
        left.rooms = row.staying->rooms;
        left.members = row.staying->members;
    }
    if (*record->leaving != 0) {
        left.ends_in_s = *record->leaving > now ? (*record->leaving - now) / 1000 : 0;
    }
}

} // namespace shaddock::master
