#include "metrics.hpp"

#include "channels.hpp"
#include "dispatcher.hpp"
#include "frontend.hpp"
#include "outgoing.hpp"
#include "server/server.hpp"

namespace shaddock::server {

namespace {

using base::metric_family;
using base::metric_kind;

void add_ways(base::metric_families& all, std::string_view name, std::string_view help,
              std::uint64_t in, std::uint64_t out) {
    metric_family family{std::string(name), std::string(help), metric_kind::counter, {"direction"}};
    family.samples = {{{"in"}, static_cast<double>(in)}, {{"out"}, static_cast<double>(out)}};
    all.push_back(std::move(family));
}

void add_outcomes(base::metric_families& all, std::string_view name, std::string_view help,
                  const base::outcome_counts& counted) {
    metric_family family{std::string(name), std::string(help), metric_kind::counter, {"result"}};
    counted.visit([&](std::string_view result, std::uint64_t count) {
        family.samples.push_back({{std::string(result)}, static_cast<double>(count)});
    });
    all.push_back(std::move(family));
}

double number(std::uint64_t count) {
    return static_cast<double>(count);
}

} // namespace

route_counts& route_table::of(std::string_view route) {
    if (const auto at = routes_.find(route); at != routes_.end()) {
        return at->second;
    }
    return routes_.size() < limit ? routes_[std::string(route)] : other_;
}

route_counts* route_table::find(std::string_view route) {
    const auto at = routes_.find(route);
    return at == routes_.end() ? nullptr : &at->second;
}

void route_table::add_to(base::metric_families& all, std::string_view total,
                         std::string_view total_help, std::string_view seconds,
                         std::string_view seconds_help) const {
    metric_family counts{
        std::string(total), std::string(total_help), metric_kind::counter, {"route", "result"}};
    auto times = base::latency_family(seconds, seconds_help, {"route"});
    const auto add = [&](const std::string& route, const route_counts& counted) {
        counted.outcomes.visit([&](std::string_view result, std::uint64_t count) {
            counts.samples.push_back({{route, std::string(result)}, number(count)});
        });
        if (!counted.latency.is_empty()) {
            times.samples.push_back(base::latency_sample({route}, counted.latency));
        }
    };
    for (const auto& [route, counted] : routes_) {
        add(route, counted);
    }
    add("unknown", unknown_);
    add("other", other_);
    all.push_back(std::move(counts));
    all.push_back(std::move(times));
}

void add_requests(base::metric_families& all, const dispatcher& calls) {
    calls.handler_counts().add_to(
        all, "shaddock_requests_total",
        "Requests and notifies of clients, at the server that handles them.",
        "shaddock_request_seconds", "From their arrival at the handling server to the answer.");
    calls.remote_counts().add_to(
        all, "shaddock_remotes_total", "Calls of other servers, at the server that answers them.",
        "shaddock_remote_seconds", "From their arrival at the answering server to the answer.");
}

void add_rooms(base::metric_families& all, const channel_store& channels, const outgoing& servers) {
    base::add_gauge(all, "shaddock_channels", "Channels that this server owns.", channels.size());
    base::add_gauge(all, "shaddock_members", "Members of these channels.", channels.members());
    base::add_counter(all, "shaddock_pushes_total",
                      "Pushes sent, one for each frontend that they go to.", servers.pushes());
}

void add_held(base::metric_families& all, const dispatcher& calls, const frontend* clients) {
    metric_family held{
        "shaddock_held_bytes",
        "Bytes that wait: input of clients, their requests without an answer, bodies "
        "that wait for a handler, output to clients that do not read.",
        metric_kind::gauge,
        {"what"}};
    if (clients != nullptr) {
        const auto& now = clients->counts().held;
        held.samples.push_back({{"input"}, number(now.input)});
        held.samples.push_back({{"unanswered"}, number(clients->unanswered_bytes())});
        held.samples.push_back({{"output"}, number(now.output)});
    }
    held.samples.push_back({{"bodies"}, number(calls.waiting_bytes())});
    all.push_back(std::move(held));
}

void add_clients(base::metric_families& all, const frontend& clients) {
    const auto& counts = clients.counts();
    base::add_gauge(all, "shaddock_connections", "Client connections that are open.",
                    counts.connections);
    base::add_counter(all, "shaddock_accepted_total", "Client connections accepted.",
                      counts.accepted);
    base::add_gauge(all, "shaddock_sessions", "Clients whose handshake is done.",
                    clients.sessions().size());
    clients.forwarded_counts().add_to(
        all, "shaddock_forwarded_total",
        "Requests and notifies passed on to a server of another type.",
        "shaddock_forwarded_seconds", "From their arrival at the frontend to the answer.");
    add_outcomes(all, "shaddock_refused_total",
                 "Requests that the frontend answered with an error itself.",
                 clients.refused_counts());
    base::add_counter(all, "shaddock_deliveries_total", "Pushes put into the queue of a client.",
                      clients.deliveries());
    base::add_counter(all, "shaddock_undelivered_total",
                      "Pushes to clients whose queue was full or that were closing.",
                      clients.undelivered());
    metric_family drops{"shaddock_drops_total",
                        "Connections that this side ended or did not take.",
                        metric_kind::counter,
                        {"reason"}};
    for (std::size_t i = 0; i < net::drop_reasons; ++i) {
        const auto why = static_cast<net::drop>(i);
        drops.samples.push_back({{std::string(net::to_string(why))}, number(counts.of(why))});
    }
    all.push_back(std::move(drops));
    base::add_gauge(all, "shaddock_throttled",
                    "Clients that are not read now, since they sent too fast.", counts.throttled);
    base::add_counter(all, "shaddock_throttled_total", "How often that began.", counts.throttles);
    const std::chrono::duration<double> throttled_for = counts.throttled_for;
    base::add_counter(all, "shaddock_throttled_seconds_total", "How long it was, of all clients.",
                      throttled_for.count());
    add_ways(all, "shaddock_bytes_total", "Bytes from and to clients.", counts.bytes_in,
             counts.bytes_out);
    add_ways(all, "shaddock_packages_total", "Packages from and to clients.", counts.packages_in,
             counts.packages_out);
    base::add_counter(all, "shaddock_sends_total", "Writes to client sockets.", counts.sends);
    metric_family tls{"shaddock_tls_handshakes_total",
                      "TLS handshakes, by how they ended.",
                      metric_kind::counter,
                      {"outcome"}};
    tls.samples.push_back({{"full"}, number(counts.tls_handshakes - counts.tls_resumed)});
    tls.samples.push_back({{"resumed"}, number(counts.tls_resumed)});
    tls.samples.push_back({{"refused"}, number(counts.tls_refused)});
    all.push_back(std::move(tls));
}

void add_bus(base::metric_families& all, const bus::bus& links) {
    const auto& counts = links.counts();
    add_outcomes(all, "shaddock_bus_calls_total", "Calls to other servers, by how they ended.",
                 counts.calls);
    base::add_gauge(all, "shaddock_bus_calls_in_flight",
                    "Calls to other servers that wait for their answer.", links.calls_in_flight());
    base::add_counter(all, "shaddock_bus_casts_total",
                      "Messages to other servers that get no answer.", counts.casts);
    base::add_counter(all, "shaddock_bus_served_total", "Calls and messages of other servers.",
                      counts.served);
    add_ways(all, "shaddock_bus_bytes_total", "Bytes from and to other servers.", counts.bytes_in,
             counts.bytes_out);
    metric_family refused{"shaddock_bus_refused_total",
                          "Messages that a link did not admit.",
                          metric_kind::counter,
                          {"kind"}};
    refused.samples = {{{"call"}, number(counts.refused_calls)},
                       {{"cast"}, number(counts.refused_casts)}};
    all.push_back(std::move(refused));
    metric_family memberships{"shaddock_bus_memberships_waiting_total",
                              "Memberships that had to wait for a place on their link.",
                              metric_kind::counter,
                              {"end"}};
    memberships.samples = {
        {{"sent"}, number(counts.memberships_kept - counts.memberships_replaced)},
        {{"replaced"}, number(counts.memberships_replaced)}};
    all.push_back(std::move(memberships));
    metric_family work{"shaddock_bus_work_bytes",
                       "Bytes that another server has to write or read for what it was sent.",
                       metric_kind::gauge,
                       {"peer"}};
    metric_family queues{"shaddock_bus_queue_bytes",
                         "Bytes that wait for another server to take them.",
                         metric_kind::gauge,
                         {"peer"}};
    for (const auto& each : links.queues()) {
        queues.samples.push_back({{each.peer}, number(each.bytes)});
        work.samples.push_back({{each.peer}, number(each.work)});
    }
    base::add_gauge(all, "shaddock_links", "Links to other servers that are up.",
                    queues.samples.size());
    all.push_back(std::move(queues));
    all.push_back(std::move(work));
    base::add_counter(all, "shaddock_links_lost_total",
                      "Links that broke or whose other side died.", counts.links_lost);
}

void add_state(base::metric_families& all, const status& now) {
    base::add_gauge(all, "shaddock_requests_in_flight", "Requests accepted and not answered.",
                    now.requests_in_flight);
    base::add_gauge(all, "shaddock_links_expected", "Links to other servers that are wanted.",
                    now.expected);
    base::add_gauge(all, "shaddock_generations_ending", "Replaced generations with work under way.",
                    now.ending);
    base::add_gauge(all, "shaddock_generations_kept", "Replaced generations that did not end.",
                    now.kept);
}

void add_loop(base::metric_families& all, const base::loop_watch& watch,
              const base::turn_budget& turns) {
    auto lag = base::latency_family(
        "shaddock_loop_lag_seconds",
        "How late a timer of the loop fires, twice per limits.tick_warning.", {});
    lag.samples.push_back(base::latency_sample({}, watch.lags()));
    all.push_back(std::move(lag));
    const std::chrono::duration<double> longest = watch.longest_lag();
    base::add_gauge(all, "shaddock_loop_lag_max_seconds",
                    "The longest lag of the last 30 to 60 seconds.", longest.count());
    auto times = base::latency_family(
        "shaddock_turn_seconds",
        "Turns of the loop: from the first work for clients to what was sent for it.", {});
    times.samples.push_back(base::latency_sample({}, turns.turns()));
    all.push_back(std::move(times));
    const std::chrono::duration<double> longest_turn = turns.longest_turn();
    base::add_gauge(all, "shaddock_turn_max_seconds",
                    "The longest turn of the last 30 to 60 seconds.", longest_turn.count());
}

} // namespace shaddock::server
