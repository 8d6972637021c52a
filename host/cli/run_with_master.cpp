#include "base/clock.hpp"
#include "cli/run.hpp"
#include "config/units.hpp"
#include "control/codec.hpp"
#include "control/log.hpp"
#include "control/requests.hpp"
#include "control/start.hpp"
#include "control/targets.hpp"
#include "master/admin.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace shaddock::cli {
namespace {

/// Longer than any start or stop that the master lets pass, for as many servers as there may be.
constexpr std::chrono::minutes longest_start{60};

constexpr std::chrono::milliseconds ask_again{50};
constexpr std::chrono::milliseconds longest_take_over = std::chrono::seconds(30);

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

template <class Answer>
void print_table(const Answer& said, bool as_json) {
    const auto text = as_json ? control::to_json(said) + "\n" : control::to_table(said);
    std::fputs(text.c_str(), stdout);
}

/// All look ahead, whom it will cut off is said on stderr, and then those swap that can. They keep
/// what they opened for the look, so nothing is checked twice.
result<control::reload_results> reload_after_a_look(const master::admin_client& master,
                                                    control::reload_request wanted) {
    wanted.dry_run = true;
    auto looked = master.reload(wanted);
    if (!looked) {
        return looked;
    }
    std::fputs(control::to_warning(*looked).c_str(), stderr);
    wanted.dry_run = false;
    wanted.targets.clear();
    for (const auto& one : looked->results) {
        if (one.ok) {
            wanted.targets.push_back(one.id);
        }
    }
    if (wanted.targets.empty()) {
        return looked;
    }
    const auto swapped = master.reload(wanted);
    if (!swapped) {
        return swapped.error();
    }
    for (const auto& one : swapped->results) {
        const auto before = std::ranges::find(looked->results, one.id, &control::reload_record::id);
        if (before != looked->results.end()) {
            *before = one;
        }
    }
    return looked;
}

void print_ended(const char* what, const std::vector<std::string>& targets) {
    fmt::print("{}: {}\n", what,
               targets.empty() ? "everything" : fmt::format("{}", fmt::join(targets, ", ")));
}

/// A call that starts servers, one line for each.
int start_with_master(const place& where, const char* target, const std::string& body,
                      bool as_json) {
    return ask_master(
        where, [&](const auto& master) { return master.call("POST", target, body, longest_start); },
        [&](const auto& answer) {
            const auto made = control::from_json<control::start_results>(*answer);
            if (!made) {
                return complain(made.error().text());
            }
            print_table(*made, as_json);
            return control::has_succeeded(*made) ? 0 : exit_failed;
        });
}

std::optional<control::server_row> master_in(const place& where) {
    const auto door = master::admin_client::open(std::filesystem::absolute(where.run));
    const auto rows = door ? door->list(true) : door.error();
    if (rows) {
        const auto own = std::ranges::find(*rows, "master", &control::server_row::type);
        return own == rows->end() ? std::nullopt : std::optional(*own);
    }
    return std::nullopt;
}

/// Returns when the next one answers.
int restart_master(const restart_command& wanted) {
    const auto before = master_in(wanted.where);
    const int status = start_with_master(wanted.where, "/api/restart",
                                         control::to_json(control::target_request{wanted.targets}),
                                         wanted.as_json);
    if (status != 0 || !before) {
        return status;
    }
    boost::asio::io_context loop{1};
    base::steady_clock clock(loop.get_executor());
    for (const auto end = clock.now() + longest_take_over; clock.now() < end;) {
        const auto now = master_in(wanted.where);
        if (now && now->incarnation != before->incarnation) {
            return 0;
        }
        const auto again = clock.after(ask_again, [] {});
        loop.restart();
        loop.run();
    }
    return complain(
        "the next master does not answer: see master.log, and master.out of one that was "
        "started with -D; the servers serve on, and `host start` adopts them");
}

std::string row_of(const control::log_record& from) {
    const auto id = from.machine ? fmt::format("{}@{}", from.id, *from.machine) : from.id;
    if (!from.levels) {
        return fmt::format("{:<20} {}\n", id, from.reason.value_or(""));
    }
    auto text = fmt::format("{:<20} {}", id, from.levels->level);
    for (const auto& [area, level] : from.levels->areas) {
        text += fmt::format("  {}: {}", area, level);
    }
    return text + "\n";
}

} // namespace

