#pragma once

#include <protocol/message.hpp>
#include <protocol/protos.hpp>
#include <shaddock/error.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::client {

/// What a client and a frontend have agreed on in the handshake, and messages written and read by
/// it: route codes and the protobuf dialect. A value. Thread: any, unchanging.
class agreement {
public:
    /// `body`: a server's handshake answer. Errors: refused (another code than 200), bad_request
    /// (no handshake answer; protos that cannot be read).
    static result<agreement> parse(std::string_view body);

    /// 0: no heartbeats.
    std::uint32_t heartbeat_s() const { return heartbeat_s_; }
    /// The dictionary; empty when the frontend has none. Of a route with two codes the one that is
    /// sent.
    const std::map<std::string, std::uint16_t, std::less<>>& dictionary() const { return codes_; }
    const std::string& dictionary_version() const { return dictionary_version_; }
    /// Routes whose pushes or answers, and whose requests, are in the protobuf dialect.
    const std::vector<std::string>& server_protos() const { return server_routes_; }
    const std::vector<std::string>& client_protos() const { return client_routes_; }
    const std::string& protos_version() const { return protos_version_; }
    /// What the application's hook gave, as JSON; empty: nothing.
    const std::string& user() const { return user_; }

    /// Appends a request (`id` > 0) or a notify (0) as a whole package. `body` is JSON.
    /// Errors: bad_request: the route is over 255 bytes, or the body does not fit its proto.
    result<void> append_package(std::string& out, std::uint32_t id, std::string_view route,
                                std::string_view body) const;
    /// The body of an answer to `route` as JSON. Errors: bad_request.
    result<std::string> read_answer(std::string_view route, std::string_view body) const;

    struct push {
        std::string route;
        /// JSON.
        std::string body;
    };
    /// Errors: bad_request: a code without a route, a body that its proto cannot read.
    result<push> read_push(const protocol::message& said) const;

private:
    std::uint32_t heartbeat_s_ = 0;
    std::map<std::string, std::uint16_t, std::less<>> codes_;
    std::map<std::uint16_t, std::string> routes_;
    std::string dictionary_version_;
    protocol::proto_set server_;
    protocol::proto_set client_;
    std::vector<std::string> server_routes_;
    std::vector<std::string> client_routes_;
    std::string protos_version_;
    std::string user_;
};

} // namespace shaddock::client
