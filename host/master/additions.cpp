#include "additions.hpp"

#include "base/log.hpp"
#include "private_file.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::master {

result<void> additions::start(const addition_keys& keys, done_call done) {
    if (done_) {
        return error(errc::duplicate, "another addition is under way: ask again when it has ended");
    }
    auto made = check_addition(system_, keys, run_);
    if (!made) {
        return made.error();
    }
    const auto before = system_.servers.size();
    auto servers = made->servers;
    take_in(std::move(*made));
    if (auto written = write_list(); !written) {
        system_.servers.resize(before);
        return written.error();
    }
    done_ = std::move(done);
    begun_at_ = clock_.now();
    open_ = servers.size();
    publish_();
    for (const auto& server : servers) {
        children_.add(plan_(server));
        children_.begin(server.id,
                        [this, server](const result<void>& outcome) { begun(server, outcome); });
    }
    return {};
}

void additions::take_in(addition made) {
    for (const auto& slip : made.warnings) {
        base::log::warn("config", "{}", slip);
    }
    for (auto& server : made.servers) {
        if (std::ranges::find(system_.types, server.type) == system_.types.end()) {
            system_.types.push_back(server.type);
        }
        system_.host.types.emplace(server.type, made.host.type(server.type));
        system_.servers.push_back(std::move(server));
    }
}

void additions::begun(const config::server_record& server, const result<void>& outcome) {
    start_line line;
    line.id = server.id;
    line.type = server.type;
    line.ms = std::chrono::duration<double, std::milli>(clock_.now() - begun_at_).count();
    if (outcome) {
        line.outcome = start_outcome::ready;
        for (const auto& child : children_.list()) {
            if (child.id == server.id) {
                line.pid = child.pid;
            }
        }
        base::log::info("master", "{} is added", server.id);
    } else {
        line.reason = outcome.error().text();
        base::log::warn("master", "{} is not added: {}", server.id, line.reason);
        take_out(server.id);
    }
    lines_.push_back(std::move(line));
    if (--open_ == 0) {
        std::ranges::sort(lines_, {}, &start_line::id);
        const auto lines = std::exchange(lines_, {});
        auto done = std::exchange(done_, nullptr);
        done(lines);
    }
}

void additions::take_out(const std::string& id) {
    children_.remove(id);
    std::erase_if(system_.servers, [&](const auto& server) { return server.id == id; });
    if (const auto written = write_list(); !written) {
        base::log::warn("master", "{}", written.error().text());
    }
    publish_();
}

result<void> additions::write_list() const {
    return write_private_file(running_list(run_), list_text(system_.servers));
}

} // namespace shaddock::master
