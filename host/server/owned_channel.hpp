#pragma once

#include "channels.hpp"

#include <algorithm>
#include <unordered_map>

namespace shaddock::server {

/// Members in order of joining, where they are by session and by uid, and how many are on each
/// frontend.
class owned_channel final : public door::channel {
public:
    owned_channel(channel_store& store, std::string_view name)
        : store_(store), name_(name), flow_(flow_of_channel(name)) {}

    std::string_view name() const noexcept override { return name_; }
    std::span<const door::member> members() const noexcept override { return members_; }

    const door::member* find(std::string_view uid) const noexcept override {
        return find_in(by_uid_, hash_of(uid),
                       [&](const door::member& each) { return each.ref.uid == uid; });
    }

    const door::member* find(const session_ref& session) const noexcept override {
        return find_in(by_session_, hash_of(session),
                       [&](const door::member& each) { return same_session(each.ref, session); });
    }

    result<void> add(const session_ref& session) noexcept override;
    bool remove(const session_ref& session) noexcept override;
    result<void> push(std::string_view route, door::body_view message) noexcept override;
    result<void> push_to(std::string_view route, door::body_view message,
                         std::span<const session_ref> to) noexcept override;
    std::vector<door::member> release();
    /// Keeps the order of joining.
    error fenced() const;
    void insert(door::member added);
    door::member take(std::ptrdiff_t index);
    /// Backwards.
    template <class Is, class To>
    void take_all(Is is, To to) {
        for (auto i = static_cast<std::ptrdiff_t>(members_.size()) - 1; i >= 0; --i) {
            if (is(members_[static_cast<std::size_t>(i)])) {
                to(take(i));
            }
        }
    }

    /// `how`: as wire::leave_and_kick. `joined`: that of the member; 0: it is none.
    void tell_leave(const session_ref& session, std::uint8_t how = 0, std::uint64_t joined = 0);
    void tell_destroyed();
    /// Members who joined before that may have come with the channel. Who had left by then was
    /// announced by the owner before.
    std::uint64_t came_before = 0;

private:
    struct frontend_group {
        std::string frontend;
        std::size_t members = 0;
    };
    /// From a hash to when those with it have joined, which tells their places. So a leave, which
    /// moves all who came later, changes nothing in it.
    using places = std::unordered_multimap<std::size_t, std::uint64_t>;

    static std::size_t hash_of(std::string_view uid) { return std::hash<std::string_view>()(uid); }
    static std::size_t hash_of(const session_ref& session) {
        return (hash_of(std::string_view(session.frontend)) ^ number(session.life)) +
               number(session.id);
    }
    template <class Is>
    const door::member* find_in(const places& where, std::size_t hash, Is is) const {
        const auto [first, last] = where.equal_range(hash);
        for (auto each = first; each != last; ++each) {
            auto at =
                std::lower_bound(members_.begin(), members_.end(), each->second,
                                 [](const auto& m, auto joined) { return m.joined < joined; });
            // Two have joined at the same time only if a frontend says so.
            for (; at != members_.end() && at->joined == each->second; ++at) {
                if (is(*at)) {
                    return &*at;
                }
            }
        }
        return nullptr;
    }
    static void forget(places& where, std::size_t hash, std::uint64_t joined) {
        const auto [first, last] = where.equal_range(hash);
        const auto named =
            std::find_if(first, last, [&](const auto& each) { return each.second == joined; });
        if (named != last) {
            where.erase(named);
        }
    }

    channel_store& store_;
    std::string name_;
    std::uint64_t flow_;
    bool is_released_ = false;
    std::vector<door::member> members_;
    places by_session_;
    places by_uid_;
    std::vector<frontend_group> groups_;
};

} // namespace shaddock::server
