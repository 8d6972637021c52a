#include "room_moves.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace shaddock::server {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds tick{2};
// Until when each step waits for others, from the moment that the list came.
constexpr milliseconds known_limit{150};
constexpr milliseconds rest_limit{250};
constexpr milliseconds told_limit{325};
constexpr milliseconds taken_limit{400};
constexpr milliseconds ready_limit{500};
/// A turn that is only long is shorter.
constexpr milliseconds stood_still{100};

} // namespace

void room_moves::on_view(const cluster::view_ptr& now) {
    if (now_ && now->epoch != list_.epoch()) {
        next_ = now;
        return;
    }
    if (now->epoch == list_.epoch()) {
        next_ = nullptr;
        return list_.update(now);
    }
    begin(now);
}

void room_moves::begin(const cluster::view_ptr& now) {
    const auto last = list_.epoch();
    const bool is_first = last == 0;
    const auto before = list_.all();
    const auto was_listed = [&](const std::string& id) {
        return before && std::ranges::count(*before, id, &door::server_info::id) != 0;
    };
    now_.emplace(change{});
    for (const auto& each : now->servers) {
        if (!is_first && !was_listed(each.id) && !servers_.reaches(each.id)) {
            now_->unmet.insert(each.id);
        }
    }
    now_->before = list_.begin(now);
    for (const auto& each : told_by_) {
        note_told(each.first);
    }
    if (is_first) { // who routes by an older list may mean a room that has moved away meanwhile
        released_ = list_.told_epoch();
    }
    now_->begun = now_->looked = clock_.now();
    if (now->epoch > last + 1) {
        list_.forget_staying(self_.id);
    }
    for (const auto& each : list_.by_type()) {
        std::ranges::for_each(std::vector(each.second.leaving),
                              [this](const auto& one) { learn_staying(one.id); });
    }
    std::erase_if(staying_, [this](const auto& each) {
        return each.second.epoch <= list_.epoch() && list_.leaving(each.first) == nullptr;
    });
    const bool has_owned = now_->before.contains(self_.type);
    changed_ = has_owned ? list_.epoch() : changed_;
    now_->has_released = !has_owned;
    now_->has_told = clients_ == nullptr || now_->before.empty();
    const auto own = list_.of_type(self_.type);
    now_->is_ready =
        !has_owned || std::ranges::find(*own, self_.id, &door::server_info::id) == own->end();
    if (now_->has_released && list_.told_epoch() != 0) {
        // Others may have skipped a list by which it had something to release.
        let_go_ = list_.told_epoch();
        tell_others(wire::kind::rooms_released);
    }
    // After the first list there is always one before, and most changes are none of these types.
    tell_all(wire::kind::list_known);
    if (clients_ != nullptr) {
        clients_->on_list();
    }
    list_.go_on();
    serve_early();
    look();
}

void room_moves::on_absent(std::string_view id) {
    if (now_) {
        now_->unmet.erase(std::string(id));
    }
}

void room_moves::stop() {
    tick_.cancel();
    silence_.cancel();
    is_stopped_ = true;
    serve_all();
    while (!due_.empty()) {
        serve_due();
    }
    serving_.cancel();
    now_.reset();
    next_ = nullptr;
    list_.settled(); // first: who is refused may ask again
    list_.refuse_waiting(error(errc::cancelled, "the server is stopping"));
}

// ---- the steps

void room_moves::look() {
    end_silence();
    if (!now_) {
        return decide_what_stays();
    }
    note_pause();
    release();
    decide_what_stays();
    tell_rooms();
    take_rooms();
    list_.let_go(is_late(known_limit));
    const bool may_open = !list_.has_older();
    bool is_open = may_open && list_.has_all_told();
    for (const auto& each : now_->before) {
        for (const auto& server : *list_.of_type(each.first)) {
            if (may_open && has_said(ready_, server.id) && !now_->unmet.contains(server.id)) {
                list_.open(server.id);
            } else {
                is_open = false;
            }
        }
    }
    if (is_late(ready_limit) ||
        (is_open && now_->has_released && now_->has_told && now_->is_ready)) {
        return settle();
    }
    tick_ = clock_.after(tick, [this] { look(); });
}

