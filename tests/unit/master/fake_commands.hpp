#pragma once

#include "commands.hpp"
#include "control/codec.hpp"
#include "control/targets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string>
#include <vector>

namespace shaddock::test {

/// What a master is asked, a line each; answered at once, with what the test has put there.
struct fake_commands final : master::commands {
    /// Of words that name a server here, or are refused.
    result<std::vector<std::string>> ids_of(const words_list& words) const {
        for (const auto& word : words) {
            if (const auto at = refusals.find(word); at != refusals.end()) {
                return at->second;
            }
        }
        auto there = control::names_of(rows);
        if (there.empty()) {
            return words;
        }
        there.push_back({"master", "master", false});
        return control::resolve(words, there, control::target_words::anything);
    }
    template <class Record, class Results>
    void each(const std::string& what, const words_list& words, done_call<Results> done) {
        asked.push_back(fmt::format("{} {}", what, fmt::join(words, " ")));
        const auto ids = ids_of(words);
        if (!ids) {
            return done(ids.error());
        }
        Results made;
        for (const auto& id : *ids) {
            Record one;
            one.id = id;
            if constexpr (requires { one.ok; }) {
                one.ok = !reasons.contains(id);
            }
            if (const auto why = reasons.find(id); why != reasons.end()) {
                one.reason = why->second;
            }
            if constexpr (requires { one.type; }) {
                for (const auto& row : rows) {
                    one.type = row.id == id ? row.type : one.type;
                }
            }
            made.results.push_back(std::move(one));
        }
        done(std::move(made));
    }
    void end(const std::string& what, const words_list& words, done_call<void> done) {
        asked.push_back(fmt::format("{} {}", what, fmt::join(words, " ")));
        const auto ids = ids_of(words);
        done(ids ? result<void>() : ids.error());
    }

    void list(bool with_all, done_call<control::server_rows> done) override {
        control::server_rows all;
        const auto names = control::names_of(rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (with_all || names[i].is_server) {
                all.push_back(rows[i]);
            }
        }
        done(std::move(all));
    }
    void stop(const words_list& words, done_call<void> done) override {
        end("stop", words, std::move(done));
    }
    void kill(const words_list& words, done_call<void> done) override {
        end("kill", words, std::move(done));
    }
    void remove(const words_list& words, done_call<void> done) override {
        end("remove", words, std::move(done));
    }
    void drain(const words_list& words, std::chrono::milliseconds within,
               done_call<void> done) override {
        end(fmt::format("drain {}", within.count()), words, std::move(done));
    }
    void restart(const words_list& words, done_call<control::start_results> done) override {
        each<control::start_record>("restart", words, std::move(done));
    }
    void add(const control::addition_keys& keys, done_call<control::start_results> done) override {
        std::string line = "add";
        for (const auto& [key, value] : keys) {
            line += fmt::format(" {}={}", key, value);
        }
        asked.push_back(line);
        if (keys.size() < 2) {
            return done(error(errc::config, "add: id: found nothing"));
        }
        done(control::start_results{});
    }
    void reload(const control::reload_request& wanted,
                done_call<control::reload_results> done) override {
        each<control::reload_record>(
            fmt::format("reload{}{}", wanted.rollback ? " back" : "", wanted.dry_run ? " dry" : ""),
            wanted.targets, std::move(done));
    }
    void log(const control::log_request& wanted, done_call<control::log_results> done) override {
        each<control::log_record>(
            fmt::format("log {} {}", wanted.level.value_or("-"), wanted.area.value_or("-")),
            wanted.targets, std::move(done));
    }
    void logs(const control::logs_request& wanted, done_call<control::log_tails> done) override {
        asked.push_back(fmt::format("logs {} {}", wanted.lines, fmt::join(wanted.targets, " ")));
        const auto ids = ids_of(wanted.targets);
        if (!ids) {
            return done(ids.error());
        }
        control::log_tails all;
        for (const auto& id : *ids) {
            all.results.push_back({id, "/" + id + ".log", {lines}, {}, {}});
        }
        done(std::move(all));
    }
    void metrics(done_call<std::vector<master::server_metrics>> done) override {
        std::vector<master::server_metrics> all;
        for (const auto& row : rows) {
            master::server_metrics one{row.id, row.type, {}, {}};
            master::add_up(one.families, true);
            all.push_back(std::move(one));
        }
        done(std::move(all));
    }
    void stop_everything() override { asked.emplace_back("stop everything"); }
    void kill_everything() override { asked.emplace_back("kill everything"); }

    /// Without any, every word is an id.
    control::server_rows rows;
    /// Of every log.
    std::string lines = "line";
    /// By word: the whole command is refused.
    std::map<std::string, error> refusals;
    /// By id: why it has failed.
    std::map<std::string, std::string> reasons;
    std::vector<std::string> asked;
};

} // namespace shaddock::test
