#include "cluster_commands.hpp"

#include "base/log.hpp"
#include "control/codec.hpp"
#include "control/masters.hpp"
#include "control/metrics.hpp"
#include "rolling_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace shaddock::master {
namespace {

/// For an answer that needs no work; who needs longer is silent.
constexpr std::chrono::seconds look_patience{2};
/// Each master gives its own servers a second.
constexpr std::chrono::seconds numbers_patience{3};
/// As the commands themselves wait for their master.
constexpr std::chrono::seconds answer_patience{10};
constexpr std::chrono::seconds stop_patience{60};
constexpr std::chrono::minutes reload_patience{30};
constexpr std::chrono::minutes start_patience{60};

std::string silence_of(const machine_view& one) {
    return fmt::format("the master of {} is silent: {}", one.place.name, one.silent);
}

std::string ids_text(const std::vector<std::string>& ids) {
    return control::to_json(control::end_of(ids));
}

result<void> joined(const std::vector<error>& failed) {
    if (failed.empty()) {
        return {};
    }
    std::string text;
    for (const auto& one : failed) {
        text += fmt::format("{}{}", text.empty() ? "" : "\n", one.text());
    }
    return error(failed.front().code(), std::move(text));
}

template <class Answer>
result<Answer> answer_in(const result<std::string>& text, const std::string& machine) {
    if (!text) {
        return text.error();
    }
    if constexpr (std::is_void_v<Answer>) {
        return {};
    } else {
        return control::from_json<Answer>(*text, machine);
    }
}

/// What others say of their servers has come over the wire.
std::vector<server_metrics> heard(const control::told_servers& all, const std::string& machine) {
    std::vector<server_metrics> servers;
    for (const auto& one : all.servers) {
        auto families = control::heard(one.families);
        if (!families) {
            base::log::debug("master", "no metrics of {} on {}: {}", one.id, machine,
                             families.error().text());
            continue;
        }
        servers.push_back({one.id, one.type, std::move(*families), machine});
    }
    return servers;
}

server_metrics silent_metrics(const std::string& machine) {
    server_metrics made{machine, "master", {}, machine};
    add_up(made.families, false);
    return made;
}

} // namespace

/// Waits for the answers of several, and hands them on in the order in which they were asked.
template <class Answer>
class cluster_commands::joining : public std::enable_shared_from_this<joining<Answer>> {
public:
    explicit joining(all_call<Answer> done) : done_(std::move(done)) {}

    done_call<Answer> next(std::string machine, bool is_here) {
        all_.push_back({std::move(machine), is_here, error()});
        ++open_;
        return [self = this->shared_from_this(), i = all_.size() - 1](result<Answer> answer) {
            self->all_[i].answer = std::move(answer);
            self->end();
        };
    }
    /// All are asked.
    void end() {
        if (--open_ == 0) {
            done_(std::move(all_));
        }
    }

private:
    std::vector<said<Answer>> all_;
    /// One more than asked, so that no early answer ends it.
    std::size_t open_ = 1;
    all_call<Answer> done_;
};

cluster_commands::cluster_commands(base::clock& clock, commands& here, peers& others,
                                   machine_place place)
    : here_(here), others_(others), place_(std::move(place)),
      answers_(clock, others,
               [this](std::string_view what, const std::string& args, peers::done_call done) {
                   answer(what, args, std::move(done));
               }) {}

std::string cluster_commands::name() const {
    auto now = others_.name();
    return now.empty() ? place_.name : now;
}

/// Another master asks.
void cluster_commands::answer(std::string_view what, const std::string& args,
                              peers::done_call done) {
    if (what != "rows") {
        return carry_out(here_, what, args, std::move(done));
    }
    here_.list(true, [hosts = place_.hosts,
                      done = std::move(done)](result<control::server_rows> rows) mutable {
        done(rows ? result<std::string>(
                        control::to_json(control::machine_rows{std::move(hosts), std::move(*rows)}))
                  : rows.error());
    });
}

template <class Answer>
void cluster_commands::ask(const std::string& machine, std::string_view what,
                           const std::string& args, base::duration patience,
                           done_call<Answer> done) {
    ask_peer(others_, machine, what, args, patience,
             [machine, done = std::move(done)](const result<std::string>& text) mutable {
                 done(answer_in<Answer>(text, machine));
             });
}

void cluster_commands::look(base::unique_function<void(const cluster_view&)> done) {
    others_.when_known([this, done = std::move(done)]() mutable {
        if (is_alone()) {
            return done(cluster_view({}));
        }
        look_at_all(std::move(done));
    });
}

