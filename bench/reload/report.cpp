#include "report.hpp"

#include "cpu.hpp"
#include "latency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

namespace shaddock::reload {
namespace {

constexpr double memory_limit_kib = 45;
constexpr double maps_limit = 5;
constexpr double latency_limit_ms = 5;

/// A window in numbers. Latency is of all kinds but `wait`, which waits because it is told to.
struct window_figures {
    window when;
    bench::latency times;
    std::uint64_t answered = 0;
    std::size_t reloads = 0;

    double seconds() const { return static_cast<double>(when.ended - when.began) / 1e9; }
    double rate() const { return seconds() > 0 ? static_cast<double>(answered) / seconds() : 0; }
    double ms(double share) const { return times.percentile_us(share) / 1000; }
};

std::vector<window_figures> figures_of(const history& seen, const measures& measured) {
    std::vector<window_figures> all;
    for (const auto& one : measured.windows) {
        all.push_back({.when = one, .times = {}});
    }
    std::size_t at = 0;
    for (const auto& one : seen.requests) {
        while (at < all.size() && one.sent >= all[at].when.ended) {
            ++at;
        }
        if (at == all.size() || one.sent < all[at].when.began || one.answers == 0) {
            continue;
        }
        ++all[at].answered;
        if (one.what != kind::wait) {
            all[at].times.record(one.answered - one.sent);
        }
    }
    for (auto& each : all) {
        each.reloads =
            static_cast<std::size_t>(std::ranges::count_if(seen.reloads, [&](const reload& one) {
                return one.began >= each.when.began && one.ended <= each.when.ended;
            }));
    }
    return all;
}

double median(std::vector<double> values) {
    if (values.empty()) {
        return 0;
    }
    std::ranges::sort(values);
    const auto half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double median_p999(const std::vector<window_figures>& all, bool has_reloads) {
    std::vector<double> values;
    for (const auto& one : all) {
        if (one.when.has_reloads == has_reloads) {
            values.push_back(one.ms(0.999));
        }
    }
    return median(std::move(values));
}

bound latency_bound(const std::vector<window_figures>& all) {
    const double with = median_p999(all, true);
    const double without = median_p999(all, false);
    return {"latency",
            "ms",
            latency_limit_ms,
            with - without,
            with - without <= latency_limit_ms,
            fmt::format("p99.9 {:.2f} ms with reloads, {:.2f} without, medians", with, without)};
}

bound rate_bound(const std::vector<window_figures>& all, double floor) {
    bound made{"rate", "requests/s", floor, 0, false, "slowest window; at least"};
    for (const auto& one : all) {
        made.found = made.found == 0 ? one.rate() : std::min(made.found, one.rate());
    }
    made.is_kept = made.found >= floor;
    return made;
}

double signed_growth(std::uint64_t before, std::uint64_t after) {
    return static_cast<double>(after) - static_cast<double>(before);
}

template <class Growth>
bound growth_bound(std::string_view name, std::string unit, double limit, const measures& measured,
                   Growth growth) {
    bound made{name, std::move(unit), limit, 0, true, {}};
    for (const auto& one : measured.servers) {
        const double found = growth(one);
        if (made.text.empty() || found > made.found) {
            made.found = found;
            made.text = one.before.id;
        }
    }
    made.is_kept = made.found <= limit && !measured.servers.empty();
    return made;
}

double each(double grown, const server_growth& one) {
    return one.generations() == 0 ? grown : grown / static_cast<double>(one.generations());
}

/// The slowest answers of the windows with reloads: by whom, and how far a reload was by then.
std::string slowest(const history& seen, const measures& measured) {
    constexpr std::size_t shown = 10;
    std::vector<const request*> all;
    for (const auto& one : seen.requests) {
        const auto is_in = [&one](const window& each) {
            return each.has_reloads && one.sent >= each.began && one.sent < each.ended;
        };
        if (one.what != kind::wait && one.answers > 0 && one.taken != none &&
            std::ranges::any_of(measured.windows, is_in)) {
            all.push_back(&one);
        }
    }
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(shown, all.size()));
    std::ranges::partial_sort(all, end, std::greater(),
                              [](const request* one) { return one->answered - one->sent; });
    std::string out = all.empty() ? "" : "the slowest during reloads:\n";
    for (auto each = all.begin(); each != end; ++each) {
        const auto& one = **each;
        const auto next = std::ranges::upper_bound(seen.reloads, one.sent, {}, &reload::began);
        const auto* by = next == seen.reloads.begin() ? nullptr : &*std::prev(next);
        fmt::format_to(std::back_inserter(out), "  {:<6} {:>8.3f} ms by {}", to_string(one.what),
                       static_cast<double>(one.answered - one.sent) / 1e6,
                       seen.stamps[one.taken].server);
        if (by != nullptr) {
            fmt::format_to(std::back_inserter(out),
                           ", sent {:.1f} ms after the start of a reload "
                           "of {} that took {:.1f} ms",
                           static_cast<double>(one.sent - by->began) / 1e6, by->target,
                           static_cast<double>(by->ended - by->began) / 1e6);
        }
        out += '\n';
    }
    return out;
}

} // namespace

std::vector<bound> bounds_of(const run_options& options, const history& seen,
                             const measures& measured, std::uint64_t memory_slack_kib) {
    const auto figures = figures_of(seen, measured);
    std::vector<bound> all;
    all.push_back(rate_bound(figures, options.rate_floor));
    all.push_back(latency_bound(figures));
    all.push_back(growth_bound(
        "memory", "KiB per generation", memory_limit_kib, measured, [&](const server_growth& one) {
            const auto grown =
                signed_growth(one.held_before.rss_kib + memory_slack_kib, one.held_after.rss_kib);
            return each(grown, one);
        }));
    all.push_back(
        growth_bound("maps", "per generation", maps_limit, measured, [](const server_growth& one) {
            return each(signed_growth(one.held_before.maps, one.held_after.maps), one);
        }));
    all.push_back(growth_bound("threads", "", 0, measured, [](const server_growth& one) {
        return signed_growth(one.held_before.threads, one.held_after.threads);
    }));
    all.push_back(growth_bound("descriptors", "", 0, measured, [](const server_growth& one) {
        return signed_growth(one.held_before.descriptors, one.held_after.descriptors);
    }));
    all.push_back(growth_bound("ending", "generations", 0, measured, [](const server_growth& one) {
        return static_cast<double>(one.after.ending + one.after.kept);
    }));
    return all;
}

std::string text_report(const run_options& options, const history& seen, const measures& measured,
                        const findings& found, const std::vector<bound>& bounds) {
    std::string out;
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "machine: {}\nflags:   {}\n", bench::machine(), bench::build_flags());
    fmt::format_to(to,
                   "run:     {} sessions in {} rooms, {} requests/s, at most {} unanswered each; "
                   "{} reloads in {} windows, {} ms apart at least\n\n",
                   options.sessions, options.rooms, options.rate, options.pipeline, options.reloads,
                   options.windows, options.every_ms);
    fmt::format_to(to,
                   "window     seconds  reloads  requests/s   p50 ms   p99 ms p99.9 ms   max ms\n");
    for (const auto& one : figures_of(seen, measured)) {
        fmt::format_to(to, "{:<10} {:>7.1f} {:>8} {:>11.0f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f}\n",
                       one.when.has_reloads ? "reloads" : "quiet", one.seconds(), one.reloads,
                       one.rate(), one.ms(0.5), one.ms(0.99), one.ms(0.999),
                       static_cast<double>(one.times.max_ns()) / 1e6);
    }
    bench::latency commands;
    bench::latency swaps;
    for (const auto& one : seen.reloads) {
        commands.record(one.ended - one.began);
        for (const auto& instance : one.swaps) {
            swaps.record(static_cast<nanoseconds>(instance.ms * 1e6));
        }
    }
    fmt::format_to(to,
                   "\n{} reloads, ms: p50 {:.1f}, max {:.1f}; an instance, as reported: p50 "
                   "{:.1f}, max {:.1f} ({})\n\n",
                   commands.count(), commands.percentile_us(0.5) / 1000,
                   static_cast<double>(commands.max_ns()) / 1e6, swaps.percentile_us(0.5) / 1000,
                   static_cast<double>(swaps.max_ns()) / 1e6, swaps.count());
    out += slowest(seen, measured) + '\n';
    fmt::format_to(to, "server                generations   rss KiB before   after     maps   "
                       "after  threads   after   fds   after\n");
    for (const auto& one : measured.servers) {
        const auto& was = one.held_before;
        const auto& is = one.held_after;
        fmt::format_to(to, "{:<24} {:>8} {:>16} {:>7} {:>8} {:>7} {:>8} {:>7} {:>5} {:>7}\n",
                       one.before.id, one.generations(), was.rss_kib, is.rss_kib, was.maps, is.maps,
                       was.threads, is.threads, was.descriptors, is.descriptors);
    }
    fmt::format_to(
        to, "\nchecked: {} requests ({} under way during a reload), {} pushes, {} swaps, {} rows\n",
        found.requests, found.across, found.pushes, found.swaps, found.rows);
    for (const auto& one : bounds) {
        fmt::format_to(to, "{:<8} {:<12} {:>10.2f} of {} {} ({})\n",
                       one.is_kept ? "kept" : "BROKEN", one.name, one.found, one.limit, one.unit,
                       one.text);
    }
    for (std::size_t i = 0; i < rules; ++i) {
        if (found.counts[i] > 0) {
            fmt::format_to(to, "BROKEN   {} {}\n", to_string(static_cast<rule>(i)),
                           found.counts[i]);
        }
    }
    for (const auto& one : found.explained) {
        fmt::format_to(to, "  {}: {}\n", to_string(one.broken), one.text);
    }
    if (!measured.problem.empty()) {
        fmt::format_to(to, "problem: {}\n", measured.problem);
    }
    return out;
}

} // namespace shaddock::reload
