#pragma once

#include "cluster/registry.hpp"

#include <algorithm>
#include <vector>

namespace shaddock::cluster {

/// Sorted by id, the last of equal ids kept; nobody is up in it.
std::vector<door::server_info> expected_list(std::vector<door::server_info> servers);

/// The server with that id in a sorted list, or null.
template <class List>
auto find_in(List& servers, std::string_view id) {
    const auto place = std::ranges::lower_bound(servers, id, {}, &door::server_info::id);
    return place != servers.end() && place->id == id ? &*place : nullptr;
}
/// The same, among the guests too.
door::server_info* find_in(view& list, std::string_view id);

/// Whether two lists have the same servers, whoever of them is up, in whatever life.
bool is_same_list(const std::vector<door::server_info>& one,
                  const std::vector<door::server_info>& other);

/// Puts the record in its place in a sorted list.
void put_into(std::vector<door::server_info>& servers, door::server_info record);

/// The view after the expected list has become `servers`: who is up stays up, who has left is a
/// guest.
view changed_list(const view& before, std::vector<door::server_info> servers);
/// `self` is up from here on: in the list, else among the guests.
view with_self(view list, const door::server_info& self);

} // namespace shaddock::cluster
