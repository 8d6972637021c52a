#include "additions.hpp"

#include "base/log.hpp"
#include "targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace shaddock::master {

result<void> additions::start(const control::addition_keys& keys, done_call done) {
    if (done_) {
        return error(errc::duplicate, "another addition is under way: ask again when it has ended");
    }
    auto made = check_addition(system_, keys, run_);
    if (!made) {
        return made.error();
    }
    auto servers = made->servers;
    if (auto taken = take_in(*made); !taken) {
        return taken;
    }
    done_ = std::move(done);
    begun_at_ = clock_.now();
    open_ = servers.size();
    for (const auto& server : servers) {
        children_.add(plan_(server));
        children_.begin(server.id, after_failure::stay_down,
                        [this, server](const result<void>& outcome) { begun(server, outcome); });
    }
    return {};
}

result<void> additions::take_in(const addition& made) {
    for (const auto& slip : made.warnings) {
        base::log::warn("config", "{}", slip);
    }
    if (auto kept = book_.add(made.servers); !kept) {
        return kept;
    }
    for (const auto& server : made.servers) {
        if (std::ranges::find(system_.types, server.type) == system_.types.end()) {
            system_.types.push_back(server.type);
        }
        system_.host.types.emplace(server.type, made.host.type(server.type));
    }
    return {};
}

void additions::begun(const config::server_record& server, const result<void>& outcome) {
    control::start_record record;
    record.id = server.id;
    record.type = server.type;
    record.ms = control::rounded_ms(
        std::chrono::duration<double, std::milli>(clock_.now() - begun_at_).count());
    if (outcome) {
        record.end_as(control::start_outcome::ready);
        const auto children = children_.list();
        const auto* child = find_child(children, server.id);
        record.pid = child != nullptr ? child->process() : std::nullopt;
        base::log::info("master", "{} is added", server.id);
    } else {
        record.end_as(control::start_outcome::failed, outcome.error().text());
        base::log::warn("master", "{} is not added: {}", server.id, *record.reason);
        children_.remove(server.id);
    }
    made_.results.push_back(std::move(record));
    if (--open_ == 0) {
        end();
    }
}

/// The list cannot be written.
void additions::give_up(const std::vector<std::string>& ids, const error& why,
                        std::string_view then) {
    for (auto& one : made_.results) {
        if (std::ranges::find(ids, one.id) != ids.end()) {
            const auto before = one.reason ? *one.reason + "; " : std::string();
            one.end_as(control::start_outcome::failed,
                       fmt::format("{}{}: {}", before, why.text(), then));
            one.pid.reset();
            base::log::warn("master", "{}: {}", one.id, *one.reason);
        }
    }
}

void additions::end() {
    std::vector<std::string> ready;
    std::vector<std::string> others;
    for (const auto& one : made_.results) {
        (one.ok ? ready : others).push_back(one.id);
    }
    if (const auto kept = book_.drop(others); !kept) {
        give_up(others, kept.error(), "its id stays taken until everything stops");
    }
    if (const auto kept = book_.change(ready, true); !kept) {
        give_up(ready, kept.error(),
                "it runs, but nobody asks it for anything; mend that, then `host restart` it, or "
                "`host remove` it");
    }
    settle_([this] {
        std::ranges::sort(made_.results, {}, &control::start_record::id);
        const auto made = std::exchange(made_, {});
        auto done = std::exchange(done_, nullptr);
        done(made);
    });
}

} // namespace shaddock::master
