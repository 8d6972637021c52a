#pragma once

#include <shaddock/door.hpp>
#include <shaddock/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shaddock::testing {

/// A change of a session that the plugin asked for.
struct sent_change {
    session_ref who;
    door::session_change change;
};

/// A session for tests.
inline door::session_data make_session(std::uint64_t id, std::string uid = {},
                                       std::vector<door::setting> settings = {},
                                       std::string frontend = "connector-server-1") {
    return {{.frontend = std::move(frontend),
             .life = incarnation{1},
             .id = session_id{id},
             .uid = std::move(uid)},
            std::move(settings)};
}

/// The clients of a test: what frontends would know of their sessions. What a plugin binds, pushes
/// and kicks is carried out here. A session that was never connected may be changed too: nothing
/// comes of it but the record in `fake_host::changes`.
class fake_clients {
public:
    /// Connects a client, or gives one that is connected other settings.
    void connect(door::session_data who) {
        std::erase_if(gone_, [&](const auto& one) { return same_session(one, who.ref); });
        if (auto* known = pointer(who.ref)) {
            *known = std::move(who);
        } else {
            connected_.push_back(std::move(who));
        }
    }
    /// The client goes: what is asked of its session from now on is answered `closed`.
    void close(const session_ref& who) {
        std::erase_if(connected_, [&](const auto& one) { return same_session(one.ref, who); });
        gone_.push_back(who);
    }
    /// The session as it is now; null when it is not connected. Valid until the clients change.
    const door::session_data* find_now(const session_ref& who) const {
        const auto found = std::ranges::find_if(
            connected_, [&](const auto& one) { return same_session(one.ref, who); });
        return found == connected_.end() ? nullptr : &*found;
    }

    // ---- what the fake host asks
    result<void> change(const sent_change& asked) {
        if (std::ranges::any_of(gone_,
                                [&](const auto& one) { return same_session(one, asked.who); })) {
            return error(errc::closed, "the client has gone");
        }
        auto* session = pointer(asked.who);
        return session == nullptr ? result<void>() : carry_out(*session, asked.change);
    }
    /// `[{"ref":{..},"settings":{..}}]`: by uid when the id is 0.
    std::string find(const session_ref& who) const {
        std::string out;
        for (const auto& one : connected_) {
            const bool is_wanted = who.id == session_id{}
                                       ? one.ref.frontend == who.frontend && one.ref.uid == who.uid
                                       : same_session(one.ref, who);
            if (is_wanted) {
                out += (out.empty() ? "" : ",") + to_json(one);
            }
        }
        return "[" + out + "]";
    }
    /// Closes all sessions of the uid; their number.
    std::size_t kick(std::string_view uid) {
        const auto before = connected_.size();
        for (const auto& one : std::vector(connected_)) {
            if (one.ref.uid == uid) {
                close(one.ref);
            }
        }
        return before - connected_.size();
    }
    /// Those of one frontend, of all uids when it is empty.
    std::vector<session_ref> of_frontend(std::string_view frontend, std::string_view uid) const {
        std::vector<session_ref> found;
        for (const auto& one : connected_) {
            if (one.ref.frontend == frontend && (uid.empty() || one.ref.uid == uid)) {
                found.push_back(one.ref);
            }
        }
        return found;
    }

private:
    door::session_data* pointer(const session_ref& who) {
        const auto found = std::ranges::find_if(
            connected_, [&](const auto& one) { return same_session(one.ref, who); });
        return found == connected_.end() ? nullptr : &*found;
    }
    result<void> carry_out(door::session_data& session, const door::session_change& change) {
        using kind = door::session_change::kind;
        switch (change.what) {
        case kind::bind:
            if (!session.ref.uid.empty() && session.ref.uid != change.uid) {
                return error(errc::duplicate, "bound to " + session.ref.uid + " already");
            }
            session.ref.uid = change.uid;
            break;
        case kind::rebind:
            session.ref.uid = change.uid;
            break;
        case kind::unbind:
            session.ref.uid.clear();
            break;
        case kind::push:
            for (const auto& each : change.settings) {
                set(session, each);
            }
            break;
        case kind::kick:
            close(session_ref(session.ref));
            break;
        }
        return {};
    }
    static void set(door::session_data& session, const door::setting& given) {
        const auto found = std::ranges::find(session.settings, given.key, &door::setting::key);
        if (found == session.settings.end()) {
            session.settings.push_back(given);
        } else {
            found->json = given.json;
        }
    }
    static std::string to_json(const door::session_data& session) {
        std::string settings;
        for (const auto& each : session.settings) {
            settings += (settings.empty() ? "" : ",") + json::encode(each.key) + ":" + each.json;
        }
        return R"({"ref":)" + json::encode(session.ref) + R"(,"settings":{)" + settings + "}}";
    }

    std::vector<door::session_data> connected_;
    std::vector<session_ref> gone_;
};

} // namespace shaddock::testing
