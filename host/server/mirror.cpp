#include "mirror.hpp"

#include <algorithm>

namespace shaddock::server {

namespace {

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

void mirror::close(session& gone,
                   const std::function<void(const std::string&, const std::string&)>& left) {
    const auto channels = std::move(gone.channels);
    gone.channels.clear();
    for (auto* channel : channels) {
        channel->members.erase(entry_of(*channel, gone));
        left(channel->owner, channel->name);
        drop_if_empty(*channel);
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
