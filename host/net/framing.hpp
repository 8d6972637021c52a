#pragma once

#include <net/listener.hpp>
#include <protocol/websocket.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace shaddock::net {

/// What a framing found at the front of the bytes, in the words of WebSocket, which has more of
/// them: where packages travel as they are, each is a binary message. A message holds whole
/// packages, at least one; anything else in it is malformed.
using framing_event = protocol::websocket_event;
using protocol::websocket_event_kind;

/// How packages travel on one connection: no I/O and no package rules. Below it is a stream.
/// Thread: the loop.
class framing {
public:
    virtual ~framing() = default;

    /// The next event at the front of `data[0..size)`; may change the bytes (unmasking).
    virtual framing_event next(char* data, std::size_t size) = 0;
    /// Bytes of the frame at the front of what a client has sent, not checked; 0: too little of
    /// it is there.
    virtual std::size_t front_bytes(std::string_view sent) const = 0;
    /// Bytes of an unfinished message that it keeps.
    virtual std::size_t kept_bytes() const = 0;
    /// Appends what goes before a package of `package_bytes`, head included; the package follows.
    virtual void begin_package(std::string& out, std::size_t package_bytes) const = 0;
    /// The part of a package made for all framings that travels on this one.
    virtual std::string_view form_of(const encoded_package& made) const = 0;
    virtual void append_pong(std::string& out, std::string_view payload) const = 0;
    /// The framing's goodbye, if it has one.
    virtual void append_close(std::string& out, std::uint16_t code,
                              std::string_view reason) const = 0;
    /// Bytes of the frame at the front of our own queue.
    virtual std::size_t frame_bytes(std::string_view queued) const = 0;
};

/// Pomelo packages in WebSocket messages, binary or text (checked to be UTF-8, then treated the
/// same), after the HTTP upgrade. `package_limit`: longest package body.
std::unique_ptr<framing> make_websocket_framing(std::size_t package_limit);

/// Pomelo packages as they are, one after the other. `package_limit`: longest package body.
std::unique_ptr<framing> make_package_framing(std::size_t package_limit);

} // namespace shaddock::net
