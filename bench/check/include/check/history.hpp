#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// What chat clients did and saw, and the rules that a correct server keeps it to.
/// Used twice: by shaddock-load on what its own clients recorded, by shaddock-history on log files.
namespace shaddock::bench {

/// One connection of one client. A user who leaves and comes back is two clients.
using client_id = std::uint32_t;
/// A user or room name, interned.
using name_id = std::uint32_t;
/// A chat message: its text, which is unique in a history.
using message_id = std::uint32_t;
/// Nanoseconds of one monotonic clock shared by all that recorded.
using nanoseconds = std::int64_t;

/// The target `*`: all members of the room.
inline constexpr name_id everyone = 0;
inline constexpr nanoseconds never = std::numeric_limits<nanoseconds>::max();

enum class event_kind : std::uint8_t {
    /// The connection is open (handshake done).
    connect,
    /// Requests, noted before they are sent. a = request id.
    query,
    /// b = room, c = user.
    enter,
    /// b = message, c = target.
    send,
    /// A good answer, noted when seen. a = request id, b = users list (0: none).
    ok,
    /// A refusal. a = request id, b = code.
    fail,
    /// Pushes, noted when seen. a = message, b = from, c = target.
    chat,
    /// a = user.
    add,
    leave,
    /// The client means to go; it keeps reading for a while and then closes.
    depart,
    /// The connection is gone; without `depart` before it: not wanted by the client.
    closed,
    /// a = reason, a name.
    kicked,
    /// Something that no correct server sends. a = what, a name.
    mangled,
};
inline constexpr std::size_t event_kinds = 13;

/// The word for an event in log files: `enter`, `ok`, `onChat`, ...
std::string_view to_string(event_kind kind);

/// One thing that a client did or saw; 24 bytes, because runs have millions.
struct event {
    nanoseconds t = 0;
    std::uint32_t client : 26 = 0;
    std::uint32_t kind_bits : 6 = 0;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;

    event_kind kind() const { return static_cast<event_kind>(kind_bits); }
};
static_assert(sizeof(event) <= 32);

/// All events of a run. Those of one client are in the order in which it saw them.
/// Limits: 2^26 clients, 2^32 messages and names. Thread: one.
class history {
public:
    history();

    /// `label` is for reports and log files.
    client_id add_client(std::string label);
    /// The id of a name; the same text gives the same id.
    name_id name(std::string_view text);
    /// A message nobody has recorded yet; the caller promises that the text is new.
    message_id new_message(std::string text);
    /// The id of a message text, known or not; for readers of logs.
    message_id message(std::string_view text);
    /// A users list of an enter's answer; 0 is "none".
    std::uint32_t users_list(std::vector<name_id> users);

    void note(nanoseconds t, client_id client, event_kind kind, std::uint32_t a = 0,
              std::uint32_t b = 0, std::uint32_t c = 0) {
        event noted;
        noted.t = t;
        noted.client = client & 0x3ffffff;
        noted.kind_bits = static_cast<std::uint32_t>(kind) & 0x3f;
        noted.a = a;
        noted.b = b;
        noted.c = c;
        events_.push_back(noted);
    }

    const std::vector<event>& events() const { return events_; }
    std::size_t clients() const { return labels_.size(); }
    std::size_t messages() const { return texts_.size(); }
    const std::string& label(client_id client) const { return labels_[client]; }
    const std::string& name_text(name_id id) const { return names_[id]; }
    const std::string& message_text(message_id id) const { return texts_[id]; }
    const std::vector<name_id>& users(std::uint32_t list) const { return lists_[list]; }

private:
    std::vector<event> events_;
    std::vector<std::string> labels_;
    std::vector<std::string> names_;
    std::vector<std::string> texts_;
    std::vector<std::vector<name_id>> lists_;
    std::unordered_map<std::string, name_id> name_ids_;
    std::unordered_map<std::string, message_id> message_ids_;
};

} // namespace shaddock::bench
