// Who goes when the memory that clients hold is over its budget. The rest is in port.cpp.
#include "connection_set.hpp"

#include <base/log.hpp>

#include <algorithm>
#include <map>
#include <vector>

namespace shaddock::net {

namespace {

constexpr base::duration memory_complaint_pause = std::chrono::minutes(1);

struct holder {
    client_connection* who;
    std::size_t bytes;
};
using holders = std::vector<holder>;

void sort_largest_last(holders& all) {
    std::ranges::sort(all, {}, &holder::bytes);
}

struct of_host {
    std::size_t sum = 0;
    holders all;
};

} // namespace

void connection_set::keep_to_budget() {
    const auto& all = counts_.held;
    // Of who leaves already nothing more can be gained.
    if (all.input - leaving_.input + all.unanswered - leaving_.unanswered > options_.input_limit) {
        make_room(&client_connection::input_bytes, options_.input_limit);
    }
    if (all.output - leaving_.output > options_.output_limit) {
        make_room(&client_connection::output_bytes, options_.output_limit);
    }
}

/// First those who have not logged in, the largest first; then, one by one, the largest of the
/// address that holds most in sum.
void connection_set::make_room(std::size_t (client_connection::*held)() const, std::size_t limit) {
    ++walks_for_memory_;
    std::size_t total = 0;
    holders strangers;
    std::map<base::ip_address, of_host> hosts;
    for (const auto& each : all_) {
        const auto bytes = each->is_open() ? (each.get()->*held)() : 0;
        total += bytes;
        if (bytes == 0) {
            continue;
        }
        if (each->is_logged_in) {
            auto& host = hosts[admission::household(each->origin().from)];
            host.sum += bytes;
            host.all.push_back({each.get(), bytes});
        } else {
            strangers.push_back({each.get(), bytes});
        }
    }
    // Some more than must be, so that it is not done again at once.
    const auto goal = limit - limit / 8;
    std::size_t gone = 0;
    const auto drop_last = [&](holders& from) {
        const auto next = from.back();
        from.pop_back();
        total -= next.bytes;
        ++gone;
        // It may leave the list.
        connection_ptr(next.who)->drop_for_memory();
        return next.bytes;
    };
    sort_largest_last(strangers);
    while (total > goal && !strangers.empty()) {
        drop_last(strangers);
    }
    for (auto& [name, host] : hosts) {
        sort_largest_last(host.all);
    }
    while (total > goal && !hosts.empty()) {
        const auto most =
            std::ranges::max_element(hosts, {}, [](const auto& each) { return each.second.sum; });
        auto& host = most->second;
        host.sum -= drop_last(host.all);
        if (host.all.empty()) {
            hosts.erase(most);
        }
    }
    complain(gone, limit);
}

void connection_set::complain(std::size_t gone, std::size_t limit) {
    dropped_for_memory_ += gone;
    const auto now = clock_.now();
    if (now >= next_complaint_) {
        next_complaint_ = now + memory_complaint_pause;
        base::log::warn("net",
                        "port {}: clients held more than {} bytes; {} connections that held most "
                        "were closed",
                        options_.port, limit, std::exchange(dropped_for_memory_, 0));
    }
}

} // namespace shaddock::net