void cluster_commands::look_at_all(base::unique_function<void(const cluster_view&)> done) {
    const auto all = std::make_shared<joining<control::machine_rows>>(
        [place = place_, done = std::move(done)](auto answers) mutable {
            std::vector<machine_view> machines;
            for (auto& [machine, is_here, answer] : answers) {
                machine_view one{{machine, {}}, {}, {}};
                if (answer) {
                    one.place.hosts = is_here ? place.hosts : std::move(answer->hosts);
                    one.rows = std::move(answer->rows);
                } else {
                    one.silent = answer.error().text();
                }
                for (auto& row : one.rows) {
                    row.machine = machine;
                }
                machines.push_back(std::move(one));
            }
            done(cluster_view(std::move(machines)));
        });
    here_.list(true, [next = all->next(name(), true)](result<control::server_rows> rows) mutable {
        next(rows ? result<control::machine_rows>(control::machine_rows{{}, std::move(*rows)})
                  : rows.error());
    });
    for (const auto& machine : others_.masters()) {
        ask<control::machine_rows>(machine, "rows", "{}", look_patience, all->next(machine, false));
    }
    all->end();
}

template <class Answer>
void cluster_commands::each(const std::vector<command_share>& shares, std::string_view what,
                            const args_call& args, base::duration patience,
                            const here_call<Answer>& here, all_call<Answer> done) {
    const auto all = std::make_shared<joining<Answer>>(std::move(done));
    for (const auto& share : shares) {
        auto next = all->next(share.machine, share.is_here);
        if (share.is_here) {
            here(share.words, std::move(next));
        } else {
            ask<Answer>(share.machine, what, args(share.words), patience, std::move(next));
        }
    }
    all->end();
}

void cluster_commands::list(bool with_all, done_call<control::server_rows> done) {
    look([this, with_all, done = std::move(done)](const cluster_view& all) mutable {
        if (all.is_alone()) {
            return here_.list(with_all, std::move(done));
        }
        done(all.rows(with_all));
    });
}

void cluster_commands::end(std::string_view what, const words_list& words, args_call args,
                           here_call<void> here, done_call<void> done) {
    look([this, what, words, args = std::move(args), here = std::move(here),
          done = std::move(done)](const cluster_view& all) mutable {
        if (all.is_alone()) {
            return here(words, std::move(done));
        }
        const auto shares = all.shares(words);
        if (!shares) {
            return done(shares.error());
        }
        std::vector<error> failed;
        for (const auto* one : all.unheard(words)) {
            failed.emplace_back(errc::no_server, silence_of(*one));
        }
        each<void>(*shares, what, args, stop_patience, here,
                   [failed = std::move(failed),
                    done = std::move(done)](const std::vector<said<void>>& answers) mutable {
                       for (const auto& [machine, is_here, answer] : answers) {
                           if (!answer) {
                               failed.emplace_back(
                                   answer.error().code(),
                                   fmt::format("{}: {}", machine, answer.error().text()));
                           }
                       }
                       done(joined(failed));
                   });
    });
}

void cluster_commands::stop(const words_list& words, done_call<void> done) {
    end(
        "stop", words, ids_text,
        [this](const auto& own, auto ended) { here_.stop(own, std::move(ended)); },
        std::move(done));
}

void cluster_commands::kill(const words_list& words, done_call<void> done) {
    end(
        "kill", words, ids_text,
        [this](const auto& own, auto ended) { here_.kill(own, std::move(ended)); },
        std::move(done));
}

void cluster_commands::remove(const words_list& words, done_call<void> done) {
    end(
        "remove", words, ids_text,
        [this](const auto& own, auto ended) { here_.remove(own, std::move(ended)); },
        std::move(done));
}

void cluster_commands::drain(const words_list& words, std::chrono::milliseconds within,
                             done_call<void> done) {
    end(
        "drain", words,
        [within](const auto& ids) {
            return control::to_json(
                control::drain_request{ids, static_cast<std::uint64_t>(within.count())});
        },
        [this, within](const auto& own, auto ended) { here_.drain(own, within, std::move(ended)); },
        std::move(done));
}

template <class Results>
void cluster_commands::roll(std::string_view what, const words_list& words, std::string not_tried,
                            base::duration patience, args_call args, here_call<Results> here,
                            done_call<Results> done) {
    const bool is_of_master = std::ranges::find(words, "master") != words.end();
    if (is_of_master) {
        return here(words, std::move(done));
    }
    look([this, what, words, not_tried = std::move(not_tried), patience, args = std::move(args),
          here = std::move(here), done = std::move(done)](const cluster_view& all) mutable {
        if (all.is_alone()) {
            return here(words, std::move(done));
        }
        auto shares = all.shares(words);
        if (!shares) {
            return done(shares.error());
        }
        const auto call = [this, what, patience, args = std::move(args), here = std::move(here)](
                              const command_share& share, done_call<Results> ended) {
            if (share.is_here) {
                return here(share.words, std::move(ended));
            }
            ask<Results>(share.machine, what, args(share.words), patience, std::move(ended));
        };
        std::make_shared<rolling_command<Results>>(all, std::move(*shares), std::move(not_tried),
                                                   call, std::move(done))
            ->start(all.unheard(words));
    });
}

void cluster_commands::restart(const words_list& words, done_call<control::start_results> done) {
    roll<control::start_results>(
        "restart", words, "not touched: another server of its type has failed", start_patience,
        [](const auto& own) { return control::to_json(control::target_request{own}); },
        [this](const auto& own, auto ended) { here_.restart(own, std::move(ended)); },
        std::move(done));
}

