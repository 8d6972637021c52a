#pragma once

#include "line.hpp"

#include <shaddock/door.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::server {

class owned_channel;

/// The channels that this server owns, and what it knows of their members: kept true against the
/// frontends' mirrors. Thread: the loop.
class channel_store {
public:
    /// Called after the member was taken out; never from within a call into the store.
    using lost_callback = std::function<void(const std::string& channel, const door::member& gone)>;

    channel_store(line& to_frontends, lost_callback lost);
    ~channel_store();

    door::channel* find(std::string_view name);
    door::channel* create(std::string_view name);
    /// Takes all members out (the hook is not called).
    void destroy(std::string_view name);
    std::vector<std::string> names() const;
    std::size_t size() const { return channels_.size(); }
    std::size_t members() const;

    // what frontends report
    void on_link_up(const bus::peer& frontend);
    /// That life of the frontend is over: all its members are lost.
    void on_dead(const bus::peer& frontend);
    void on_member_lost(const bus::peer& from, std::string_view bytes);
    /// One chunk of a frontend's mirror of our channels; after the last the two are made equal.
    void on_roster(const bus::peer& from, std::string_view bytes);

private:
    friend class owned_channel;
    struct seat {
        std::string channel;
        session_id session{};
        std::string uid;
        std::uint64_t joined = 0;
    };
    /// What is known of one frontend in its present life.
    struct frontend_state {
        incarnation life{};
        /// Joins from here on are newer than the roster of the present link.
        std::uint64_t joins_before_link = 0;
        /// A roster was compared before: the next one's unknown seats are leaves that the frontend
        /// missed. Before the first one they are members that an earlier life of this server had:
        /// adopted.
        bool is_known = false;
        std::vector<seat> roster;
    };
    void compare(const bus::peer& frontend, frontend_state& state);
    void report(const std::vector<std::pair<std::string, door::member>>& gone);

    line& to_frontends_;
    lost_callback lost_;
    std::map<std::string, std::unique_ptr<owned_channel>, std::less<>> channels_;
    std::map<std::string, frontend_state, std::less<>> frontends_;
    /// Grows over all lives of this server: starts at the incarnation, so that adopted members sort
    /// before new ones.
    std::uint64_t next_join_;
};

} // namespace shaddock::server
