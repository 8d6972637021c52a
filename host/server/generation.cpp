#include "generation.hpp"

#include "base/bytes.hpp"
#include "base/log.hpp"

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
    if (info.contract != 0) {
        entry.shape = fmt::format("{} -> {}", info.request_shape, info.reply_shape);
    }
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

contract_rows tables::contracts() const {
    auto rows = calls_;
    for (const auto& [route, entry] : remotes_) {
        rows.push_back({contract_row::role::served, route, entry.contract, entry.shape});
    }
    return rows;
}

result<void> generation::add(std::vector<plugin_source> plugins) {
    for (auto& source : plugins) {
        const auto file = source.file;
        std::string failed;
        auto* object = source.door->create(*host_, tables_, &failed);
        if (object != nullptr) {
            plugins_.push_back({std::move(source), object});
        }
        if (object == nullptr || !failed.empty()) {
            return error(errc::config, fmt::format("plugin {}: could not be created: {}", file,
                                                   failed.empty() ? "it gave no reason" : failed));
        }
    }
    if (!tables_.problem().empty()) {
        return error(errc::config, fmt::format("plugin {}: {}", modules(), tables_.problem()));
    }
    return {};
}

generation::~generation() {
    destroy();
}

std::string generation::save_room(std::string_view channel) {
    constexpr std::size_t limit = std::size_t{64} * 1024;
    std::string bytes;
    base::writer out(bytes);
    for (auto* hook : tables_.hooks()) {
        for (const auto& each : hook->save_room(channel)) {
            out.text(each.name);
            out.text(each.bytes);
        }
    }
    if (bytes.size() > limit) {
        base::log::error("server", "save_room gives {} bytes of '{}', of {} at most: they are lost",
                         bytes.size(), channel, limit);
        bytes.clear();
    }
    return bytes;
}

void generation::restore_room(std::string_view channel, std::string_view bytes) {
    std::vector<door::saved_state> states;
    for (base::reader in(bytes); in.ok() && !in.at_end();) {
        std::string saver(in.text());
        states.push_back({std::move(saver), std::string(in.text())});
    }
    for (auto* hook : tables_.hooks()) {
        if (!states.empty()) {
            hook->restore_room(channel, states);
        }
    }
}

void generation::destroy() {
    if (!leases_.is_closed()) {
        leases_.close(nullptr);
    }
    while (!plugins_.empty()) {
        const auto last = std::move(plugins_.back());
        plugins_.pop_back();
        last.source.door->destroy(last.object);
    }
}

result<std::vector<generation::saved_plugin>> generation::save() const {
    std::vector<saved_plugin> all;
    for (const auto& [source, object] : plugins_) {
        if (source.door->save == nullptr) {
            continue;
        }
        auto states = source.door->save(object);
        if (!states) {
            return std::move(states).error();
        }
        all.push_back({source.file, source.door->version, std::move(*states)});
    }
    return all;
}

result<void> generation::restore(const std::vector<saved_plugin>& saved) {
    for (auto& [source, object] : plugins_) {
        const auto its = std::ranges::find(saved, source.file, &saved_plugin::file);
        if (its == saved.end() || source.door->restore == nullptr) {
            continue;
        }
        if (auto taken = source.door->restore(object, its->states, its->version); !taken) {
            return taken;
        }
    }
    return {};
}

namespace {

template <class Living, class F>
std::string listed(const Living& all, F text_of) {
    std::string text;
    for (const auto& each : all) {
        const std::string one = text_of(each.source);
        text += (text.empty() || one.empty() ? "" : ", ") + one;
    }
    return text;
}

} // namespace

std::string generation::modules() const {
    return listed(plugins_, [](const plugin_source& from) { return from.file; });
}

std::string generation::versions() const {
    return listed(plugins_, [](const plugin_source& from) { return from.door->version; });
}

std::string generation::build_ids() const {
    return listed(plugins_, [](const plugin_source& from) { return from.build_id; });
}

std::string generation::builds() const {
    return listed(plugins_, [](const plugin_source& from) {
        const auto build =
            from.build_id.empty() ? std::string() : fmt::format(" build {:.12}", from.build_id);
        return fmt::format("{} {}{}", from.file, from.door->version, build);
    });
}

} // namespace shaddock::server
