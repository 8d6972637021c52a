#include "report.hpp"

#include "check/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

namespace shaddock::bench {
namespace {

double per_second(std::uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double us_each(double seconds, std::uint64_t count) {
    return count > 0 ? seconds * 1e6 / static_cast<double>(count) : 0;
}

std::string latency_line(const char* what, const latency& times) {
    return fmt::format("{:<12} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f}   ({})\n", what,
                       times.percentile_us(0.5), times.percentile_us(0.99),
                       times.percentile_us(0.999), static_cast<double>(times.max_ns()) / 1000,
                       times.count());
}

std::string latency_json(const latency& times) {
    return fmt::format(
        R"({{"count":{},"mean_us":{:.1f},"p50_us":{:.1f},"p99_us":{:.1f},"p999_us":{:.1f},"max_us":{:.1f}}})",
        times.count(), times.mean_us(), times.percentile_us(0.5), times.percentile_us(0.99),
        times.percentile_us(0.999), static_cast<double>(times.max_ns()) / 1000);
}

std::string shape(const load_options& options) {
    return fmt::format(
        R"("users":{},"rooms":{},"senders":{},"rate":{},"pipeline":{},"size":{},"private":{},"to_self":{},"switch_every_s":{},"churn_every_s":{})",
        options.users, options.rooms, options.senders == 0 ? options.users : options.senders,
        options.rate, options.pipeline, options.size, options.private_share, options.is_to_self,
        options.switch_every_s, options.churn_every_s);
}

} // namespace

std::string text_report(const load_options& options, const stage& all, const measures& measured,
                        const check_report& found) {
    std::string out;
    const auto to = std::back_inserter(out);
    const auto requests = all.requests.count();
    const auto deliveries = all.deliveries.count();
    fmt::format_to(to, "machine: {}\nflags:   {}\nrun:     {{{}}}\n\n", machine(), build_flags(),
                   shape(options));
    fmt::format_to(to, "logins     {:>9} in {:.2f} s, {:.0f}/s\n", all.logins.count(),
                   measured.login_s, per_second(all.entered, measured.login_s));
    fmt::format_to(to, "requests   {:>9} in {:.2f} s, {:.0f}/s ({} refused)\n", requests,
                   measured.load_s, per_second(requests, measured.load_s), all.refused);
    fmt::format_to(to, "deliveries {:>9}, {:.0f}/s\n", deliveries,
                   per_second(deliveries, measured.load_s));
    fmt::format_to(to, "moves      {:>9} changes of room, {} departures\n\n", all.switches,
                   all.departures);
    fmt::format_to(to, "latency, us        p50       p99     p99.9       max\n");
    out += latency_line("login", all.logins) + latency_line("request", all.requests) +
           latency_line("delivery", all.deliveries);
    fmt::format_to(to, "\nCPU, us     {:>10} {:>10} {:>10}\n", "login", "request", "delivery");
    if (measured.processes.empty()) {
        out += "servers     not measured (--cpu-of, --cpu-children-of)\n";
    } else {
        fmt::format_to(to, "servers     {:>10.1f} {:>10.2f} {:>10.3f}   ({:.2f} s, {} processes)\n",
                       us_each(measured.login_cpu.servers_s, all.entered),
                       us_each(measured.load_cpu.servers_s, requests),
                       us_each(measured.load_cpu.servers_s, deliveries),
                       measured.load_cpu.servers_s, measured.processes.size());
    }
    fmt::format_to(to, "generator   {:>10.1f} {:>10.2f} {:>10.3f}   ({:.2f} s)\n\n",
                   us_each(measured.login_cpu.self_s, all.entered),
                   us_each(measured.load_cpu.self_s, requests),
                   us_each(measured.load_cpu.self_s, deliveries), measured.load_cpu.self_s);
    out += summary(found);
    if (!measured.problem.empty()) {
        fmt::format_to(to, "FAILED: {}\n", measured.problem);
    }
    return out;
}

std::string json_report(const load_options& options, const stage& all, const measures& measured,
                        const check_report& found) {
    const auto requests = all.requests.count();
    const auto deliveries = all.deliveries.count();
    std::string out = fmt::format(
        R"({{"machine":"{}","flags":"{}","run":{{{}}},"problem":"{}","login_s":{:.3f},"load_s":{:.3f},)",
        machine(), build_flags(), shape(options), measured.problem, measured.login_s,
        measured.load_s);
    const auto to = std::back_inserter(out);
    fmt::format_to(to,
                   R"("logins_per_s":{:.1f},"requests_per_s":{:.1f},"deliveries_per_s":{:.1f},)",
                   per_second(all.entered, measured.login_s), per_second(requests, measured.load_s),
                   per_second(deliveries, measured.load_s));
    fmt::format_to(
        to, R"("sent":{},"refused":{},"switches":{},"departures":{},"latency":{{"login":{},)",
        all.sent, all.refused, all.switches, all.departures, latency_json(all.logins));
    fmt::format_to(to, R"("request":{},"delivery":{}}},"cpu":{{"processes":[{}],)",
                   latency_json(all.requests), latency_json(all.deliveries),
                   fmt::join(measured.processes, ","));
    fmt::format_to(
        to,
        R"("servers_s":{:.3f},"servers_us_per_login":{:.2f},"servers_us_per_request":{:.3f},"servers_us_per_delivery":{:.4f},)",
        measured.load_cpu.servers_s, us_each(measured.login_cpu.servers_s, all.entered),
        us_each(measured.load_cpu.servers_s, requests),
        us_each(measured.load_cpu.servers_s, deliveries));
    fmt::format_to(to, R"("generator_s":{:.3f}}},"check":{}}})", measured.load_cpu.self_s,
                   summary_json(found));
    return out;
}

} // namespace shaddock::bench