void room_moves::note_pause() {
    const auto pause = clock_.now() - std::exchange(now_->looked, clock_.now());
    if (pause > stood_still) {
        now_->begun += pause;
    }
}

void room_moves::release() {
    if (now_->has_released || !may_release()) {
        return;
    }
    now_->has_released = true;
    decide_what_stays();
    release_rooms();
    released_ = list_.told_epoch();
    channels_.set_epoch(released_);
    let_go_ = released_;
    tell_all(wire::kind::rooms_released);
}

/// Nothing comes any more that was routed by the list before, and what has come has ended.
bool room_moves::may_release() {
    if (!now_->mark) {
        const auto linked = servers_.linked();
        const bool all_know =
            has_said(known_, self_.id) && std::ranges::all_of(linked, [this](const auto& each) {
                return has_said(known_, each.id);
            });
        if (!all_know && !is_late(known_limit)) {
            return false;
        }
        now_->mark = calls_.mark();
    }
    return !calls_.has_before(*now_->mark) || is_late(rest_limit);
}

void room_moves::release_rooms() {
    if (!calls_.has_before(*now_->mark)) {
        channels_.forget_moved();
    }
    channels_.begin_release();
    for (const auto& name : channels_.names()) {
        const auto* to = new_owner(self_.type, self_.id, name);
        if (to == nullptr) {
            continue;
        }
        const auto state = calls_.current()->save_room(name);
        std::string members;
        wire::writer out(members);
        for (const auto& each : channels_.release(name)) {
            wire::write(out, each.ref);
            out.u64(each.joined);
        }
        if (is_awaited(*to)) {
            servers_.tell(*to, wire::kind::room_state,
                          wire::encoded(list_.epoch(), std::string_view(name),
                                        std::string_view(state), std::string_view(members),
                                        channels_.next_join()),
                          {});
        }
    }
}

void room_moves::tell_rooms() {
    if (now_->has_told) {
        return;
    }
    const bool all_released = std::ranges::all_of(
        now_->before, [this](const auto& each) { return have_all_said(gone_, each.second); });
    if (!all_released && !is_late(told_limit)) {
        return;
    }
    now_->has_told = true;
    for (const auto& each : now_->before) {
        const auto& type = each.first;
        each.second.each_owner([&](const std::string& owner) {
            clients_->move_rooms(owner, list_.epoch(), [&](const std::string& channel) {
                return new_owner(type, owner, channel);
            });
        });
    }
    clients_->set_epoch(list_.told_epoch());
    tell_all(wire::kind::rooms_told);
    turn(list_.epoch());
}

void room_moves::take_rooms() {
    if (now_->is_ready) {
        return;
    }
    bool is_whole = have_all_said(gone_, now_->before.find(self_.type)->second);
    for (const auto& each : *list_.all()) {
        is_whole &= !each.is_frontend || has_said(told_by_, each.id);
    }
    if (!is_whole && !is_late(taken_limit)) {
        return;
    }
    now_->is_ready = true;
    note_silent_owners();
    take_coming();
    tell_all(wire::kind::rooms_ready);
    serve_early();
}

/// But what another one may have still.
void room_moves::take_coming() {
    std::vector<std::pair<std::string, std::vector<door::member>>> gone;
    std::map<std::uint64_t, moved_rooms> still;
    while (!coming_.empty() && coming_.begin()->first <= list_.epoch()) {
        const auto epoch = coming_.begin()->first;
        const auto by = epoch > settled_ ? list_.epoch() : epoch;
        const auto has_told = [&](const session_ref& who) { return told(who.frontend) >= by; };
        auto node = coming_.extract(coming_.begin());
        for (auto& [name, room] : node.mapped()) {
            if (is_others_still(name)) {
                still[epoch].emplace(name, std::move(room));
            } else if (epoch > settled_ || may_own(name)) { // else it has moved on meanwhile
                gone.emplace_back(name, channels_.take_over(name, room, has_told));
                calls_.current()->restore_room(name, room.state);
            }
        }
    }
    coming_.merge(still);
    for (auto& [name, members] : gone) {
        report(name, std::move(members));
    }
}

