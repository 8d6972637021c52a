#include "room_moves.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

/// What comes before the list, or the room, that it is of, and waits for that.
namespace shaddock::server {

namespace {

constexpr std::chrono::seconds early_patience{1};
constexpr std::size_t early_limit = std::size_t{32} * 1024 * 1024;
/// Of those that have waited; other work of the loop has its turn in between.
constexpr std::size_t served_in_a_turn = 256;

} // namespace

bool room_moves::keeps(const bus::peer& from, wire::kind what, std::string_view bytes) {
    if (due_.empty() && !is_ahead(from.id)) {
        return false;
    }
    keep(
        {early::awaited::mirror, from.id, 0, bytes.size(),
         [this, from, what, bytes = std::string(bytes)] { clients_->on_cast(from, what, bytes); }});
    return true;
}

bool room_moves::is_ahead(std::string_view owner) const {
    return is_said(ready_, owner, turned_ + 1);
}

/// It may have told so long before this server looked.
void room_moves::note_told(std::string_view frontend) {
    if (told(frontend) >= list_.epoch()) {
        now_->had_told.emplace(frontend);
    }
}

bool room_moves::has_no_list(std::string_view from, std::uint64_t epoch) const {
    const auto known = list_.told_epoch();
    if (known == 0) {
        return false;
    }
    if (last_told_ > known && told(from) > known) {
        return true; // only that list says whether it concerns this server
    }
    if (epoch != known || !now_ || now_->is_ready) {
        return epoch > known;
    }
    // Without a link to this server, where it would have said that it has the list, it did not
    // wait.
    return now_->had_told.contains(from) || !is_said(known_, from, epoch);
}

std::uint64_t room_moves::told(std::string_view frontend) const {
    const auto at = told_by_.find(frontend);
    return at == told_by_.end() ? 0 : at->second;
}

bool room_moves::is_early(std::string_view from, std::uint64_t epoch, bool may_be_old) const {
    return may_be_old || !due_.empty() || has_no_list(from, epoch);
}

bool room_moves::is_outdated(std::string_view from, std::uint64_t epoch) const {
    if (epoch == 0 || epoch >= std::max(released_, last_told_)) {
        return false;
    }
    const auto later = told(from);
    // A list that is not known here may concern this server.
    const bool is_left = later > list_.told_epoch() || (later >= changed_ && changed_ > epoch);
    return epoch < released_ || (epoch < later && is_left);
}

void room_moves::keep_request(std::string_view from, std::uint64_t epoch, bool may_be_old,
                              std::size_t bytes, base::unique_function<void()> serve) {
    keep({may_be_old ? early::awaited::rest : early::awaited::list, std::string(from), epoch, bytes,
          std::move(serve)});
}

void room_moves::keep(early what) {
    if (!waits(what)) {
        ++due_since_;
        return due_.push_back(std::move(what)); // behind those that have waited
    }
    if (early_.empty()) {
        early_end_ = clock_.after(early_patience, [this] { serve_all(); });
    }
    early_bytes_ += what.bytes + sizeof(early);
    early_.push_back(std::move(what));
    if (early_bytes_ > early_limit) {
        serve_all();
    }
}

bool room_moves::waits(const early& what) const {
    switch (what.what) {
    case early::awaited::list:
        return has_no_list(what.from, what.epoch);
    case early::awaited::mirror:
        return is_ahead(what.from);
    default:
        return true;
    }
}

void room_moves::on_read_up(std::string_view from) {
    if (now_) {
        note_told(from);
    }
    for (auto& each : early_) {
        if (each.what == early::awaited::rest && each.from == from) {
            each.what = early::awaited::list;
        }
    }
    serve_early();
}

void room_moves::drop_unread(std::string_view from) {
    std::erase_if(early_, [&](const auto& each) {
        const bool is_unread = each.what == early::awaited::rest && each.from == from;
        early_bytes_ -= is_unread ? each.bytes + sizeof(early) : 0;
        return is_unread;
    });
}

/// What needs not wait any more is served.
void room_moves::serve_early() {
    std::deque<early> still;
    for (auto& each : std::exchange(early_, {})) {
        if (waits(each)) {
            still.push_back(std::move(each));
        } else {
            early_bytes_ -= each.bytes + sizeof(early);
            due_.push_back(std::move(each));
        }
    }
    early_ = std::move(still);
    if (early_.empty()) {
        early_end_.cancel();
    }
    if (!serving_.is_armed()) {
        serve_due();
    }
}

/// Whatever it waits for.
void room_moves::serve_all() {
    if (!early_.empty()) {
        base::log::warn("server",
                        "{} messages, {} bytes, have waited for a list that others follow: it has "
                        "not come here in time",
                        early_.size(), early_bytes_);
    }
    for (const auto& [id, epoch] : ready_) {
        turned_ = std::max(turned_, epoch);
    }
    std::ranges::move(std::exchange(early_, {}), std::back_inserter(due_));
    early_bytes_ = 0;
    serve_early();
}

void room_moves::serve_due() {
    // More than come meanwhile.
    for (auto n = served_in_a_turn + std::exchange(due_since_, 0); n > 0 && !due_.empty(); --n) {
        auto next = std::move(due_.front());
        due_.pop_front();
        next.serve();
    }
    if (!due_.empty()) {
        serving_ = clock_.after(base::duration::zero(), [this] { serve_due(); });
    }
}

void room_moves::turn(std::uint64_t epoch) {
    turned_ = std::max(turned_, epoch);
    serve_early();
}

bool room_moves::keeps_lost(const bus::peer& from, std::string_view bytes) {
    wire::reader in(bytes);
    const auto gone = wire::read_membership(in);
    if (!in.ok()) {
        return false;
    }
    const session_ref who{from.id, from.life, gone.session, std::string(gone.uid)};
    for (auto& coming : coming_) {
        const auto room = coming.second.find(gone.channel);
        if (room != coming.second.end() &&
            std::ranges::any_of(room->second.seats,
                                [&](const auto& each) { return same_session(each.ref, who); })) {
            room->second.lost.push_back({from, {who, gone.joined}});
            return true;
        }
    }
    return false;
}

} // namespace shaddock::server
