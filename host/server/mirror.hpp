#pragma once

#include "outgoing.hpp"
#include "sessions.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace shaddock::server {

/// One channel as this frontend sees it: which of its sessions are members. The owner tells the
/// rest.
struct mirrored_channel {
    struct entry {
        session* who = nullptr;
        std::string uid;
        std::uint64_t joined = 0;
    };
    std::string owner;
    std::string name;
    /// In order of joining.
    std::vector<entry> members;
};

/// Which of this frontend's sessions are in which channel of which owner. A push names the channel,
/// not the members. Thread: the loop. References stay valid until the channel's last member leaves.
class mirror {
public:
    void join(std::string_view owner, std::string_view channel, session& who, std::string_view uid,
              std::uint64_t joined);
    /// False when it was not a member.
    bool leave(std::string_view owner, std::string_view channel, session& who);
    void destroy(std::string_view owner, std::string_view channel);
    /// Takes a closed session out of all its channels and tells of each.
    void close(session& gone, const std::function<void(const mirrored_channel& of,
                                                       const mirrored_channel::entry&)>& left);
    /// All sessions leave all channels, and nothing is remembered.
    void clear();

    /// A member that was lost is remembered until its owner has acknowledged it, whatever
    /// incarnation that has by then. Limits: 100,000; what is over them is told once.
    void remember_lost(std::string_view owner, const wire::membership& gone);
    void forget_lost(std::string_view owner, std::string_view channel, session_id gone);
    /// As an encoded membership each.
    std::vector<std::string> lost_of(std::string_view owner) const;
    void forget_owner(std::string_view owner) { lost_.erase(std::string(owner)); }
    /// Null when no session of this frontend is in it.
    const mirrored_channel* find(std::string_view owner, std::string_view channel) const;
    /// The channel is another owner's from now on. What that one has told already stays.
    void move(std::string_view owner, std::string_view channel, std::string_view to);
    /// All channels of one owner that have members here.
    std::vector<const mirrored_channel*> of_owner(std::string_view owner) const;

private:
    struct key_hash {
        using is_transparent = void;
        std::size_t operator()(const std::pair<std::string_view, std::string_view>& key) const {
            return std::hash<std::string_view>()(key.first) * 31 +
                   std::hash<std::string_view>()(key.second);
        }
    };
    // The views of a key point into the channel's own strings.
    using key = std::pair<std::string_view, std::string_view>;
    void drop_if_empty(mirrored_channel& channel);
    mirrored_channel* get(std::string_view owner, std::string_view channel) const;

    std::unordered_map<key, std::unique_ptr<mirrored_channel>, key_hash> channels_;
    /// By owner and membership_key.
    std::map<std::string, std::unordered_map<std::string, std::string>, std::less<>> lost_;
};

} // namespace shaddock::server
