#pragma once

#include "client/connection.hpp"

#include <protocol/package.hpp>
#include <protocol/websocket.hpp>

#include <string>
#include <string_view>

namespace shaddock::client {

/// A client's half of both framings, on bytes: packages in and out of WebSocket frames or a plain
/// stream. Thread: the loop.
class framing {
public:
    /// What comes out of the server's bytes.
    class sink {
    public:
        virtual ~sink() = default;
        /// Packages may be put from now on. Once, also where nothing had to be agreed on.
        virtual void opened() = 0;
        /// `cut.body` is valid during the call. False: the caller is closed, no more of it.
        virtual bool package(const protocol::package_cut& cut) = 0;
        /// Bytes of the framing's own to send.
        virtual void reply(std::string_view bytes) = 0;
    };

    /// `host` as it goes into the Host field; keys and masks are random. `random` and `to` outlive
    /// the framing.
    framing(transport over, std::string host, base::random& random, sink& to);

    /// What is to be sent when the connection is there; for TCP nothing, and opened() is called.
    std::string start();
    /// Appends a package as it goes over the wire.
    void put(std::string& out, std::string_view package);
    /// Takes bytes as they come, cut anywhere. Errors: closed (a close frame), bad_request (what no
    /// correct server sends). Limits: a WebSocket message and a package of 16 MiB.
    result<void> take(std::string_view bytes);

private:
    result<void> take_frames();
    result<void> take_packages(std::string_view& from, bool is_whole);

    transport over_;
    std::string host_;
    sink& to_;
    base::random& random_;
    std::string key_;
    protocol::websocket_decoder decoder_;
    std::string in_;
    bool is_open_ = false;
    bool is_stopped_ = false;
};

} // namespace shaddock::client
