#include "restarts.hpp"

#include "config/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace shaddock::master {
namespace {

constexpr auto stopped_meanwhile = "not started: it was stopped by another command meanwhile";

} // namespace

result<std::vector<child_report>> find_targets(const std::vector<std::string>& targets,
                                               const std::vector<child_report>& children,
                                               more_targets more) {
    const auto with_page = more == more_targets::all_and_page;
    std::set<std::string> names;
    for (const auto& child : children) {
        if (child.is_server) {
            names.insert({child.id, child.type});
        } else if (with_page) {
            names.insert(child.id);
        }
    }
    std::vector<child_report> found;
    std::vector<std::string> unknown;
    for (const auto& wanted : targets) {
        const bool is_all = wanted == "all" && more != more_targets::none;
        if (!is_all && !names.contains(wanted)) {
            const std::vector<std::string> known(names.begin(), names.end());
            unknown.push_back(fmt::format("no server and no type '{}'; nearest: {}", wanted,
                                          fmt::join(config::nearest(wanted, known), ", ")));
            continue;
        }
        for (const auto& child : children) { // they come in order of type and id
            const bool is_meant = child.is_server
                                      ? is_all || child.id == wanted || child.type == wanted
                                      : with_page && child.id == wanted;
            if (is_meant && std::ranges::find(found, child.id, &child_report::id) == found.end()) {
                found.push_back(child);
            }
        }
    }
    if (!unknown.empty()) {
        return error(errc::not_found, fmt::format("{}", fmt::join(unknown, "\n")));
    }
    return {boost::system::in_place_value, std::move(found)};
}

result<void> restarts::start(const std::vector<std::string>& targets, done_call done) {
    if (done_) {
        return error(errc::duplicate, "another restart is under way: ask again when it has ended");
    }
    auto found = find_targets(targets, port_.children(), more_targets::all_and_page);
    if (!found) {
        return found.error();
    }
    waiting_.assign(std::make_move_iterator(found->begin()), std::make_move_iterator(found->end()));
    done_ = std::move(done);
    next_server();
    return {};
}

void restarts::leave_out(const std::vector<std::string>& ids) {
    if (done_) {
        left_out_.insert(ids.begin(), ids.end());
    }
}

void restarts::next_server() {
    step_ = clock_.after({}, [this] { advance(); });
}

void restarts::advance() {
    if (waiting_.empty()) {
        failed_types_.clear();
        left_out_.clear();
        const auto lines = std::exchange(lines_, {});
        auto done = std::exchange(done_, nullptr);
        return done(lines);
    }
    now_ = std::move(waiting_.front());
    waiting_.pop_front();
    begun_at_ = clock_.now();
    if (failed_types_.contains(now_->type)) {
        return finish(start_outcome::skipped, "not touched: another server of its type has failed");
    }
    if (is_left_out(now_->id)) {
        return finish(start_outcome::skipped, stopped_meanwhile);
    }
    if (const auto stopping = port_.end(now_->id, [this] { begin(); }); !stopping) {
        finish(start_outcome::failed, stopping.error().text());
    }
}

void restarts::begin() {
    if (is_left_out(now_->id)) {
        return finish(start_outcome::skipped, stopped_meanwhile);
    }
    port_.begin(now_->id, [this](const result<void>& outcome) {
        finish(outcome ? start_outcome::ready : start_outcome::failed,
               outcome ? std::string() : outcome.error().text());
    });
}

void restarts::finish(start_outcome outcome, std::string reason) {
    start_line line;
    line.id = now_->id;
    line.type = now_->type;
    line.outcome = outcome;
    line.reason = std::move(reason);
    line.ms = std::chrono::duration<double, std::milli>(clock_.now() - begun_at_).count();
    if (outcome == start_outcome::ready) {
        line.pid = pid_of(line.id);
        port_.on_news(fmt::format("{} is restarted, {:.0f} ms", line.id, line.ms), false);
    } else if (outcome == start_outcome::failed) {
        failed_types_.insert(line.type);
        port_.on_news(fmt::format("{} is not restarted: {}", line.id, line.reason), true);
    }
    lines_.push_back(std::move(line));
    next_server();
}

std::optional<pid_t> restarts::pid_of(std::string_view id) const {
    for (const auto& child : port_.children()) {
        if (child.id == id) {
            return child.pid;
        }
    }
    return std::nullopt;
}

} // namespace shaddock::master
