#include "restarts.hpp"

#include "targets.hpp"

#include "config/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace shaddock::master {
namespace {

constexpr auto stopped_meanwhile = "not started: it was stopped by another command meanwhile";

} // namespace

result<void> restarts::start(const std::vector<std::string>& targets, done_call done) {
    if (done_) {
        return error(errc::duplicate, "another restart is under way: ask again when it has ended");
    }
    auto found = find_targets(targets, needs_.children(), control::target_words::anything);
    if (!found) {
        return found.error();
    }
    waiting_.assign(std::make_move_iterator(found->begin()), std::make_move_iterator(found->end()));
    done_ = std::move(done);
    needs_.check([this](const result<void>& outcome) { checked(outcome); });
    return {};
}

void restarts::checked(const result<void>& outcome) {
    if (!outcome) { // all serve on
        for (const auto& child : std::exchange(waiting_, {})) {
            control::start_record record;
            record.id = child.id;
            record.type = child.type;
            record.end_as(control::start_outcome::skipped,
                          "not touched: " + outcome.error().text());
            made_.results.push_back(std::move(record));
        }
    }
    next_server();
}

bool restarts::has(std::string_view id) const {
    return (now_ && now_->id == id) ||
           std::ranges::find(waiting_, id, &child_report::id) != waiting_.end();
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
        const auto made = std::exchange(made_, {});
        auto done = std::exchange(done_, nullptr);
        return done(made);
    }
    now_ = std::move(waiting_.front());
    waiting_.pop_front();
    begun_at_ = clock_.now();
    if (failed_types_.contains(now_->type)) {
        return finish(control::start_outcome::skipped,
                      "not touched: another server of its type has failed");
    }
    if (is_left_out(now_->id)) {
        return finish(control::start_outcome::skipped, stopped_meanwhile);
    }
    if (const auto stopping = needs_.end(now_->id, [this] { begin(); }); !stopping) {
        finish(control::start_outcome::failed, stopping.error().text());
    }
}

void restarts::begin() {
    if (is_left_out(now_->id)) {
        return finish(control::start_outcome::skipped, stopped_meanwhile);
    }
    needs_.begin(now_->id, [this](const result<void>& outcome) {
        finish(outcome ? control::start_outcome::ready : control::start_outcome::failed,
               outcome ? std::string() : outcome.error().text());
    });
}

void restarts::finish(control::start_outcome outcome, std::string reason) {
    control::start_record record;
    record.id = now_->id;
    record.type = now_->type;
    record.end_as(outcome, std::move(reason));
    record.ms = control::rounded_ms(
        std::chrono::duration<double, std::milli>(clock_.now() - begun_at_).count());
    if (outcome == control::start_outcome::ready) {
        const auto children = needs_.children();
        const auto* child = find_child(children, record.id);
        record.pid = child != nullptr ? child->process() : std::nullopt;
        needs_.on_news(fmt::format("{} is restarted, {:.0f} ms", record.id, record.ms), false);
    } else if (outcome == control::start_outcome::failed) {
        failed_types_.insert(record.type);
        needs_.on_news(fmt::format("{} is not restarted: {}", record.id, *record.reason), true);
    }
    made_.results.push_back(std::move(record));
    now_.reset();
    next_server();
}

} // namespace shaddock::master
