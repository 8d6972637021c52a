#pragma once

#include "base/function.hpp"
#include "base/metrics.hpp"
#include "base/process.hpp"
#include "master/supervisor.hpp"

#include <shaddock/error.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What `GET /metrics` and `GET /api/metrics` of the admin API answer.
namespace shaddock::master {

/// One server's numbers at one moment: its own, and what the master sees of its process.
struct server_metrics {
    std::string id;
    std::string type;
    base::metric_families families;
    /// Empty while the system is on one machine.
    std::string machine{};
};

/// `shaddock_up`.
void add_up(base::metric_families& to, bool is_up);

/// What the master knows of a process without asking it. `usage`: nothing when it does not run.
/// `has_answered`: whether its own numbers are there, too.
base::metric_families process_families(const child_report& child,
                                       const std::optional<base::process_usage>& usage,
                                       bool has_answered);

/// Asks all servers at once; who wants the numbers while that goes on gets the same ones.
/// Thread: the loop. Lifetime: what it was given outlives it; once destroyed it answers nobody.
class metrics_round {
public:
    using answer_call = base::unique_function<void(result<std::string>)>;
    /// Puts the question to one server; answers once, in bounded time.
    using ask_call = base::unique_function<void(std::string_view id, answer_call)>;
    using list_call = base::unique_function<std::vector<child_report>()>;
    using done_call = base::unique_function<void(const std::vector<server_metrics>&)>;

    metrics_round(list_call list, ask_call ask) : list_(std::move(list)), ask_(std::move(ask)) {}

    /// `done` once, never inline unless no server runs: a server that runs but has not answered in
    /// time, or not in the right form, has `shaddock_up` 0 and only what the master sees of it.
    void collect(done_call done);

private:
    struct answers;
    void finish();

    list_call list_;
    ask_call ask_;
    std::vector<done_call> waiting_;
    std::shared_ptr<answers> open_;
};

/// Prometheus' text format, version 0.0.4: each sample with `server` and `type` (and `machine`, if
/// it has one) before its own labels; histograms cumulative.
std::string prometheus_text(const std::vector<server_metrics>& servers);
/// {"servers":[{"id":"..","type":"..","families":[<as control/metrics.hpp>]}]}
std::string servers_json(const std::vector<server_metrics>& servers);

} // namespace shaddock::master
