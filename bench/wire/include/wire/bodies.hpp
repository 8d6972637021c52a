#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The client's half of what stands in packages: JSON bodies, and the protobuf dialect as far as
/// the chat's pushes need it (messages of strings).
namespace shaddock::bench {

/// Field tag to name, for one push route.
using push_proto = std::map<std::uint32_t, std::string>;

/// What a server's handshake answer tells a client.
struct handshake_reply {
    int code = 0;
    /// 0: no heartbeats.
    std::uint32_t heartbeat_s = 0;
    std::map<std::string, std::uint16_t, std::less<>> route_to_code;
    std::map<std::uint16_t, std::string> code_to_route;
    std::map<std::string, push_proto, std::less<>> protos;
    /// Why this client cannot go on with this server; empty: it can.
    std::string problem;
};
handshake_reply parse_handshake_reply(std::string_view body);

/// The members of the chat's pushes; those that a push does not have stay empty.
struct push_fields {
    std::string msg;
    std::string from;
    std::string target;
    std::string user;
};
/// Reads a push body; as JSON without a proto. None when it is malformed or has a member of another
/// type.
std::optional<push_fields> parse_push(std::string_view body, const push_proto* proto);

/// An answer: of send `{}`, of enter `{"users":[..]}`, of queryEntry `{"code":200,"host","port"}`,
/// or a refusal `{"code":500,..}`.
struct answer {
    /// 0 when the answer has no code.
    int code = 0;
    bool has_users = false;
    std::vector<std::string> users;
    std::string host;
    std::uint16_t port = 0;

    bool is_ok() const { return code == 0 || code == 200; }
};
/// None when it is not a JSON object, or a member has another type than said above.
std::optional<answer> parse_answer(std::string_view body);

/// The reason in a kick's body, or the body itself.
std::string parse_kick(std::string_view body);

std::string query_body(std::string_view uid);
std::string enter_body(std::string_view username, std::string_view rid);
/// `content` and `target` need no escaping: the generator makes them.
void append_send_body(std::string& out, std::string_view rid, std::string_view content,
                      std::string_view from, std::string_view target);

} // namespace shaddock::bench
