#include "reloads.hpp"

#include "restarts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::master {
namespace {

running_build build_of(const child_report& child) {
    if (!child.pid) {
        return {}; // what it ran once serves no more
    }
    return {child.status.version, child.status.build_id, child.status.generation};
}

/// A line that did not swap.
reload_line unchanged(const child_report& child, reload_outcome outcome, std::string reason) {
    reload_line line;
    line.id = child.id;
    line.type = child.type;
    line.outcome = outcome;
    line.from = build_of(child);
    line.to = line.from;
    line.reason = std::move(reason);
    return line;
}

reload_line line_of(std::string_view id, std::string_view type, reload_answer answer) {
    reload_line line;
    line.id = id;
    line.type = type;
    line.outcome = !answer.ok          ? reload_outcome::refused
                   : answer.is_dry_run ? reload_outcome::would_swap
                                       : reload_outcome::swapped;
    line.from = std::move(answer.from);
    line.to = answer.to.value_or(line.from);
    line.reason = answer.ok ? "" : std::move(answer.reason);
    line.ms = answer.ms;
    line.cut_off = std::move(answer.cut_off);
    return line;
}

std::string news_of(const reload_line& line) {
    if (line.outcome == reload_outcome::swapped) {
        return fmt::format("{} is reloaded: {} -> {}, {:.1f} ms", line.id, to_string(line.from),
                           to_string(line.to), line.ms);
    }
    const auto kept =
        line.from.generation == 0 ? "" : fmt::format(" and keeps {}", to_string(line.from));
    return fmt::format("{} is not reloaded{}: {}", line.id, kept, line.reason);
}

} // namespace

result<void> reloads::start(reload_request wanted, done_call done) {
    if (done_) {
        return error(errc::duplicate, "another reload is under way: ask again when it has ended");
    }
    auto found = find_targets(wanted.targets, port_.children(), more_targets::none);
    if (!found) {
        return found.error();
    }
    for (auto& child : *found) {
        const bool is_named = std::ranges::find(wanted.targets, child.id) != wanted.targets.end();
        waiting_.push_back({std::move(child), is_named});
    }
    wanted_ = std::move(wanted);
    done_ = std::move(done);
    next_server();
    return {};
}

void reloads::next_server() {
    step_ = clock_.after({}, [this] { advance(); });
}

void reloads::advance() {
    if (waiting_.empty()) {
        refused_types_.clear();
        const auto lines = std::exchange(lines_, {});
        auto done = std::exchange(done_, nullptr);
        return done(lines);
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    // What has become of it meanwhile.
    for (auto& now : port_.children()) {
        if (now.id == next.child.id) {
            next.child = std::move(now);
        }
    }
    ask(next);
}

void reloads::ask(const target& next) {
    const auto& child = next.child;
    if (refused_types_.contains(child.type)) {
        return skip(child, "not asked: another server of its type has refused");
    }
    if (child.state == child_state::stopped || child.state == child_state::failed) {
        const auto reason = fmt::format("it is {}: it takes the module as it is when it starts",
                                        to_string(child.state));
        return next.is_named ? refuse(child, reason) : skip(child, reason);
    }
    if (child.state != child_state::ready) {
        return refuse(child,
                      fmt::format("it is {}: ask again when it is ready", to_string(child.state)));
    }
    if (!port_.ask(child.id, fmt::format(R"({{"job":{},"rollback":{},"dry_run":{}}})", ++number_,
                                         wanted_.is_rollback, wanted_.is_dry_run))) {
        return refuse(child, "it has no line to this master, though its process runs: look at its "
                             "log");
    }
    asked_ = next;
    const auto patience = port_.patience(child.type);
    deadline_ = clock_.after(patience, [this, patience] {
        finish_asked(unchanged(
            asked_->child, reload_outcome::refused,
            fmt::format("no answer within {} s; it may still swap: look at `host list` and its log",
                        std::chrono::duration_cast<std::chrono::seconds>(patience).count())));
    });
}

void reloads::on_answer(std::string_view id, std::string_view json) {
    auto answer = reload_answer_from_json(json);
    const bool is_asked = asked_ && asked_->child.id == id;
    if (!answer) {
        if (is_asked) {
            finish_asked(unchanged(asked_->child, reload_outcome::refused,
                                   fmt::format("it gave no answer that this master understands: {}",
                                               answer.error().text())));
        }
        return;
    }
    if (answer->ok && !answer->is_dry_run) {
        port_.on_swapped(id, *answer->to);
    }
    const bool is_to_this = is_asked && answer->job == number_;
    auto line = line_of(id, is_to_this ? asked_->child.type : "", std::move(*answer));
    if (is_to_this) {
        return finish_asked(std::move(line));
    }
    report(line); // its own doing, or too late
}

void reloads::on_gone(std::string_view id) {
    if (asked_ && asked_->child.id == id) {
        finish_asked(unchanged(asked_->child, reload_outcome::refused,
                               "its process or its line ended while it was reloading: look at its "
                               "log"));
    }
}

void reloads::finish_asked(reload_line line) {
    deadline_.cancel();
    asked_.reset();
    if (line.outcome == reload_outcome::refused) {
        refused_types_.insert(line.type);
    }
    report(line);
    lines_.push_back(std::move(line));
    next_server();
}

void reloads::refuse(const child_report& child, std::string reason) {
    finish_asked(unchanged(child, reload_outcome::refused, std::move(reason)));
}

void reloads::skip(const child_report& child, std::string reason) {
    lines_.push_back(unchanged(child, reload_outcome::skipped, std::move(reason)));
    next_server();
}

void reloads::report(const reload_line& line) const {
    if (line.outcome == reload_outcome::would_swap) {
        return;
    }
    port_.on_news(news_of(line), line.outcome != reload_outcome::swapped);
}

} // namespace shaddock::master
