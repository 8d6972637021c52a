#pragma once

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "bus/bus.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

/// What a server counts, and the names of it all (docs/operations.md lists them).
namespace shaddock::server {

/// How the requests of one route ended, and how long they took. A request finds it once, where it
/// finds its method; from then on counting is a few additions.
struct route_counts {
    base::outcome_counts outcomes;
    base::latency_histogram latency;
    /// When the log may next name a failure of the plugin, and how many it has not named.
    base::time_point next_complaint{};
    std::uint64_t unnamed = 0;

    template <class T>
    void note(const result<T>& outcome, base::duration took) noexcept {
        outcomes.note(outcome);
        latency.add(took);
    }
};

/// Counts by route. They stay over generations; references stay valid.
/// Limits: `limit` routes; all further ones are counted together as `other`. Thread: the loop.
class route_table {
public:
    static constexpr std::size_t limit = 500;

    /// Of a route that exists: the caller knows that no client has invented it.
    route_counts& of(std::string_view route);
    /// Null: never counted under its name.
    route_counts* find(std::string_view route);
    /// Of routes that nobody knows.
    route_counts& unknown() { return unknown_; }
    std::size_t size() const { return routes_.size(); }

    /// Adds `<name>_total{route,result}` and `<seconds>{route}`, with what was counted.
    void add_to(base::metric_families& all, std::string_view total, std::string_view total_help,
                std::string_view seconds, std::string_view seconds_help) const;

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    std::unordered_map<std::string, route_counts, text_hash, std::equal_to<>> routes_;
    route_counts unknown_;
    route_counts other_;
};

class dispatcher;
class frontend;
class channel_store;
class outgoing;
struct status;

/// What the rooms of one server have counted, added to `all`.
void add_requests(base::metric_families& all, const dispatcher& calls);
void add_rooms(base::metric_families& all, const channel_store& channels, const outgoing& servers);
/// `clients`: null at a backend.
void add_held(base::metric_families& all, const dispatcher& calls, const frontend* clients);
void add_clients(base::metric_families& all, const frontend& clients);
void add_bus(base::metric_families& all, const bus::bus& links);
void add_state(base::metric_families& all, const status& now);

} // namespace shaddock::server
