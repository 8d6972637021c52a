#pragma once

#include "net/listener.hpp"
#include "protocol/dictionary.hpp"
#include "protocol/message.hpp"
#include "protocol/protos.hpp"
#include "protocol/signature.hpp"

#include <shaddock/door.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace shaddock::server {

/// What one client was told in its handshake, and what it told. It holds as long as the connection:
/// proto files that change meanwhile are for those who come later.
struct agreement {
    /// Null: all bodies are JSON.
    std::shared_ptr<const protocol::protos> protos;
    /// Set: every body is signed with it.
    std::optional<protocol::client_key> key;
};

/// A client's message on its way to a handler.
struct client_request {
    /// 0: a notify, never answered.
    std::uint32_t id = 0;
    /// Empty: it had a code that is not in the dictionary.
    std::string_view route;
    /// JSON. Views into the message, or into `decoded`.
    door::body_view body;
    /// Why it must not reach a handler although its id is known: an unknown code, a body in the
    /// dialect that cannot be read, a signature that is missing or wrong.
    std::optional<error> refused;
    /// Whether it is the body in the dialect.
    bool is_misread = false;
    std::string decoded;
};

/// The messages that a frontend and its clients exchange: route codes, bodies in the protobuf
/// dialect, signatures. Bodies are JSON on this side of it. Thread: the loop.
class client_codec {
public:
    /// `dictionary` may be null: routes are text.
    explicit client_codec(std::shared_ptr<const protocol::route_dictionary> dictionary)
        : dictionary_(std::move(dictionary)) {}

    const protocol::route_dictionary* dictionary() const { return dictionary_.get(); }

    /// Reads a request or notify into `into`. Views into `message` and `into`.
    void read(const protocol::message& message, const agreement& agreed,
              client_request& into) const;

    /// Replaces `package` by the data package of a response. `route`: of its request.
    void write_response(std::string& package, const agreement& agreed, std::uint32_t id,
                        std::string_view route, const result<door::body>& outcome) const;

    /// Replaces `package` by the data package of a push, its body by `proto` unless that is null.
    /// Errors: it does not fit a package, or its route is too long.
    result<void> write_push(std::string& package, const protocol::proto_message* proto,
                            std::string_view route, door::body_view body) const;

private:
    std::string_view outgoing_body(const protocol::proto_message* proto, std::string_view route,
                                   door::body_view body, std::string& dialect) const;

    std::shared_ptr<const protocol::route_dictionary> dictionary_;
    /// How often what was sent did not fit the route's proto. Told the 1st, 10th, 100th, ... time:
    /// a client can cause it with every request.
    mutable std::unordered_map<std::string, std::uint64_t> misfits_;
};

/// One push in the forms that its receivers read: each made once, however many there are.
/// Lifetime: of one push; `route` and `body` must outlive it.
class push_forms {
public:
    /// `scratch` is memory to encode in.
    push_forms(const client_codec& codec, std::string_view route, door::body_view body,
               std::string& scratch)
        : codec_(codec), route_(route), body_(body), scratch_(scratch) {}

    /// Null when it cannot be sent at all; then it was logged, once.
    const net::encoded_package* form_for(const agreement& agreed);

private:
    struct form {
        const protocol::proto_message* proto;
        std::optional<net::encoded_package> made;
    };

    const client_codec& codec_;
    std::string_view route_;
    door::body_view body_;
    std::string& scratch_;
    /// Whose form was asked for last: mostly everybody was told the same.
    const protocol::protos* last_protos_ = nullptr;
    const form* last_ = nullptr;
    std::list<form> forms_;
};

} // namespace shaddock::server
