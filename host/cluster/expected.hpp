#pragma once

#include "cluster/registry.hpp"

#include <vector>

namespace shaddock::cluster {

/// Whether the two are the same server as far as the expected list goes: all but `is_up` and
/// `life`.
bool is_same_record(const door::server_info& one, const door::server_info& other);

/// Sorted by id, the last of equal ids kept; nobody is up in it.
std::vector<door::server_info> expected_list(std::vector<door::server_info> servers);

/// The server with that id in a sorted list, or null.
door::server_info* find_in(std::vector<door::server_info>& servers, std::string_view id);

/// Puts the record in its place in a sorted list. Returns whether the expected list has changed by
/// it (new or another record).
bool put_into(std::vector<door::server_info>& servers, door::server_info record);

} // namespace shaddock::cluster
