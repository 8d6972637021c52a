#pragma once

#include "request_id.hpp"

#include <shaddock/door.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What servers say to each other in the envelopes of the bus.
/// Form: fields in the order of the structs; integers little-endian; text as u32 length and bytes.
/// Both ends run the same version of the host (the hello of a link checks it). Errors: a decoder
/// answers false for bytes that do not fit; nothing is read past the end.
namespace shaddock::server::wire {

/// The kinds of envelopes. The numbers never change meaning.
enum class kind : std::uint8_t {
    // calls; `client_request` and `remote` are also cast (notify)
    client_request = 1,
    remote = 2,
    change_session = 3,
    find_sessions = 4,
    kick_uid = 5,
    // casts, owner of a channel -> frontend
    push_channel = 16,
    push_sessions = 17,
    broadcast = 18,
    join = 19,
    leave = 20,
    destroy_channel = 21,
    // casts, frontend -> owner of a channel
    member_lost = 22,
    roster = 23,
};

/// Appends fields to a string.
class writer {
public:
    explicit writer(std::string& out) : out_(out) {}
    void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void u32(std::uint32_t value) { integer(value); }
    void u64(std::uint64_t value) { integer(value); }
    void text(std::string_view value) {
        u32(static_cast<std::uint32_t>(value.size()));
        out_.append(value);
    }
    /// The last field: everything to the end.
    void rest(std::string_view value) { out_.append(value); }

private:
    template <class Integer>
    void integer(Integer value) {
        char bytes[sizeof(Integer)];
        for (std::size_t i = 0; i < sizeof(Integer); ++i) {
            bytes[i] = static_cast<char>(value >> (8 * i) & 0xff);
        }
        out_.append(bytes, sizeof(Integer));
    }
    std::string& out_;
};

/// Takes fields off bytes; after the first that does not fit every read answers zero or empty and
/// `ok` is false.
class reader {
public:
    explicit reader(std::string_view in) : in_(in) {}
    std::uint8_t u8() { return static_cast<std::uint8_t>(integer<std::uint8_t>()); }
    std::uint32_t u32() { return integer<std::uint32_t>(); }
    std::uint64_t u64() { return integer<std::uint64_t>(); }
    std::string_view text() { return take(u32()); }
    std::string_view rest() { return take(in_.size()); }
    bool ok() const { return ok_; }
    bool at_end() const { return in_.empty(); }

private:
    std::string_view take(std::size_t size) {
        if (size > in_.size()) {
            ok_ = false;
            in_ = {};
            return {};
        }
        const auto taken = in_.substr(0, size);
        in_.remove_prefix(size);
        return taken;
    }
    template <class Integer>
    Integer integer() {
        const auto bytes = take(sizeof(Integer));
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        }
        return static_cast<Integer>(value);
    }
    std::string_view in_;
    bool ok_ = true;
};

void write(writer& out, const session_ref& ref);
session_ref read_ref(reader& in);
void write(writer& out, const door::session_data& session);
/// Limits: 256 settings.
door::session_data read_session(reader& in);

/// A request of a client, or a call of a remote, with its body last.
struct request {
    std::string_view route;
    /// As which it is logged, on every server that it touches.
    request_id id;
    std::uint64_t contract = 0;
    /// Modules and versions of who calls, for people; only with a contract.
    std::string_view caller;
    bool has_session = false;
    door::session_data session;
    door::body_view body;
};
std::string encode(std::string_view route, const request_id& id, std::uint64_t contract,
                   const door::session_data* session, door::body_view body,
                   std::string_view caller = {});
bool decode(std::string_view in, request& out);

/// The answer of a request or remote: codec and bytes.
std::string encode_reply(const door::body& reply);
result<door::body> decode_reply(std::string_view in);

/// A session change: the session, then the change.
std::string encode(const session_ref& who, const door::session_change& change);
bool decode(std::string_view in, session_ref& who, door::session_change& change);

/// A push to some sessions of one frontend.
std::string encode_push(std::string_view route, door::body_view message,
                        std::span<const session_id> to);

/// One session's membership of one channel as its frontend keeps it.
struct membership {
    std::string_view channel;
    session_id session{};
    std::string_view uid;
    std::uint64_t joined = 0;
};
void write(writer& out, const membership& value);
membership read_membership(reader& in);

} // namespace shaddock::server::wire
