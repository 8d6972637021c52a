#include "metrics.hpp"

#include "base/log.hpp"
#include "cluster/metrics_json.hpp"
#include "json_fields.hpp"

#include <utility>

namespace shaddock::master {

namespace {

using base::metric_families;
using base::metric_family;
using base::metric_kind;

constexpr std::size_t bytes_per_kb = 1024;

void add_usage(metric_families& all, const process_usage& usage) {
    base::add_gauge(all, "shaddock_memory_bytes", "Resident memory of the process.",
                    usage.rss_kb * bytes_per_kb);
    base::add_counter(all, "shaddock_cpu_seconds_total",
                      "Processor time of the process, user and system.",
                      std::chrono::duration<double>(usage.cpu).count());
    base::add_gauge(all, "shaddock_uptime_seconds", "Age of the process.", usage.uptime.count());
}

void add_build(metric_families& all, const child_status& status) {
    if (status.version.empty()) {
        return; // not heard of yet, or a process without modules
    }
    metric_family info{"shaddock_server_info",
                       "What serves; always 1.",
                       metric_kind::gauge,
                       {"module", "version", "build_id"}};
    info.samples.push_back({{status.module, status.version, status.build_id}, 1});
    all.push_back(std::move(info));
    base::add_gauge(all, "shaddock_generation",
                    "Counts the changes of the modules since the process started, from 1.",
                    status.generation);
}

} // namespace

metric_families process_families(const child_report& child,
                                 const std::optional<process_usage>& usage, bool has_answered) {
    metric_families all;
    base::add_gauge(all, "shaddock_up",
                    "1: it has answered this scrape, or is not asked and serves.",
                    has_answered ? 1 : 0);
    metric_family state{
        "shaddock_state", "1 for the state that it is in.", metric_kind::gauge, {"state"}};
    state.samples.push_back({{std::string(to_string(child.state))}, 1});
    all.push_back(std::move(state));
    base::add_counter(all, "shaddock_restarts_total", "Restarts since the master started.",
                      child.restarts);
    if (usage) {
        add_usage(all, *usage);
        add_build(all, child.status);
    }
    return all;
}

/// Shared with the answers under way: they may outlive it.
struct metrics_round::answers {
    std::vector<child_report> children;
    /// By the index of the child.
    std::vector<std::optional<metric_families>> said;
    std::size_t missing = 0;
};

void metrics_round::collect(done_call done) {
    waiting_.push_back(std::move(done));
    if (open_) {
        return;
    }
    open_ = std::make_shared<answers>();
    auto& now = *open_;
    now.children = list_();
    now.said.resize(now.children.size());
    // One more than asked, so that no early answer ends it.
    now.missing = 1;
    for (std::size_t i = 0; i < now.children.size(); ++i) {
        const auto& child = now.children[i];
        if (!child.is_server || !child.pid) {
            continue;
        }
        ++now.missing;
        ask_(child.id, [this, i, open = std::weak_ptr(open_),
                        id = child.id](const result<std::string>& answer) {
            const auto asked = open.lock();
            if (!asked) {
                return;
            }
            if (auto read = answer ? cluster::metrics_from_json(*answer)
                                   : result<metric_families>(answer.error())) {
                asked->said[i] = std::move(*read);
            } else {
                base::log::debug("master", "no metrics of {}: {}", id, read.error().text());
            }
            if (--asked->missing == 0) {
                finish();
            }
        });
    }
    if (--now.missing == 0) {
        finish();
    }
}

void metrics_round::finish() {
    const auto asked = std::exchange(open_, nullptr);
    std::vector<server_metrics> all;
    for (std::size_t i = 0; i < asked->children.size(); ++i) {
        const auto& child = asked->children[i];
        auto& answer = asked->said[i];
        const bool is_up = child.is_server ? answer.has_value() : child.state == child_state::ready;
        auto families = process_families(
            child, child.pid ? std::optional(usage_of(*child.pid)) : std::nullopt, is_up);
        if (answer) {
            families.insert(families.end(), std::make_move_iterator(answer->begin()),
                            std::make_move_iterator(answer->end()));
        }
        all.push_back({child.id, child.type, std::move(families)});
    }
    for (auto& done : std::exchange(waiting_, {})) {
        done(all);
    }
}

std::string servers_json(const std::vector<server_metrics>& servers) {
    return object_json([&](json_writer& out) {
        out.Key("servers");
        put_objects(out, servers, [](json_writer& in, const server_metrics& server) {
            put(in, "id", server.id);
            put(in, "type", server.type);
            put_json(in, "families", cluster::metrics_json(server.families));
        });
    });
}

} // namespace shaddock::master
