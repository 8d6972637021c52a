#pragma once

#include <shaddock/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock::protocol {

/// Deepest nesting of objects and arrays in a client's handshake.
inline constexpr int max_handshake_depth = 32;

/// What a client says of itself in its handshake package.
struct handshake_request {
    /// `sys.type`, e.g. "js-websocket"; empty when absent or no string.
    std::string client_type;
    /// `sys.version`; empty when absent or no string.
    std::string client_version;
    /// `sys.protoVersion`: the protos that the client has cached. None when absent or no string
    /// (`0`).
    std::optional<std::string> proto_version;
    /// `sys.dictVersion`: the dictionary that the client has cached. None when absent or no string.
    std::optional<std::string> dict_version;
    /// `sys.rsa` as raw JSON text; empty when absent.
    std::string rsa;
    /// `user` as raw JSON text, exactly as the client wrote it; empty when absent.
    std::string user;
};

/// Reads the body of a handshake package.
/// Form: `{"sys":{"type":..,"version":..,"rsa":{},"protoVersion":..,"dictVersion":..},"user":..}`,
/// order free, further keys ignored, of a doubled key the last one counts. Errors: bad_request
/// (answer handshake_failure(500), close) for an empty body, no JSON, nesting over
/// max_handshake_depth, `sys` missing or no object. Strings are not checked to be UTF-8. Thread:
/// any.
result<handshake_request> parse_handshake_request(std::string_view body);

/// The dictionary as a handshake response carries it: all three parts or nothing (libpomelo2 aborts
/// otherwise). Views used only during the call.
struct handshake_dictionary {
    /// `{"chat.chatHandler.send":1,...}`, raw JSON; goes out as `dict` and as `routeToCode`.
    std::string_view route_to_code;
    /// `{"1":"chat.chatHandler.send",...}`, raw JSON.
    std::string_view code_to_route;
    std::string_view version;
};

/// The protos as a handshake response carries them: all three parts or nothing.
struct handshake_protos {
    /// Raw JSON of the parsed form, server to client and client to server.
    std::string_view server;
    std::string_view client;
    /// May be empty, is always sent.
    std::string_view version;
};

/// What a successful handshake tells the client.
struct handshake_response {
    /// 0: no heartbeats (the key is absent).
    std::uint32_t heartbeat_s = 0;
    /// Whether routes may be codes; `dictionary` only if the client does not have this version.
    bool use_dict = false;
    std::optional<handshake_dictionary> dictionary;
    /// Whether bodies may be protobuf; `protos` only if the client does not have this version.
    bool use_proto = false;
    std::optional<handshake_protos> protos;
    /// What the application's hook returned, raw JSON; empty: the key is absent.
    std::string_view user;
};

/// The body of a handshake response, keys in the original's order:
/// `{"code":200,"sys":{"heartbeat":..,"dict":..,"routeToCode":..,"codeToRoute":..,"dictVersion":..,"useDict":true,
/// "protos":{"server":..,"client":..,"version":..},"useProto":true},"user":..}`. Thread: any.
std::string handshake_success(const handshake_response& response);

/// The body of a refusal: `{"code":500}`; 501 = the client is too old. Close after sending it.
std::string handshake_failure(int code);

/// A client's handshake body, keys in the JS client's order; empty or absent members are left out
/// (`rsa` is then `{}`).
std::string handshake_request_body(const handshake_request& request);

} // namespace shaddock::protocol
