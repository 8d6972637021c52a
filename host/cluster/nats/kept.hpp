#pragma once

#include "cluster/registry.hpp"

#include <shaddock/message.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What stands in the bucket: one key `list`, and one `claim.ID` for each server that runs, or has
/// not said that it ends. All of it is JSON, read tolerantly, so that hosts of neighbouring
/// versions understand each other.
namespace shaddock::cluster {

inline constexpr std::string_view list_key = "list";

/// A server as others need to know it: door::server_info without what is known of its life.
struct kept_server {
    std::string id;
    std::string type;
    std::string host;
    std::string client_host;
    std::uint16_t client_port = 0;
    std::uint16_t public_port = 0;
    bool is_frontend = false;
    bool is_leaving = false;
    /// As server_info::record_json: a text, so that it comes back as it was.
    std::string record;
    friend bool operator==(const kept_server&, const kept_server&) = default;
};
BOOST_DESCRIBE_STRUCT(kept_server, (),
                      (id, type, host, client_host, client_port, public_port, is_frontend,
                       is_leaving, record))

/// The value of `list`.
struct kept_list {
    std::uint64_t epoch = 0;
    std::vector<kept_server> servers;
    /// Ids that left it because their machine was lost, not by a word.
    std::vector<std::string> lost;
    friend bool operator==(const kept_list&, const kept_list&) = default;
};
BOOST_DESCRIBE_STRUCT(kept_list, (), (epoch, servers, lost))

/// The value of `claim.ID`: who runs under the id. It is written again and again, so that its
/// revision tells that its owner lives.
struct kept_claim {
    std::uint64_t life = 0;
    std::string machine;
    /// Of the process: no other has the same.
    std::string boot;
    /// When the process claimed the id, in milliseconds of Unix time.
    std::uint64_t since = 0;
    /// Its machine was given up: whoever claims the id next may have it.
    bool is_fenced = false;
    kept_server record;

    /// False: something stands there that this version does not understand.
    bool is_readable() const { return !boot.empty(); }
    friend bool operator==(const kept_claim&, const kept_claim&) = default;
};
BOOST_DESCRIBE_STRUCT(kept_claim, (), (life, machine, boot, since, is_fenced, record))

kept_server kept(const door::server_info& server);
door::server_info told(const kept_server& server);

/// Sorted by id. Ids, types and machines are plain names, as in the configuration. Errors:
/// bad_request, naming the member.
result<kept_list> read_list(std::string_view text);
/// `id` is that of the key. Errors: bad_request, naming the member.
result<kept_claim> read_claim(std::string_view text, std::string_view id);
/// What stands for one that cannot be read: somebody's, nobody knows whose.
kept_claim unreadable_claim(const std::string& id);
std::string text_of(const kept_list& list);
std::string text_of(const kept_claim& claim);

/// An id may have dots, which separate the parts of a key; it has no `/`.
std::string claim_key(std::string_view id);
/// Empty: it is not the key of a claim on a plain name.
std::string id_of_claim(std::string_view key);

} // namespace shaddock::cluster