void room_moves::settle() {
    list_.settled(); // first: who is refused may ask again
    list_.refuse_moving(
        error(errc::recovering, "the room moves to another server, which is not ready in time"));
    if (settled_ != 0 && !now_->before.empty()) {
        base::log::info(
            "server", "list {} has settled after {} ms", list_.epoch(),
            std::chrono::duration_cast<milliseconds>(clock_.now() - now_->begun).count());
    }
    settled_ = list_.epoch();
    now_->is_ready = true;
    note_silent_owners(); // also of who is a guest as yet
    serve_early();
    channels_.set_epoch(list_.told_epoch());
    if (clients_ != nullptr) {
        clients_->set_epoch(list_.told_epoch());
        turn(settled_);
    }
    now_.reset();
    if (told_) {
        told_();
    }
    if (const auto next = std::exchange(next_, nullptr)) {
        on_view(next);
    }
}

// ---- what others say

void room_moves::on_cast(const bus::peer& from, wire::kind what, std::string_view bytes) {
    wire::reader in(bytes);
    const auto epoch = in.u64();
    if (!in.ok()) {
        return;
    }
    const auto note = [&](epochs& said) {
        auto& known = said[from.id];
        known = std::max(known, epoch);
    };
    switch (what) {
    case wire::kind::list_known:
        note(known_);
        list_.note(epoch);
        break;
    case wire::kind::rooms_staying:
        on_staying(from, epoch, in);
        break;
    case wire::kind::room_state:
        return on_state(from, epoch, in);
    case wire::kind::rooms_released:
        note(gone_);
        break;
    case wire::kind::moved_roster:
        return on_seats(from, epoch, in);
    case wire::kind::rooms_told:
        note(told_by_);
        last_told_ = std::max(last_told_, epoch);
        break;
    default:
        note(ready_);
    }
    look();
}

void room_moves::on_state(const bus::peer& from, std::uint64_t epoch, wire::reader& in) {
    const std::string name(in.text());
    if (is_too_late(epoch, name)) {
        if (const auto untold = late_states_.due(clock_.now())) {
            base::log::warn("server",
                            "{} has told of a room too late: it serves here already; {} more since "
                            "the last such line",
                            from.id, *untold);
        }
        return;
    }
    auto& room = coming_[epoch][name];
    room.state = in.text();
    room.is_told = true;
    for (wire::reader members(in.text()); members.ok() && !members.at_end();) {
        door::member each;
        each.ref = wire::read_ref(members);
        each.joined = members.u64();
        room.members.push_back(std::move(each));
    }
    room.next_join = in.at_end() ? 0 : in.u64(); // an older build ends before
}

/// The room serves here by that list.
bool room_moves::is_too_late(std::uint64_t epoch, std::string_view room) const {
    return (epoch <= settled_ || (now_ && now_->is_ready && epoch == list_.epoch())) &&
           !is_others_still(room);
}

void room_moves::on_seats(const bus::peer& from, std::uint64_t epoch, wire::reader& in) {
    auto& told = chunks_[from.id];
    if (told.life != from.life || told.epoch != epoch) {
        told = {from.life, epoch, {}};
    }
    const bool is_last = in.u8() != 0;
    for (wire::reader seats(in.text()); seats.ok() && !seats.at_end();) {
        const auto seat = wire::read_membership(seats);
        told.rooms[std::string(seat.channel)].seats.push_back(
            {{from.id, from.life, seat.session, std::string(seat.uid)}, seat.joined});
    }
    for (wire::reader lost(in.text()); lost.ok() && !lost.at_end();) {
        const auto gone = wire::read_membership(lost);
        told.rooms[std::string(gone.channel)].lost.push_back(
            {from, {{from.id, from.life, gone.session, std::string(gone.uid)}, gone.joined}});
    }
    if (is_last) {
        const auto node = chunks_.extract(from.id);
        take_seats(from, node.mapped());
    }
}

