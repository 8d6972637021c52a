#include "directory.hpp"

#include "generation.hpp"

#include <shaddock/dispatch.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::server {

void directory::update(cluster::view_ptr now) {
    view_ = std::move(now);
    std::map<std::string, std::vector<door::server_info>, std::less<>> cut;
    for (const auto& each : view_->servers) {
        cut[each.type].push_back(each);
    }
    by_type_.clear();
    for (auto& [type, list] : cut) {
        by_type_[type] = std::make_shared<const std::vector<door::server_info>>(std::move(list));
    }
    all_ = std::make_shared<const std::vector<door::server_info>>(view_->servers);
}

door::server_list directory::of_type(std::string_view type) const {
    static const auto none = std::make_shared<const std::vector<door::server_info>>();
    const auto at = by_type_.find(type);
    return at == by_type_.end() ? none : at->second;
}

const door::server_info* directory::find(incarnation life) const {
    const auto at =
        std::find_if(all_->begin(), all_->end(), [&](const auto& e) { return e.life == life; });
    return at == all_->end() ? nullptr : &*at;
}

result<std::string> directory::pick(const tables& registered, std::string_view type,
                                    const door::route_param& by) const {
    const auto at = by_type_.find(type);
    if (at == by_type_.end() || at->second->empty()) {
        return error(errc::no_server, fmt::format("no server of type '{}' is in the list", type));
    }
    const auto& list = *at->second;
    if (auto* router = registered.router_for(type)) {
        return router->pick(by, list);
    }
    std::size_t index = 0;
    if (by.session != nullptr) {
        index = dispatch_index(by.session->ref.uid, list.size());
    } else if (by.number) {
        const auto magnitude = *by.number < 0 ? 0 - static_cast<std::uint64_t>(*by.number)
                                              : static_cast<std::uint64_t>(*by.number);
        index = static_cast<std::size_t>(magnitude % list.size());
    } else {
        index = dispatch_index(by.text, list.size());
    }
    return list[index].id;
}

} // namespace shaddock::server