void cluster_commands::reload(const control::reload_request& wanted,
                              done_call<control::reload_results> done) {
    const auto with = [wanted](const words_list& own) {
        auto one = wanted;
        one.targets = own;
        return one;
    };
    roll<control::reload_results>(
        "reload", wanted.targets, "not asked: another server of its type has refused",
        reload_patience, [with](const auto& own) { return control::to_json(with(own)); },
        [this, with](const auto& own, auto ended) { here_.reload(with(own), std::move(ended)); },
        std::move(done));
}

void cluster_commands::add(const control::addition_keys& keys,
                           done_call<control::start_results> done) {
    std::string host;
    for (const auto& [key, value] : keys) {
        host = key == "host" ? value : host;
    }
    const auto is_of_this = [&](std::string_view name) { return host == name; };
    if (host.empty() ||
        std::ranges::any_of(std::array{"127.0.0.1", "::1", "localhost"}, is_of_this) ||
        std::ranges::any_of(place_.hosts, is_of_this)) {
        return here_.add(keys, std::move(done));
    }
    look([this, keys, host, done = std::move(done)](const cluster_view& all) mutable {
        if (all.is_alone()) {
            return here_.add(keys, std::move(done));
        }
        const auto* one = all.machine_of_host(host);
        if (one == nullptr) {
            return done(
                error(errc::config, fmt::format("add: host: found '{}', expected an address "
                                                "of a machine of the system: {}",
                                                host, all.hosts_text())));
        }
        ask<control::start_results>(one->place.name, "add",
                                    control::to_json(control::addition_of(keys)), start_patience,
                                    [machine = one->place.name, done = std::move(done)](
                                        result<control::start_results> made) mutable {
                                        if (made) {
                                            for (auto& each : made->results) {
                                                each.machine = machine;
                                            }
                                        }
                                        done(std::move(made));
                                    });
    });
}

template <class Results>
void cluster_commands::gather(std::string_view what, const words_list& words, args_call args,
                              here_call<Results> here, done_call<Results> done) {
    using record = typename decltype(Results::results)::value_type;
    look([this, what, words, args = std::move(args), here = std::move(here),
          done = std::move(done)](const cluster_view& all) mutable {
        if (all.is_alone()) {
            return here(words, std::move(done));
        }
        const auto shares = all.shares_or_everybody(words);
        if (!shares) {
            return done(shares.error());
        }
        Results made;
        for (const auto* one : all.unheard(words.empty() ? words_list{"all"} : words)) {
            made.results.push_back(failed_record<record>(one->place.name, one->silent));
        }
        each<Results>(*shares, what, args, answer_patience, here,
                      [made = std::move(made),
                       done = std::move(done)](std::vector<said<Results>> answers) mutable {
                          for (auto& [machine, is_here, answer] : answers) {
                              if (!answer) {
                                  made.results.push_back(
                                      failed_record<record>(machine, answer.error().text()));
                                  continue;
                              }
                              const bool is_told =
                                  !is_here || !std::is_same_v<record, control::log_tail>;
                              for (auto& one : answer->results) {
                                  one.machine = is_told ? std::optional(machine) : std::nullopt;
                                  made.results.push_back(std::move(one));
                              }
                          }
                          done(std::move(made));
                      });
    });
}

void cluster_commands::log(const control::log_request& wanted,
                           done_call<control::log_results> done) {
    const auto with = [wanted](const words_list& own) {
        auto one = wanted;
        one.targets = own;
        return one;
    };
    gather<control::log_results>(
        "log", wanted.targets, [with](const auto& own) { return control::to_json(with(own)); },
        [this, with](const auto& own, auto ended) { here_.log(with(own), std::move(ended)); },
        std::move(done));
}

void cluster_commands::logs(const control::logs_request& wanted,
                            done_call<control::log_tails> done) {
    const auto with = [lines = wanted.lines](const words_list& own) {
        return control::logs_request{own, lines};
    };
    gather<control::log_tails>(
        "logs", wanted.targets, [with](const auto& own) { return control::to_json(with(own)); },
        [this, with](const auto& own, auto ended) { here_.logs(with(own), std::move(ended)); },
        std::move(done));
}

void cluster_commands::metrics(done_call<std::vector<server_metrics>> done) {
    if (is_alone()) {
        return here_.metrics(std::move(done));
    }
    using servers = std::vector<server_metrics>;
    const auto all = std::make_shared<joining<servers>>(
        [done = std::move(done)](std::vector<said<servers>>&& answers) mutable {
            servers made;
            for (auto& [machine, is_here, answer] : answers) {
                if (!answer) {
                    made.push_back(silent_metrics(machine));
                    continue;
                }
                for (auto& one : *answer) {
                    one.machine = machine;
                    made.push_back(std::move(one));
                }
            }
            done(std::move(made));
        });
    here_.metrics(all->next(name(), true));
    for (const auto& machine : others_.masters()) {
        ask<control::told_servers>(
            machine, "metrics", "{}", numbers_patience,
            [machine,
             next = all->next(machine, false)](const result<control::told_servers>& told) mutable {
                next(told ? result<servers>(heard(*told, machine)) : told.error());
            });
    }
    all->end();
}

} // namespace shaddock::master
