#pragma once

#include "cluster/registry.hpp"

#include <shaddock/door.hpp>

#include <map>
#include <string>
#include <string_view>

namespace shaddock::server {

class tables;

/// The registry's view cut by type, and who of a type serves what. Thread: the loop.
class directory {
public:
    void update(cluster::view_ptr now);
    /// Expected servers of the type sorted by id; empty for an unknown type, never null.
    door::server_list of_type(std::string_view type) const;
    door::server_list all() const { return all_; }
    const door::server_info* find(std::string_view id) const {
        return view_ ? view_->find(id) : nullptr;
    }
    /// Who lives, or lived last, this life; null when that is not known.
    const door::server_info* find(incarnation life) const;

    /// The server of `type` for `by`: the route function of the present generation, else by hash: a
    /// session by its uid, a text by itself, a number modulo the list. Errors: no_server (none
    /// expected), and the function's own. A chosen server that is down is found out by the call, at
    /// once.
    result<std::string> pick(const tables& registered, std::string_view type,
                             const door::route_param& by) const;

private:
    cluster::view_ptr view_;
    std::map<std::string, door::server_list, std::less<>> by_type_;
    door::server_list all_ = std::make_shared<const std::vector<door::server_info>>();
};

} // namespace shaddock::server
