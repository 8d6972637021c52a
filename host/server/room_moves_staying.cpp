#include "room_moves.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <memory>
#include <utility>

/// Rooms that stay with a server that leaves.
namespace shaddock::server {

namespace {

// Of the names of rooms that stay with one server; what is over it moves.
constexpr std::size_t staying_limit = std::size_t{8} * 1024 * 1024;
constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;

} // namespace

/// Once, when this server leaves: as soon as its rooms are whole and nothing comes any more that
/// was routed by the list before.
void room_moves::decide_what_stays() {
    const auto* self = list_.leaving(self_.id);
    if (self == nullptr || self->stays || (now_ && !now_->has_released) ||
        channels_.is_recovering()) {
        return;
    }
    const auto linked = servers_.linked();
    const auto older = std::ranges::find_if(
        linked, [](const auto& each) { return each.version < wire::staying_version; });
    const auto rooms = std::make_shared<room_names>();
    if (older == linked.end()) {
        *rooms = rooms_of(*self);
        base::log::info("server", "{} leaves: rooms that stay with it until they are empty: {}",
                        self_.id, rooms->size());
    } else {
        base::log::warn("server",
                        "{} leaves, but {} is of a build that does not know of rooms that stay: "
                        "they move",
                        self_.id, older->id);
    }
    list_.set_staying(self_.id, servers_.self().life, rooms);
    for (const auto& each : linked) {
        if (each.version >= wire::staying_version) {
            tell_staying(each.id, *rooms);
        }
    }
}

/// Those that have members. Channels that are not its by their names stay where they are anyway.
room_names room_moves::rooms_of(const leaving_server& self) const {
    room_names rooms;
    std::size_t bytes = 0;
    for (auto& name : channels_.names()) {
        if (channels_.has_members(name) && self.may_have(name)) {
            bytes += name.size() + sizeof(std::uint32_t);
            if (bytes <= staying_limit) {
                rooms.insert(std::move(name));
            }
        }
    }
    return rooms;
}

/// Chunks: the epoch, whether it is the last, names.
void room_moves::tell_staying(const std::string& to, const room_names& rooms) {
    std::string names;
    wire::writer out(names);
    const auto send_chunk = [&](bool is_last) {
        if (is_last || names.size() > chunk_bytes) {
            servers_.tell(to, wire::kind::rooms_staying,
                          wire::encoded(list_.epoch(), is_last, std::string_view(names)), {});
            names.clear();
        }
    };
    for (const auto& name : rooms) {
        out.text(name);
        send_chunk(false);
    }
    send_chunk(true);
}

void room_moves::on_link_up(const bus::peer& with) {
    if (now_) {
        // It has not waited for this server, to which it had no link.
        now_->had_told.insert(with.id);
        now_->unmet.erase(with.id);
    }
    const auto* self = list_.leaving(self_.id);
    if (self != nullptr && self->stays && with.version >= wire::staying_version) {
        tell_staying(with.id, *self->stays);
    }
    note_build(with);
    if (with.version < wire::moves_version || list_.told_epoch() == 0) {
        return;
    }
    // It may wait for this server, which had not met it, or a life before that had not said so.
    servers_.tell(with.id, wire::kind::rooms_released, wire::encoded(let_go_), {});
    if (!now_ || now_->is_ready) {
        servers_.tell(with.id, wire::kind::rooms_ready, wire::encoded(list_.epoch()), {});
    }
}

/// An older build knows of no rooms that stay.
void room_moves::note_build(const bus::peer& of) {
    if (of.version < wire::staying_version) {
        list_.set_staying(of.id, of.life, std::make_shared<const room_names>());
    }
}

void room_moves::on_staying(const bus::peer& from, std::uint64_t epoch, wire::reader& in) {
    auto& told = staying_chunks_[from.id];
    if (told.life != from.life || told.epoch != epoch || !told.names) {
        told = {from.life, epoch, 0, std::make_shared<room_names>()};
    }
    const bool is_last = in.u8() != 0;
    for (wire::reader names(in.text()); names.ok() && !names.at_end();) {
        const auto name = names.text();
        told.bytes += name.size() + sizeof(std::uint32_t);
        if (names.ok() && told.bytes <= staying_limit) {
            told.names->emplace(name);
        }
    }
    if (is_last) {
        auto node = staying_chunks_.extract(from.id);
        staying_[from.id] = std::move(node.mapped());
        if (epoch <= list_.epoch()) { // else its list comes yet
            list_.set_staying(from.id, from.life, staying_[from.id].names);
        }
    }
}

/// It may have told before the list came here that says that it leaves, also when it was known to
/// leave already: then it was taken back by a list that this server has skipped.
void room_moves::learn_staying(const std::string& of) {
    if (const auto at = staying_.find(of);
        at != staying_.end() && at->second.epoch > settled_ && at->second.epoch <= list_.epoch()) {
        return list_.set_staying(of, at->second.life, at->second.names);
    }
    if (list_.leaving(of)->stays) {
        return;
    }
    const auto linked = servers_.linked();
    if (const auto at = std::ranges::find(linked, of, &bus::peer::id); at != linked.end()) {
        note_build(*at);
    }
}

bool room_moves::may_own(std::string_view room) const {
    if (const auto* self = list_.leaving(self_.id); self != nullptr && !self->stays) {
        return self->may_have(room); // it is told what it had
    }
    const auto* owner = directory::owner_in(list_.by_type(), self_.type, room);
    return owner == nullptr || *owner == self_.id;
}

bool room_moves::is_anothers(std::string_view room) const {
    if (list_.has_given_up(self_.id, self_.type, room)) {
        return true;
    }
    const auto* keeper = list_.stays_elsewhere(self_.id, self_.type, room);
    return keeper != nullptr && !servers_.reaches(*keeper) && !channels_.has_members(room);
}

} // namespace shaddock::server
