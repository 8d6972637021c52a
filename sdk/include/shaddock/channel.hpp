#pragma once

#include <shaddock/door.hpp>
#include <shaddock/json.hpp>
#include <shaddock/session.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock {

using member = door::member;

/// A room of members, owned by this server: a handle, cheap to copy. Valid until the channel is
/// destroyed.
class channel {
public:
    explicit channel(door::channel& target) : target_(&target) {}

    std::string_view name() const { return target_->name(); }
    /// In order of joining; valid until the channel changes.
    std::span<const member> members() const { return target_->members(); }
    std::size_t size() const { return members().size(); }
    bool empty() const { return members().empty(); }
    /// Null when there is none.
    const member* find(std::string_view uid) const { return target_->find(uid); }
    const member* find(const session_ref& who) const { return target_->find(who); }

    /// Adds at the end, under `who.uid`. Errors: duplicate (this session, or the uid from any
    /// frontend), closed, recovering (the members of an earlier life are not all known yet). Who closes meanwhile comes back through on_member_lost.
    result<void> add(const session_ref& who) { return target_->add(who); }
    /// False when it was not a member.
    bool remove(const session_ref& who) { return target_->remove(who); }

    /// To all members of this moment. The message is written once, whatever their number.
    /// Error: overloaded; then nobody gets it. Return it, so that the client is answered 500.
    template <class T>
    result<void> push(std::string_view route, const T& message) {
        const auto text = json::encode(message);
        return target_->push(route, text);
    }
    /// To these members only; who is not a member is left out. Error: as push.
    template <class T>
    result<void> push_to(std::string_view route, const T& message,
                         std::span<const session_ref> to) {
        const auto text = json::encode(message);
        return target_->push_to(route, text, to);
    }
    template <class T>
    result<void> push_to(std::string_view route, const T& message, const session_ref& to) {
        return push_to(route, message, std::span(&to, 1));
    }

private:
    door::channel* target_;
};

/// The channels of this server.
class channel_service {
public:
    explicit channel_service(door::host& host) : host_(&host) {}

    std::optional<channel> find(std::string_view name) const {
        auto* found = host_->find_channel(name);
        return found == nullptr ? std::nullopt : std::optional<channel>(*found);
    }
    /// The existing one, or a new one.
    channel create(std::string_view name) { return channel(*host_->create_channel(name)); }
    void destroy(std::string_view name) { host_->destroy_channel(name); }
    std::vector<std::string> names() const { return host_->channel_names(); }

private:
    door::host* host_;
};

} // namespace shaddock
