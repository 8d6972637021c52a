#pragma once

#include <shaddock/door.hpp>
#include <shaddock/json.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shaddock::testing {

/// A push that the plugin made, with its receivers of that moment.
struct sent_push {
    /// Empty for a push to sessions; `* <type>` for a broadcast.
    std::string channel;
    std::string route;
    std::string message;
    std::vector<session_ref> to;

    /// The receivers' uids in order.
    std::vector<std::string> uids() const {
        std::vector<std::string> all;
        for (const auto& one : to) {
            all.push_back(one.uid);
        }
        return all;
    }
    /// The message read as T. Throws the error of what does not fit.
    template <class T>
    T as() const {
        return json::decode<T>(message, route).value();
    }
};

/// A channel that keeps its promises (one entry per session and uid) and records pushes.
class fake_channel final : public door::channel {
public:
    /// `pushes`: where they are recorded. `refusal`: with what they are refused, if set. Both
    /// outlive it.
    fake_channel(std::string name, std::vector<sent_push>& pushes,
                 const std::optional<error>& refusal)
        : name_(std::move(name)), pushes_(&pushes), refusal_(&refusal) {}

    std::string_view name() const noexcept override { return name_; }
    std::span<const door::member> members() const noexcept override { return members_; }
    const door::member* find(std::string_view uid) const noexcept override {
        return pointer(
            std::ranges::find_if(members_, [&](const auto& one) { return one.ref.uid == uid; }));
    }
    const door::member* find(const session_ref& who) const noexcept override {
        return pointer(std::ranges::find_if(
            members_, [&](const auto& one) { return same_session(one.ref, who); }));
    }
    result<void> add(const session_ref& who) noexcept override {
        if (find(who) != nullptr || (!who.uid.empty() && find(who.uid) != nullptr)) {
            return error(errc::duplicate, who.uid + " is in " + name_ + " already");
        }
        members_.push_back({who, ++joins_});
        return {};
    }
    bool remove(const session_ref& who) noexcept override {
        return std::erase_if(members_,
                             [&](const auto& one) { return same_session(one.ref, who); }) > 0;
    }
    result<void> push(std::string_view route, door::body_view message) noexcept override {
        if (*refusal_) {
            return **refusal_;
        }
        std::vector<session_ref> to;
        for (const auto& one : members_) {
            to.push_back(one.ref);
        }
        pushes_->push_back({name_, std::string(route), std::string(message), std::move(to)});
        return {};
    }
    result<void> push_to(std::string_view route, door::body_view message,
                         std::span<const session_ref> to) noexcept override {
        if (*refusal_) {
            return **refusal_;
        }
        std::vector<session_ref> members;
        std::ranges::copy_if(to, std::back_inserter(members),
                             [&](const auto& one) { return find(one) != nullptr; });
        pushes_->push_back({name_, std::string(route), std::string(message), std::move(members)});
        return {};
    }

private:
    const door::member* pointer(std::vector<door::member>::const_iterator at) const {
        return at == members_.end() ? nullptr : &*at;
    }

    std::string name_;
    std::vector<sent_push>* pushes_;
    const std::optional<error>* refusal_;
    std::vector<door::member> members_;
    std::uint64_t joins_ = 0;
};

} // namespace shaddock::testing
