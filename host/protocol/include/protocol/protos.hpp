#pragma once

#include <protocol/handshake.hpp>

#include <shaddock/error.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Proto files: which routes have bodies in the protobuf dialect, and their fields.
namespace shaddock::protocol {

/// The fields of one message; only protobuf.hpp looks inside.
class proto_message;

/// What is wrong in a proto file.
struct proto_complaint {
    /// Where, as a JSON pointer (RFC 6901): `/onChat/required uInt64 at`; empty: the whole file.
    std::string path;
    /// `found <x>, expected <y>`.
    std::string text;
};

/// One proto file (serverProtos.json or clientProtos.json), parsed. A value; copies share.
/// Thread: any, unchanging.
class proto_set {
public:
    /// No routes.
    proto_set();

    /// Form: `{"<route>":{"<option> <type> <field>":<tag>,"message <Name>":{..}},"message
    /// <Shared>":{..}}`; option: required, optional, repeated; type: uInt32, sInt32, int32, float,
    /// double, string or a message's name, looked up in the enclosing message, then at top level.
    /// As the original: keys of another number of words are skipped, a field whose tag is taken is
    /// dropped, of two fields with one name the last counts. Refused: not JSON, messages deeper
    /// than 64 levels, no object, an unknown option or type (uInt64, bool, ...; the original writes
    /// only a tag for them), a tag that is no whole number from 1 to 2^29-1, a field named
    /// `__messages` or `__tags`.
    static boost::system::result<proto_set, proto_complaint> parse(std::string_view json);

    /// Null: bodies of this route are JSON. Valid as long as any copy of the set.
    const proto_message* find(std::string_view route) const;
    bool is_empty() const;
    /// In no order.
    std::vector<std::string> routes() const;
    /// Keys of the file that count for nothing, as in the original: `found <x>, expected <y>`.
    const std::vector<proto_complaint>& dropped() const;
    /// The parsed form as the handshake and the version need it: per route
    /// `{"<field>":{"option":..,"type":..,"tag":..},..,"__messages":{..},"__tags":{"1":"<field>"}}`,
    /// top-level messages under `message <Name>`; compact, keys in JavaScript's order.
    const std::string& parsed_json() const;

private:
    struct contents;
    std::shared_ptr<const contents> contents_;
};

/// Both files together, as a frontend speaks them at one time. Thread: any, unchanging.
struct protos {
    /// Server to client: pushes by their route, responses by the request's route.
    proto_set server;
    /// Client to server.
    proto_set client;
    std::string version;

    handshake_protos parts() const { return {server.parsed_json(), client.parsed_json(), version}; }
};

/// base64(MD5(parsed client + parsed server)); "" when there is neither file.
std::string protos_version(const proto_set& client, const proto_set& server, bool has_files);

} // namespace shaddock::protocol
