#include "run_with_master.hpp"

#include "cli/run.hpp"
#include "master/admin.hpp"
#include "master/commands.hpp"
#include "master/start_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <optional>

namespace shaddock::cli {
namespace {

/// Longer than any start or stop that the master lets pass, for as many servers as there may be.
constexpr std::chrono::minutes longest_start{60};

/// Nothing when no master runs; that has been said then.
std::optional<master::admin_client> open(const place& where) {
    auto found = master::admin_client::open(std::filesystem::absolute(where.run));
    if (!found) {
        complain(found.error().text());
        return std::nullopt;
    }
    return std::move(*found);
}

int print_starts(const result<std::string>& answer, bool as_json) {
    if (!answer) {
        return complain(answer.error().text());
    }
    const auto lines = master::starts_from_json(*answer);
    if (!lines) {
        return complain(lines.error().text());
    }
    const auto text = as_json ? *answer + "\n" : master::to_table(*lines);
    std::fputs(text.c_str(), stdout);
    return master::has_succeeded(*lines) ? 0 : exit_failed;
}

std::string row_of(const master::log_answer& from) {
    if (!from.levels) {
        return fmt::format("{:<20} {}\n", from.id, from.levels.error().text());
    }
    auto text = fmt::format("{:<20} {}", from.id, to_string(from.levels->threshold));
    for (const auto& [area, at] : from.levels->areas) {
        text += fmt::format("  {}: {}", area, to_string(at));
    }
    return text + "\n";
}

} // namespace

int run_command(const list_command& wanted) {
    const auto master = open(wanted.where);
    if (!master) {
        return exit_no_master;
    }
    const auto lines = master->list(wanted.with_all);
    if (!lines) {
        return complain(lines.error().text());
    }
    const auto text = wanted.as_json ? master::to_json(*lines) + "\n" : master::to_table(*lines);
    std::fputs(text.c_str(), stdout);
    return 0;
}

int run_command(const stop_command& wanted) {
    const auto master = open(wanted.where);
    if (!master) {
        return exit_no_master;
    }
    const auto stopped = master->stop(wanted.ids);
    if (!stopped) {
        return complain(stopped.error().text());
    }
    fmt::print("stopped: {}\n",
               wanted.ids.empty() ? "everything" : fmt::format("{}", fmt::join(wanted.ids, ", ")));
    return 0;
}

int run_command(const reload_command& wanted) {
    const auto master = open(wanted.where);
    if (!master) {
        return exit_no_master;
    }
    const auto lines = master->reload(wanted.targets, wanted.is_rollback);
    if (!lines) {
        return complain(lines.error().text());
    }
    const auto text = wanted.as_json ? master::to_json(*lines) + "\n" : master::to_table(*lines);
    std::fputs(text.c_str(), stdout);
    return master::has_succeeded(*lines) ? 0 : exit_failed;
}

int run_command(const add_command& wanted) {
    const auto master = open(wanted.where);
    if (!master) {
        return exit_no_master;
    }
    return print_starts(
        master->call("POST", "/api/add", master::addition_json(wanted.keys), longest_start),
        wanted.as_json);
}

int run_command(const restart_command& wanted) {
    const auto master = open(wanted.where);
    if (!master) {
        return exit_no_master;
    }
    return print_starts(
        master->call("POST", "/api/restart", master::targets_json(wanted.targets), longest_start),
        wanted.as_json);
}

int run_command(const kill_command& wanted) {
    const auto master = open(wanted.where);
    if (!master) {
        return exit_no_master;
    }
    const auto killed = master->kill(wanted.ids);
    if (!killed) {
        return complain(killed.error().text());
    }
    fmt::print("killed: {}\n",
               wanted.ids.empty() ? "everything" : fmt::format("{}", fmt::join(wanted.ids, ", ")));
    return 0;
}

int run_command(const log_command& wanted) {
    const auto master = open(wanted.where);
    if (!master) {
        return exit_no_master;
    }
    const auto answer = master->call(
        "POST", "/api/log", master::log_request_json({wanted.target}, {wanted.level, wanted.area}));
    if (!answer) {
        return complain(answer.error().text());
    }
    if (wanted.as_json) {
        fmt::print("{}\n", *answer);
    }
    const auto all = master::log_answers_from_json(*answer);
    if (!all) {
        return complain(all.error().text());
    }
    int status = 0;
    for (const auto& each : *all) {
        status = each.levels ? status : exit_failed;
        if (!wanted.as_json) {
            std::fputs(row_of(each).c_str(), stdout);
        }
    }
    return status;
}

} // namespace shaddock::cli