void room_moves::take_seats(const bus::peer& from, const told_seats& told) {
    for (const auto& [name, room] : told.rooms) {
        if (!is_too_late(told.epoch, name)) {
            auto& coming = coming_[told.epoch][name];
            coming.seats.insert(coming.seats.end(), room.seats.begin(), room.seats.end());
            coming.lost.insert(coming.lost.end(), room.lost.begin(), room.lost.end());
        } else if (may_own(name)) { // else the frontend tells the next one
            report(name, channels_.take_late(from, name, room));
        }
    }
}

/// What it had told was on a link that has ended since.
bool room_moves::owes_seats(const std::string& frontend, std::uint64_t epoch) {
    auto& roster = rosters_[frontend];
    const auto last = std::max(roster, told(frontend));
    roster = std::max(roster, epoch);
    return epoch != 0 && (last < changed_ || epoch > list_.told_epoch());
}

bool room_moves::take_seat(std::uint64_t epoch, const std::string& channel, const bus::peer& from,
                           const door::member& who, bool is_lost) {
    const auto& before = now_ && epoch == list_.epoch() ? now_->before : list_.by_type();
    const auto* owner = directory::owner_in(before, self_.type, channel);
    if (is_too_late(epoch, channel) || owner == nullptr || *owner == self_.id) {
        return false;
    }
    auto& room = coming_[epoch][channel];
    if (is_lost) {
        room.lost.emplace_back(from, who);
    } else {
        room.seats.push_back(who);
    }
    return true;
}

bool room_moves::leaves(const std::string& owner, const std::string& room) const {
    return now_ && !now_->has_told && std::ranges::any_of(now_->before, [&](const auto& each) {
               return new_owner(each.first, owner, room) != nullptr;
           });
}

// ---- helpers

void room_moves::report(const std::string& channel, std::vector<door::member> gone) {
    std::vector<std::pair<std::string, door::member>> named;
    named.reserve(gone.size());
    for (auto& each : gone) {
        named.emplace_back(channel, std::move(each));
    }
    channels_.report_moved(std::move(named));
}

bool room_moves::is_said(const epochs& what, std::string_view id, std::uint64_t epoch) {
    const auto at = what.find(id);
    return at != what.end() && at->second >= epoch;
}

bool room_moves::has_said(const epochs& what, const std::string& id) const {
    return is_said(what, id, list_.epoch()) || !is_awaited(id);
}

bool room_moves::is_awaited(const std::string& id) const {
    if (id == self_.id) {
        return true;
    }
    const auto linked = servers_.linked();
    return std::ranges::any_of(linked, [&](const auto& each) {
        return each.id == id && each.version >= wire::moves_version;
    });
}

bool room_moves::have_all_said(const epochs& what, const placement& owners) const {
    bool have_said = true;
    owners.each_owner([&](const std::string& id) { have_said &= has_said(what, id); });
    return have_said;
}

void room_moves::tell_all(wire::kind what) {
    if (now_->before.empty()) {
        return;
    }
    servers_.tell(self_.id, what, wire::encoded(list_.epoch()), {});
    tell_others(what);
}

void room_moves::tell_others(wire::kind what) {
    const auto bytes = wire::encoded(list_.epoch());
    for (const auto& each : servers_.linked()) {
        if (each.version >= wire::moves_version) {
            servers_.tell(each.id, what, bytes, {});
        }
    }
}

const std::string* room_moves::new_owner(std::string_view type, const std::string& owner,
                                         const std::string& channel) const {
    const auto* before = directory::owner_in(now_->before, type, channel);
    const auto* after = directory::owner_in(list_.by_type(), type, channel);
    return before != nullptr && *before == owner && after != nullptr && *after != owner ? after
                                                                                        : nullptr;
}

} // namespace shaddock::server
