#include "cli/run.hpp"
#include "master/admin.hpp"
#include "master/commands.hpp"
#include "master/start_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

namespace shaddock::cli {
namespace {

/// Longer than any start or stop that the master lets pass, for as many servers as there may be.
constexpr std::chrono::minutes longest_start{60};

/// Opens the running master's door, asks through it, and shows what was answered: a result's value.
template <class Ask, class Show>
int ask_master(const place& where, Ask ask, Show show) {
    const auto master = master::admin_client::open(std::filesystem::absolute(where.run));
    if (!master) {
        complain(master.error().text());
        return exit_no_master;
    }
    const auto answer = ask(*master);
    if (!answer) {
        return complain(answer.error().text());
    }
    return show(answer);
}

template <class Lines>
void print_lines(const Lines& lines, bool as_json) {
    const auto text = as_json ? master::to_json(lines) + "\n" : master::to_table(lines);
    std::fputs(text.c_str(), stdout);
}

/// All look ahead, whom it will cut off is said on stderr, and then those swap that can. They keep
/// what they opened for the look, so nothing is checked twice.
result<std::vector<master::reload_line>> reload_after_a_look(const master::admin_client& master,
                                                             master::reload_request wanted) {
    wanted.is_dry_run = true;
    auto lines = master.reload(wanted);
    if (!lines) {
        return lines;
    }
    std::fputs(master::to_warning(*lines).c_str(), stderr);
    wanted.is_dry_run = false;
    wanted.targets.clear();
    for (const auto& line : *lines) {
        if (line.is_ok()) {
            wanted.targets.push_back(line.id);
        }
    }
    if (wanted.targets.empty()) {
        return lines;
    }
    const auto swapped = master.reload(wanted);
    if (!swapped) {
        return swapped.error();
    }
    for (const auto& line : *swapped) {
        const auto looked = std::ranges::find(*lines, line.id, &master::reload_line::id);
        if (looked != lines->end()) {
            *looked = line;
        }
    }
    return lines;
}

void print_ended(const char* what, const std::vector<std::string>& ids) {
    fmt::print("{}: {}\n", what,
               ids.empty() ? "everything" : fmt::format("{}", fmt::join(ids, ", ")));
}

/// A call that starts servers, one line for each.
int start_with_master(const place& where, const char* target, const std::string& body,
                      bool as_json) {
    return ask_master(
        where, [&](const auto& master) { return master.call("POST", target, body, longest_start); },
        [&](const auto& answer) {
            const auto lines = master::starts_from_json(*answer);
            if (!lines) {
                return complain(lines.error().text());
            }
            const auto text = as_json ? *answer + "\n" : master::to_table(*lines);
            std::fputs(text.c_str(), stdout);
            return master::has_succeeded(*lines) ? 0 : exit_failed;
        });
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
    return ask_master(
        wanted.where, [&](const auto& master) { return master.list(wanted.with_all); },
        [&](const auto& lines) {
            print_lines(*lines, wanted.as_json);
            return 0;
        });
}

int run_command(const stop_command& wanted) {
    return ask_master(
        wanted.where, [&](const auto& master) { return master.stop(wanted.ids); },
        [&](const auto&) {
            print_ended("stopped", wanted.ids);
            return 0;
        });
}

int run_command(const reload_command& wanted) {
    return ask_master(
        wanted.where,
        [&](const auto& master) {
            return wanted.wanted.is_dry_run ? master.reload(wanted.wanted)
                                            : reload_after_a_look(master, wanted.wanted);
        },
        [&](const auto& lines) {
            print_lines(*lines, wanted.as_json);
            return master::has_succeeded(*lines) ? 0 : exit_failed;
        });
}

int run_command(const add_command& wanted) {
    return start_with_master(wanted.where, "/api/add", master::addition_json(wanted.keys),
                             wanted.as_json);
}

int run_command(const restart_command& wanted) {
    return start_with_master(wanted.where, "/api/restart", master::targets_json(wanted.targets),
                             wanted.as_json);
}

int run_command(const kill_command& wanted) {
    return ask_master(
        wanted.where, [&](const auto& master) { return master.kill(wanted.ids); },
        [&](const auto&) {
            print_ended("killed", wanted.ids);
            return 0;
        });
}

int run_command(const admin_command& wanted) {
    return ask_master(
        wanted.where, [](const auto& master) { return result<std::string>(master.page_url()); },
        [](const auto& url) {
            fmt::print("{}\n", *url);
            return 0;
        });
}

int run_command(const log_command& wanted) {
    return ask_master(
        wanted.where,
        [&](const auto& master) {
            return master.call(
                "POST", "/api/log",
                master::log_request_json({wanted.target}, {wanted.level, wanted.area}));
        },
        [&](const auto& answer) {
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
        });
}

} // namespace shaddock::cli
