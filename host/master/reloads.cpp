#include "reloads.hpp"

#include "control/codec.hpp"
#include "targets.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::master {
namespace {

control::running_build build_of(const child_report& child) {
    if (!child.process()) {
        return {}; // what it ran once serves no more
    }
    return {child.version, child.build_id, child.generation};
}

/// Of one that did not swap.
control::reload_record unchanged(const child_report& child, bool is_skipped, std::string reason) {
    control::reload_record record;
    record.id = child.id;
    record.type = child.type;
    if (is_skipped) {
        record.skipped = true;
    }
    record.from = build_of(child);
    record.reason = std::move(reason);
    return record;
}

std::string news_of(const control::reload_record& one) {
    if (one.outcome() == control::reload_outcome::swapped) {
        return fmt::format("{} is reloaded: {} -> {}, {:.1f} ms", one.id, to_string(one.from),
                           to_string(*one.to), one.ms);
    }
    const auto kept =
        one.from.generation == 0 ? "" : fmt::format(" and keeps {}", to_string(one.from));
    return fmt::format("{} is not reloaded{}: {}", one.id, kept, one.reason.value_or(""));
}

} // namespace

result<void> reloads::start(control::reload_request wanted, done_call done) {
    if (done_) {
        return error(errc::duplicate, "another reload is under way: ask again when it has ended");
    }
    auto found = find_targets(wanted.targets, needs_.children(), control::target_words::servers);
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
        const auto ended = std::exchange(ended_, {});
        auto done = std::exchange(done_, nullptr);
        return done(ended);
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    const auto children = needs_.children();
    if (const auto* now = find_child(children, next.child.id)) { // what has become of it meanwhile
        next.child = *now;
    }
    ask(next);
}

void reloads::ask(const target& next) {
    const auto& child = next.child;
    if (refused_types_.contains(child.type)) {
        return skip(child, "not asked: another server of its type has refused");
    }
    if (child.is(control::server_state::stopped) || child.is(control::server_state::failed)) {
        const auto reason =
            fmt::format("it is {}: it takes the module as it is when it starts", child.state);
        return next.is_named ? refuse(child, reason) : skip(child, reason);
    }
    if (!child.is(control::server_state::ready)) {
        return refuse(child, fmt::format("it is {}: ask again when it is ready", child.state));
    }
    if (!needs_.ask(child.id, {++number_, wanted_.rollback, wanted_.dry_run})) {
        return refuse(child, "it has no line to this master, though its process runs: look at its "
                             "log");
    }
    asked_ = next;
    const auto patience = needs_.patience(child.type);
    deadline_ = clock_.after(patience, [this, patience] {
        finish_asked(unchanged(
            asked_->child, false,
            fmt::format("no answer within {} s; it may still swap: look at `host list` and its log",
                        std::chrono::duration_cast<std::chrono::seconds>(patience).count())));
    });
}

void reloads::on_answer(std::string_view id, std::string_view body) {
    auto said = control::from_json<control::reload_record>(body, "reloaded");
    if (said && !said->is_whole()) {
        said = error(errc::bad_request, "a server's reload: found neither `to` nor `reason`");
    }
    const bool is_asked = asked_ && asked_->child.id == id;
    if (!said) {
        if (is_asked) {
            finish_asked(unchanged(asked_->child, false,
                                   fmt::format("it gave no answer that this master understands: {}",
                                               said.error().text())));
        }
        return;
    }
    if (said->outcome() == control::reload_outcome::swapped) {
        needs_.on_swapped(id, *said->to);
    }
    const bool is_to_this = is_asked && said->job == number_;
    said->job.reset();
    said->id = id;
    said->type = is_to_this ? asked_->child.type : "";
    if (is_to_this) {
        return finish_asked(std::move(*said));
    }
    report(*said); // its own doing, or too late
}

void reloads::on_gone(std::string_view id) {
    if (asked_ && asked_->child.id == id) {
        finish_asked(unchanged(asked_->child, false,
                               "its process or its line ended while it was reloading: look at its "
                               "log"));
    }
}

void reloads::finish_asked(control::reload_record record) {
    deadline_.cancel();
    asked_.reset();
    if (record.outcome() == control::reload_outcome::refused) {
        refused_types_.insert(record.type);
    }
    report(record);
    ended_.results.push_back(std::move(record));
    next_server();
}

void reloads::refuse(const child_report& child, std::string reason) {
    finish_asked(unchanged(child, false, std::move(reason)));
}

void reloads::skip(const child_report& child, std::string reason) {
    ended_.results.push_back(unchanged(child, true, std::move(reason)));
    next_server();
}

void reloads::report(const control::reload_record& record) const {
    const auto outcome = record.outcome();
    if (outcome != control::reload_outcome::would_swap) {
        needs_.on_news(news_of(record), outcome != control::reload_outcome::swapped);
    }
}

} // namespace shaddock::master
