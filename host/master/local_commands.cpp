#include "local_commands.hpp"

#include "config/units.hpp"
#include "log_commands.hpp"
#include "master/log_tail.hpp"
#include "rows.hpp"
#include "targets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

namespace shaddock::master {
namespace {

/// Of all logs of an answer.
constexpr std::size_t most_log_bytes = std::size_t{1024} * 1024;

std::set<std::string> leaving_in(const config::system& system) {
    std::set<std::string> ids;
    for (const auto& record : system.servers) {
        if (record.leaving) {
            ids.insert(record.id);
        }
    }
    return ids;
}

void add_warning(control::start_record& to, std::string text) {
    to.warning = to.warning ? *to.warning + "; " + text : std::move(text);
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// `start` is given what it calls once it has ended; what it refuses at once is answered, too.
template <class Answer, class Start>
void begin(commands::done_call<Answer> done, Start start) {
    auto kept = std::make_shared<commands::done_call<Answer>>(std::move(done));
    if (const auto begun = start(kept); !begun) {
        (*kept)(begun.error());
    }
}

template <class Answer>
auto ending(const std::shared_ptr<commands::done_call<Answer>>& done) {
    return [done](const Answer& made) { (*done)(made); };
}

} // namespace

control::server_rows local_commands::rows(bool with_all) const {
    control::server_rows all;
    for (const auto& child : with_.children.list()) {
        if (child.is_server || with_all) {
            all.push_back(row_of(child, with_.leaving.is_out(child.id),
                                 with_.book.is_unlisted(child.id), with_.phase.is_stopping));
            with_.draining.show(all.back());
        }
    }
    if (with_all) {
        all.push_back(master_row(with_.system.master.id, with_.options.version, with_.life,
                                 with_.phase.is_stopping));
    }
    return all;
}

void local_commands::list(bool with_all, done_call<control::server_rows> done) {
    done(rows(with_all));
}

result<commands::words_list> local_commands::ids_of(const words_list& words,
                                                    control::target_words taken) const {
    return control::resolve(words, names_of(with_.children.list()), taken);
}

void local_commands::stop(const words_list& words, done_call<void> done) {
    begin(std::move(done), [&](const auto& kept) -> result<void> {
        const auto ids = ids_of(words, control::target_words::anything);
        return ids ? with_.leaving.stop(*ids, [kept] { (*kept)({}); }) : ids.error();
    });
}

void local_commands::kill(const words_list& words, done_call<void> done) {
    begin(std::move(done), [&](const auto& kept) -> result<void> {
        const auto ids = ids_of(words, control::target_words::anything);
        return ids ? with_.leaving.kill(*ids, [kept] { (*kept)({}); }) : ids.error();
    });
}

void local_commands::remove(const words_list& words, done_call<void> done) {
    begin(std::move(done), [&](const auto& kept) -> result<void> {
        const auto ids = ids_of(words, control::target_words::servers);
        return ids ? with_.leaving.remove(*ids,
                                          [kept](result<void> gone) { (*kept)(std::move(gone)); })
                   : ids.error();
    });
}

void local_commands::kill_everything() {
    with_.say("killing everything", true);
    with_.children.kill_all();
    stop_everything();
}

void local_commands::drain(const words_list& words, std::chrono::milliseconds within,
                           done_call<void> done) {
    done(drain(words, within));
}

result<void> local_commands::drain(const words_list& words, std::chrono::milliseconds within) {
    if (auto able = with_.phase.allows("drained"); !able) {
        return able;
    }
    const auto ids = ids_of(words, control::target_words::servers);
    if (!ids) {
        return ids.error();
    }
    for (const auto& id : *ids) {
        if (with_.restarting.has(id)) { // which takes it back into the list
            return error(
                errc::duplicate,
                fmt::format("a restart of {} is under way: ask again when it has ended", id));
        }
    }
    auto begun = with_.draining.start(*ids, within);
    if (begun) {
        with_.leaving.forget_restarts(*ids);
        with_.say(fmt::format("asked to drain {} within {}", fmt::join(*ids, ", "),
                              config::show_duration(within)),
                  false);
    }
    return begun;
}

void local_commands::add(const control::addition_keys& keys,
                         done_call<control::start_results> done) {
    begin(std::move(done), [&](const auto& kept) -> result<void> {
        auto able = with_.phase.allows("added");
        return able ? with_.adding.start(keys, ending(kept)) : able;
    });
}

void local_commands::restart(const words_list& words, done_call<control::start_results> done) {
    begin(std::move(done), [&](const auto& kept) { return restart(words, ending(kept)); });
}

result<void> local_commands::restart(const words_list& words, restarts::done_call done) {
    if (with_.phase.is_stopping) {
        return with_.phase.allows("restarted");
    }
    if (std::ranges::find(words, with_.system.master.id) != words.end() ||
        std::ranges::find(words, "master") != words.end()) {
        return words.size() == 1
                   ? with_.replacing.start(std::move(done), with_.end_program)
                   : error(errc::bad_request, "the master is restarted by itself: name it alone");
    }
    return with_.restarting.start(words,
                                  [this, drained = leaving_in(with_.system),
                                   done = std::move(done)](control::start_results made) mutable {
                                      warn(made, drained);
                                      done(made);
                                  });
}

/// A record stays what it was when the system started. `drained`: who was to leave.
void local_commands::warn(control::start_results& made,
                          const std::set<std::string>& drained) const {
    const auto edited = edited_since(with_.system);
    for (auto& one : made.results) {
        if (std::ranges::find(edited, one.id) != edited.end()) {
            add_warning(one, fmt::format("its record in {} is another one by now, which counts "
                                         "only after `host stop` and `host start`, or "
                                         "`host remove` and `host add`",
                                         (with_.system.folder / "servers.json").string()));
            with_.say(fmt::format("{}: {}", one.id, *one.warning), true);
        }
        if (one.ok && drained.contains(one.id) && !with_.leaving.is_leaving(one.id)) {
            add_warning(one, "it no longer drains");
        }
    }
}

void local_commands::reload(const control::reload_request& wanted,
                            done_call<control::reload_results> done) {
    begin(std::move(done), [&](const auto& kept) -> result<void> {
        auto able = with_.phase.allows("reloaded");
        return able ? with_.reloading.start(wanted, ending(kept)) : able;
    });
}

void local_commands::log(const control::log_request& wanted, done_call<control::log_results> done) {
    begin(std::move(done), [&](const auto& kept) {
        return change_levels(with_.questions, with_.executor, with_.system.master.id,
                             with_.children.list(), wanted.targets, wanted, ending(kept));
    });
}

void local_commands::logs(const control::logs_request& wanted, done_call<control::log_tails> done) {
    const auto files = find_logs(with_.system, with_.children.list(), wanted.targets);
    if (!files) {
        return done(files.error());
    }
    control::log_tails all;
    for (const auto& [id, file] : *files) {
        const auto text = log_tail(file, wanted.lines, most_log_bytes / files->size());
        all.results.push_back({id, file.string(), lines_of(text), {}, {}});
    }
    done(std::move(all));
}

void local_commands::metrics(done_call<std::vector<server_metrics>> done) {
    with_.numbers.collect([done = std::move(done)](const auto& all) mutable { done(all); });
}

} // namespace shaddock::master
