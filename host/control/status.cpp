#include "control/status.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::control {
namespace {

constexpr std::size_t short_digits = 12;

/// `12 rooms with 40 members are left, and it ends in 25 min at the latest`.
std::string text_of(const drain_left& drain, bool is_down) {
    const auto rooms = drain.rooms.value_or(0);
    const auto members = drain.members.value_or(0);
    auto text =
        drain.rooms
            ? fmt::format("{} room{} with {} member{} {} left", rooms, rooms == 1 ? "" : "s",
                          members, members == 1 ? "" : "s", rooms == 1 ? "is" : "are")
        : is_down ? std::string("it is down: `host restart` starts it, or `host stop` moves its "
                                "rooms")
                  : std::string("it has not said yet which rooms are left");
    if (drain.ends_in_s) {
        const auto left = *drain.ends_in_s;
        text +=
            fmt::format(", and it ends in {} at the latest",
                        left < 120 ? fmt::format("{} s", left) : fmt::format("{} min", left / 60));
    }
    return text;
}

} // namespace

std::string_view to_string(server_state state) {
    switch (state) {
    case server_state::starting:
        return "starting";
    case server_state::ready:
        return "ready";
    case server_state::draining:
        return "draining";
    case server_state::stopped:
        return "stopped";
    case server_state::failed:
        return "failed";
    case server_state::stalled:
        return "stalled";
    case server_state::silent:
        return "silent";
    case server_state::joining:
        return "joining";
    }
    return "unknown";
}

std::optional<pid_t> server_row::process() const {
    const auto* known = std::get_if<pid_t>(&pid);
    return known == nullptr || *known == 0 ? std::nullopt : std::optional(*known);
}

void server_row::set_process(std::optional<pid_t> now) {
    pid = std::monostate();
    if (now) {
        pid = *now;
    }
}

server_row silent_row(const std::string& machine, std::string reason) {
    server_row row;
    row.id = machine;
    row.type = "master";
    row.state = to_string(server_state::silent);
    row.missing = true;
    row.machine = machine;
    row.reason = std::move(reason);
    return row;
}

std::string to_table(const server_rows& rows) {
    const bool has_machines =
        std::ranges::any_of(rows, [](const auto& row) { return row.machine.has_value(); });
    const auto line = [has_machines](std::string_view machine, const auto&... cells) {
        return (has_machines ? fmt::format("{:<16} ", machine) : std::string()) +
               fmt::format(
                   "{:<20} {:<10} {:>8} {:<9} {:>9} {:>9} {:>6} {:<16} {:<10} {:<12} {:>4} {}\n",
                   cells...);
    };
    auto table = line("machine", "id", "type", "pid", "state", "uptime_s", "rss_kb", "conns",
                      "module", "version", "build", "gen", "incarnation");
    for (const auto& row : rows) {
        const auto pid = row.process();
        table += line(row.machine.value_or("-"), row.id, row.type, pid ? std::to_string(*pid) : "-",
                      row.state, row.uptime_s, row.rss_kb, row.connections, row.module, row.version,
                      short_build_id(row.build_id), row.generation, row.incarnation);
    }
    for (const auto& row : rows) {
        if (row.is(server_state::silent)) {
            table += fmt::format("the master of {} is silent: {}; what runs there is not known\n",
                                 row.id, row.reason.value_or("it does not answer"));
        }
        if (row.draining) {
            table += fmt::format("{} drains: {}\n", row.id, text_of(*row.draining, !row.process()));
        }
        if (row.kept > 0) {
            table +=
                fmt::format("warning: {} keeps {} old generation{} whose work did not end when "
                            "it was cancelled; a restart frees what they hold\n",
                            row.id, row.kept, row.kept == 1 ? "" : "s");
        }
    }
    return table;
}

std::string short_build_id(std::string_view build_id) {
    return build_id.empty() ? "-" : std::string(build_id.substr(0, short_digits));
}

health health_of(const server_rows& rows) {
    health said;
    for (const auto& row : rows) {
        if (row.missing) {
            said.missing.push_back({row.id, row.state});
        }
    }
    said.healthy = said.missing.empty();
    return said;
}

std::string to_text(const health& said, const server_rows& rows) {
    std::size_t draining = 0;
    std::size_t serving = 0;
    for (const auto& row : rows) {
        const bool drains = row.draining && row.is(server_state::draining); // else it stops
        draining += drains ? 1 : 0;
        serving += drains || row.is(server_state::ready) ? 1 : 0;
    }
    auto text = fmt::format("{}: {} of {} serve", said.healthy ? "healthy" : "not healthy", serving,
                            serving + said.missing.size());
    for (const auto& one : said.missing) {
        text += fmt::format(", {} is {}", one.id, one.state);
    }
    if (draining > 0) {
        text += fmt::format(", {} drain{}", draining, draining == 1 ? "s" : "");
    }
    return text;
}

} // namespace shaddock::control