int run_command(const list_command& wanted) {
    return ask_master(
        wanted.where, [&](const auto& master) { return master.list(wanted.with_all); },
        [&](const auto& rows) {
            print_table(*rows, wanted.as_json);
            return std::ranges::none_of(*rows, &control::server_row::missing) ? 0 : exit_failed;
        });
}

int run_command(const health_command& wanted) {
    const int status = ask_master(
        wanted.where, [&](const auto& master) { return master.list(true); },
        [&](const auto& rows) {
            const auto known = control::resolve(wanted.targets, control::names_of(*rows),
                                                control::target_words::anything);
            if (!known) {
                return complain(known.error().text());
            }
            auto asked = *rows;
            std::erase_if(asked, [&](const auto& row) {
                return !known->empty() && std::ranges::find(*known, row.id) == known->end();
            });
            const auto said = control::health_of(asked);
            fmt::print("{}\n",
                       wanted.as_json ? control::to_json(said) : control::to_text(said, asked));
            return said.healthy ? 0 : exit_failed;
        });
    return status == 0 ? 0 : exit_failed; // a probe knows nothing else
}

int run_command(const stop_command& wanted) {
    if (wanted.within) {
        return ask_master(
            wanted.where,
            [&](const auto& master) { return master.drain(wanted.targets, *wanted.within); },
            [&](const auto&) {
                fmt::print("draining: {}: new rooms go elsewhere; each ends when its rooms are "
                           "empty, or in {}; `host list` shows what is left\n",
                           fmt::join(wanted.targets, ", "), config::show_duration(*wanted.within));
                return 0;
            });
    }
    return ask_master(
        wanted.where, [&](const auto& master) { return master.stop(wanted.targets); },
        [&](const auto&) {
            print_ended("stopped", wanted.targets);
            return 0;
        });
}

int run_command(const reload_command& wanted) {
    return ask_master(
        wanted.where,
        [&](const auto& master) {
            return wanted.wanted.dry_run ? master.reload(wanted.wanted)
                                         : reload_after_a_look(master, wanted.wanted);
        },
        [&](const auto& ended) {
            print_table(*ended, wanted.as_json);
            return control::has_succeeded(*ended) ? 0 : exit_failed;
        });
}

int run_command(const add_command& wanted) {
    if (const auto good = control::check_keys(wanted.keys); !good) {
        return complain(good.error().text());
    }
    return start_with_master(wanted.where, "/api/add",
                             control::to_json(control::addition_of(wanted.keys)), wanted.as_json);
}

int run_command(const remove_command& wanted) {
    return ask_master(
        wanted.where, [&](const auto& master) { return master.remove(wanted.targets); },
        [&](const auto&) {
            print_ended("removed", wanted.targets);
            return 0;
        });
}

int run_command(const restart_command& wanted) {
    if (wanted.targets == std::vector<std::string>{"master"}) {
        return restart_master(wanted);
    }
    return start_with_master(wanted.where, "/api/restart",
                             control::to_json(control::target_request{wanted.targets}),
                             wanted.as_json);
}

int run_command(const kill_command& wanted) {
    return ask_master(
        wanted.where, [&](const auto& master) { return master.kill(wanted.targets); },
        [&](const auto&) {
            print_ended("killed", wanted.targets);
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
            const control::log_request asked{control::change_to(wanted.level, wanted.area),
                                             {wanted.target}};
            return master.call("POST", "/api/log", control::to_json(asked));
        },
        [&](const auto& answer) {
            if (wanted.as_json) {
                fmt::print("{}\n", *answer);
            }
            const auto all = control::from_json<control::log_results>(*answer);
            if (!all) {
                return complain(all.error().text());
            }
            int status = 0;
            for (const auto& each : all->results) {
                status = each.ok ? status : exit_failed;
                if (!wanted.as_json) {
                    std::fputs(row_of(each).c_str(), stdout);
                }
            }
            return status;
        });
}

} // namespace shaddock::cli
