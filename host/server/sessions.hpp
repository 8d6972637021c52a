#pragma once

#include "net/listener.hpp"

#include <shaddock/door.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace shaddock::server {

struct agreement;
struct mirrored_channel;

/// A client that has shaken hands, with its binding and settings. The frontend owns the truth about
/// it. It has an id of its own, not that of its connection.
struct session {
    net::connection* link = nullptr;
    /// What its handshake led to; belongs to `link`.
    const agreement* agreed = nullptr;
    /// Replaced as a whole on each change, so that requests in flight keep the snapshot they began
    /// with. Never null.
    std::shared_ptr<const door::session_data> data;
    /// The channels it is in, wherever their owners are (mirror.hpp keeps both sides).
    std::vector<mirrored_channel*> channels;
    std::size_t requests_in_flight = 0;

    session_id id() const { return data->ref.id; }
};

/// All sessions of a frontend, by id and by uid. Thread: the loop.
class session_store {
public:
    session_store(std::string frontend, incarnation life);

    /// Sessions that are open keep the incarnation that they have, and are found by their id only.
    void live_anew(incarnation life) { life_ = life; }
    /// With the next id.
    session& open(net::connection& link);
    void close(session& gone);
    session* find(session_id id) const;
    /// Null when it is gone or `who` belongs to another frontend or an earlier life of this one.
    session* find(const session_ref& who) const;
    std::vector<session*> of_uid(std::string_view uid) const;
    std::size_t size() const { return by_id_.size(); }
    const std::unordered_map<session_id, std::unique_ptr<session>>& all() const { return by_id_; }

    /// Errors: duplicate when bound to another uid; bad_request for an empty uid.
    result<void> bind(session& which, std::string_view uid);
    void unbind(session& which);
    /// Replaces whatever uid is bound.
    result<void> rebind(session& which, std::string_view uid);
    /// Limits: 256 keys, 64 KiB of keys and values; errors: overloaded.
    result<void> set(session& which, const std::vector<door::setting>& settings);

private:
    void replace_uid(session& which, std::string_view uid);

    std::string frontend_;
    incarnation life_;
    std::uint64_t last_id_ = 0;
    std::unordered_map<session_id, std::unique_ptr<session>> by_id_;
    std::unordered_multimap<std::string, session*> by_uid_;
};

} // namespace shaddock::server
