#include "metrics.hpp"

#include "base/log.hpp"
#include "control/codec.hpp"
#include "control/metrics.hpp"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <type_traits>
#include <unistd.h>
#include <utility>

namespace shaddock::master {

namespace {

using base::metric_families;
using base::metric_family;
using base::metric_kind;
using base::metric_sample;

constexpr std::size_t bytes_per_kb = 1024;

void add_usage(metric_families& all, const base::process_usage& usage) {
    base::add_gauge(all, "shaddock_memory_bytes", "Resident memory of the process.",
                    usage.rss_kb * bytes_per_kb);
    base::add_counter(all, "shaddock_cpu_seconds_total",
                      "Processor time of the process, user and system.",
                      std::chrono::duration<double>(usage.cpu).count());
    base::add_gauge(all, "shaddock_uptime_seconds", "Age of the process.", usage.uptime.count());
}

/// Every member of a status: what is a number, and what is a text but its state, which has a metric
/// of its own.
void add_status(metric_families& all, const control::server_status& status) {
    metric_family numbers{
        "shaddock_status", "What `host list` says of it.", metric_kind::gauge, {"member"}};
    metric_family info{"shaddock_server_info", "What serves; always 1.", metric_kind::gauge};
    metric_sample texts{{}, 1};
    using members =
        boost::describe::describe_members<control::server_status, boost::describe::mod_public>;
    boost::mp11::mp_for_each<members>([&](auto member) {
        const auto& value = status.*member.pointer;
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
            numbers.samples.push_back({{member.name}, static_cast<double>(value)});
        } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>,
                                            std::optional<control::rooms_left>>) {
            if (value) {
                const std::string name = member.name;
                numbers.samples.push_back({{name + ".rooms"}, static_cast<double>(value->rooms)});
                numbers.samples.push_back(
                    {{name + ".members"}, static_cast<double>(value->members)});
            }
        } else if (member.pointer != &control::server_status::state) {
            info.label_names.emplace_back(member.name);
            texts.labels.push_back(value);
        }
    });
    all.push_back(std::move(numbers));
    if (status.version.empty()) {
        return; // not heard of yet, or a process without modules
    }
    info.samples.push_back(std::move(texts));
    all.push_back(std::move(info));
    base::add_gauge(all, "shaddock_generation",
                    "Counts the changes of the modules since the process started, from 1.",
                    status.generation);
}

result<metric_families> families_in(const result<std::string>& answer) {
    if (!answer) {
        return answer.error();
    }
    const auto said = control::from_json<control::told_families>(*answer, "metrics");
    return said ? control::heard(*said) : said.error();
}

} // namespace

void add_up(metric_families& to, bool is_up) {
    base::add_gauge(to, "shaddock_up",
                    "1: it has answered this scrape, or is not asked and serves.", is_up ? 1 : 0);
}

metric_families process_families(const child_report& child,
                                 const std::optional<base::process_usage>& usage,
                                 bool has_answered) {
    metric_families all;
    add_up(all, has_answered);
    metric_family state{
        "shaddock_state", "1 for the state that it is in.", metric_kind::gauge, {"state"}};
    state.samples.push_back({{child.state}, 1});
    all.push_back(std::move(state));
    base::add_counter(all, "shaddock_restarts_total", "Restarts since the master started.",
                      child.restarts);
    if (usage) {
        add_usage(all, *usage);
        add_status(all, child);
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
        if (!child.is_server || !child.process()) {
            continue;
        }
        ++now.missing;
        ask_(child.id, [this, i, open = std::weak_ptr(open_),
                        id = child.id](const result<std::string>& answer) {
            const auto asked = open.lock();
            if (!asked) {
                return;
            }
            if (auto read = families_in(answer)) {
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
        const bool is_up =
            child.is_server ? answer.has_value() : child.is(control::server_state::ready);
        auto families = process_families(
            child, child.process() ? std::optional(base::usage_of(*child.process())) : std::nullopt,
            is_up);
        if (child.process() == getpid()) {
            base::add_counter(families, "shaddock_log_lost_lines_total",
                              "Lines of the log that could not be written.",
                              base::log::lost_lines());
        }
        if (answer) {
            families.insert(families.end(), std::make_move_iterator(answer->begin()),
                            std::make_move_iterator(answer->end()));
        }
        all.push_back({child.id, child.type, std::move(families), {}});
    }
    for (auto& done : std::exchange(waiting_, {})) {
        done(all);
    }
}

std::string servers_json(const std::vector<server_metrics>& servers) {
    control::told_servers all;
    for (const auto& server : servers) {
        all.servers.push_back(
            {server.id, server.type, control::told(server.families),
             server.machine.empty() ? std::nullopt : std::optional(server.machine)});
    }
    return control::to_json(all);
}

} // namespace shaddock::master
