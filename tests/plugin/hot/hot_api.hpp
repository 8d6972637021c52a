#pragma once

#include <shaddock/app.hpp>

#include <cstdint>
#include <string>

/// A chat of stamps, for the proof of reload: every answer and every push says which code made it.
/// The same two types (connector, chat) are built three times, from one/, two/ and three/ beside
/// this file: other tables, other objects, other ways to answer.
namespace hot {

/// Who made this: the server and its life, the module's version, and which generation it is
/// (counted by the plugin itself, in a state that crosses each reload). `proof` is a number that
/// this build's code and table alone give for the request's `n`.
struct stamp {
    std::string server;
    std::string life;
    std::string version;
    std::uint64_t generation = 0;
    std::uint32_t proof = 0;
};
BOOST_DESCRIBE_STRUCT(stamp, (), (server, life, version, generation, proof))

/// `n` numbers the requests of a client; `ms` is for `wait`.
struct request {
    std::uint32_t n = 0;
    std::uint32_t ms = 0;
};
BOOST_DESCRIBE_STRUCT(request, (), (n, ms))

/// `taken` was made when the request was accepted, `given` when it was answered. `seq`: of the
/// message in its room (say). `asked`: of the chat server that was asked (relay).
struct reply {
    stamp taken;
    stamp given;
    std::uint64_t seq = 0;
    std::optional<stamp> asked;
};
BOOST_DESCRIBE_STRUCT(reply, (), (taken, given, seq, asked))

/// The push onSaid. Messages of a room count from 1, in every generation on from the one before.
struct said {
    std::string from;
    std::uint32_t n = 0;
    std::uint64_t seq = 0;
    stamp by;
};
BOOST_DESCRIBE_STRUCT(said, (), (from, n, seq, by))

/// Both are routed by the room.
inline constexpr shaddock::remote_method<bool(shaddock::session_ref who, std::string room)> join{
    "chat.hotRemote.join"};
inline constexpr shaddock::remote_method<stamp(std::uint32_t n)> ask{"chat.hotRemote.ask"};

} // namespace hot
