#include "generation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::server {

void tables::handler(const door::method_info& info, door::callable* target) noexcept {
    add(handlers_, info, target);
}

void tables::remote(const door::method_info& info, door::callable* target) noexcept {
    add(remotes_, info, target);
}

void tables::add(methods& to, const door::method_info& info, door::callable* target) {
    auto route = fmt::format("{}.{}.{}", type_, info.object, info.method);
    method_entry entry{route, info.is_serial, info.contract, target};
    if (!to.emplace(route, std::move(entry)).second) {
        problem_ +=
            fmt::format("{}route '{}' is registered twice", problem_.empty() ? "" : "; ", route);
    }
}

void tables::route(std::string_view type, door::router* target) noexcept {
    routers_.emplace_back(type, target);
}

door::router* tables::router_for(std::string_view type) const {
    // The last one registered for a type wins, as in Pomelo.
    const auto at = std::find_if(routers_.rbegin(), routers_.rend(),
                                 [&](const auto& each) { return each.first == type; });
    return at == routers_.rend() ? nullptr : at->second;
}

result<std::shared_ptr<generation>> generation::create(const plugin_source& from,
                                                       std::unique_ptr<door::host> host,
                                                       std::string type, std::uint32_t number) {
    auto made = std::make_shared<generation>(from, std::move(host), std::move(type), number);
    std::string failed;
    made->plugin_ = from.door->create(*made->host_, made->tables_, &failed);
    if (made->plugin_ == nullptr) {
        return error(errc::config, fmt::format("plugin {}: could not be created: {}", from.file,
                                               failed.empty() ? "it gave no reason" : failed));
    }
    if (!made->tables_.problem().empty()) {
        return error(errc::config,
                     fmt::format("plugin {}: {}", from.file, made->tables_.problem()));
    }
    return made;
}

generation::~generation() {
    destroy();
}

void generation::destroy() {
    if (auto* plugin = std::exchange(plugin_, nullptr)) {
        source_.door->destroy(plugin);
    }
}

} // namespace shaddock::server
