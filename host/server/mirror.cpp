#include "mirror.hpp"

#include <algorithm>

namespace shaddock::server {

namespace {

/// Members that were lost, of one owner.
constexpr std::size_t lost_limit = 100'000;

auto entry_of(mirrored_channel& channel, const session& who) {
    return std::find_if(channel.members.begin(), channel.members.end(),
                        [&](const auto& each) { return each.who == &who; });
}

} // namespace

mirrored_channel* mirror::get(std::string_view owner, std::string_view channel) const {
    const auto at = channels_.find(key{owner, channel});
    return at == channels_.end() ? nullptr : at->second.get();
}

const mirrored_channel* mirror::find(std::string_view owner, std::string_view channel) const {
    return get(owner, channel);
}

void mirror::join(std::string_view owner, std::string_view channel, session& who,
                  std::string_view uid, std::uint64_t joined) {
    auto* found = get(owner, channel);
    if (found == nullptr) {
        auto made = std::make_unique<mirrored_channel>();
        made->owner = owner;
        made->name = channel;
        found = made.get();
        channels_.emplace(key{made->owner, made->name}, std::move(made));
    }
    if (const auto at = entry_of(*found, who); at != found->members.end()) {
        at->uid = uid;
        at->joined = joined;
        return;
    }
    found->members.push_back({&who, std::string(uid), joined});
    who.channels.push_back(found);
}

bool mirror::leave(std::string_view owner, std::string_view channel, session& who) {
    auto* found = get(owner, channel);
    if (found == nullptr) {
        return false;
    }
    const auto at = entry_of(*found, who);
    if (at == found->members.end()) {
        return false;
    }
    found->members.erase(at);
    std::erase(who.channels, found);
    drop_if_empty(*found);
    return true;
}

void mirror::destroy(std::string_view owner, std::string_view channel) {
    auto* found = get(owner, channel);
    if (found == nullptr) {
        return;
    }
    for (const auto& each : found->members) {
        std::erase(each.who->channels, found);
    }
    found->members.clear();
    drop_if_empty(*found);
}

void mirror::close(
    session& gone,
    const std::function<void(const mirrored_channel&, const mirrored_channel::entry&)>& left) {
    const auto channels = std::move(gone.channels);
    gone.channels.clear();
    for (auto* channel : channels) {
        const auto at = entry_of(*channel, gone);
        const auto entry = std::move(*at);
        channel->members.erase(at);
        left(*channel, entry);
        drop_if_empty(*channel);
    }
}

void mirror::clear() {
    for (const auto& [name, channel] : channels_) {
        for (const auto& each : channel->members) {
            each.who->channels.clear();
        }
    }
    channels_.clear();
    lost_.clear();
}

void mirror::remember_lost(std::string_view owner, const wire::membership& gone) {
    auto& lost = lost_[std::string(owner)];
    if (lost.size() < lost_limit) {
        lost[membership_key(gone.channel, gone.session)] = wire::encoded(gone);
    }
}

void mirror::forget_lost(std::string_view owner, std::string_view channel, session_id gone) {
    const auto at = lost_.find(owner);
    if (at != lost_.end() && at->second.erase(membership_key(channel, gone)) != 0 &&
        at->second.empty()) {
        lost_.erase(at);
    }
}

std::vector<std::string> mirror::lost_of(std::string_view owner) const {
    std::vector<std::string> found;
    if (const auto at = lost_.find(owner); at != lost_.end()) {
        for (const auto& [place, gone] : at->second) {
            found.push_back(gone);
        }
    }
    return found;
}

void mirror::move(std::string_view owner, std::string_view channel, std::string_view to) {
    auto node = channels_.extract(key{owner, channel});
    if (!node) {
        return;
    }
    const auto moved = std::move(node.mapped());
    for (const auto& each : moved->members) {
        std::erase(each.who->channels, moved.get());
        const auto* there = get(to, channel);
        if (there == nullptr || std::ranges::none_of(there->members, [&](const auto& m) {
                return m.who == each.who;
            })) {
            join(to, moved->name, *each.who, each.uid, each.joined);
        }
    }
}

std::vector<const mirrored_channel*> mirror::of_owner(std::string_view owner) const {
    std::vector<const mirrored_channel*> found;
    for (const auto& [name, channel] : channels_) {
        if (name.first == owner) {
            found.push_back(channel.get());
        }
    }
    return found;
}

void mirror::drop_if_empty(mirrored_channel& channel) {
    if (channel.members.empty()) {
        // The key's views die with the channel: erase by iterator, not by key.
        channels_.erase(channels_.find(key{channel.owner, channel.name}));
    }
}

} // namespace shaddock::server
