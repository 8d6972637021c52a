#include "module_reload.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/ranges.h>

#include <utility>

namespace shaddock::node {

module_reload::module_reload(boost::asio::any_io_executor executor, base::clock& clock,
                             reload_steps& steps, std::string id)
    : executor_(std::move(executor)), clock_(clock), steps_(steps), id_(std::move(id)) {}

template <class Call>
auto module_reload::of_this_job(Call call) {
    return [job = std::weak_ptr(running_), call = std::move(call)](auto&&... outcome) mutable {
        if (const auto held = job.lock()) {
            call(std::forward<decltype(outcome)>(outcome)...);
        }
    };
}

void module_reload::add(job wanted) {
    if (is_stopping_) {
        return refuse_later(std::move(wanted), "the server is stopping");
    }
    if (waiting_.size() == waiting_limit) {
        return refuse_later(std::move(wanted),
                            fmt::format("{} reloads wait already: ask again later", waiting_limit));
    }
    waiting_.push_back(std::move(wanted));
    begin_next();
}

void module_reload::refuse_later(job refused, std::string why) {
    auto record = record_of(refused);
    record.from = steps_.now();
    record.reason = std::move(why);
    boost::asio::post(executor_, [done = std::move(refused.done),
                                  record = std::move(record)]() mutable { done(record); });
}

void module_reload::begin_next() {
    if (running_ || waiting_.empty()) {
        return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    auto record = record_of(next);
    running_ = std::make_shared<under_way>(under_way{std::move(next), std::move(record)});
    boost::asio::post(executor_, of_this_job([this] { begin(); }));
}

void module_reload::begin() {
    running_->record.from = steps_.now();
    running_->begun = clock_.now();
    if (!running_->asked.order.rollback) {
        if (!looked_at_.empty() && steps_.is_as_checked()) {
            return look_ahead(looked_at_);
        }
        looked_at_.clear();
        return steps_.check(of_this_job([this](const result<void>& outcome) {
            outcome ? load() : finish_refused(outcome.error().text());
        }));
    }
    if (previous_.empty()) {
        return finish_refused("there is no previous generation: these modules are the first that "
                              "this process has loaded");
    }
    look_ahead(previous_);
}

void module_reload::load() {
    steps_.load(of_this_job([this](result<reload_steps::plugins> loaded) {
        loaded ? look_ahead(*loaded) : finish_refused(loaded.error().text());
    }));
}

void module_reload::look_ahead(const reload_steps::plugins& next) {
    steps_.look_ahead(next, of_this_job([this, next = reload_steps::plugins(next)](
                                            std::vector<std::string> found) mutable {
                          if (!found.empty()) {
                              running_->record.cut_off = fmt::format("{}", fmt::join(found, "\n"));
                          }
                          if (running_->asked.order.dry_run) {
                              return finish_looked(std::move(next));
                          }
                          for (const auto& line : found) {
                              base::log::warn("reload", "{}: {}", id_, line);
                          }
                          swap(std::move(next));
                      }));
}

void module_reload::finish_looked(reload_steps::plugins next) {
    running_->record.to = steps_.build_of(next);
    if (!running_->asked.order.rollback) {
        looked_at_ = std::move(next);
    }
    finish();
}

void module_reload::swap(reload_steps::plugins next) {
    auto taken = next;
    steps_.swap(std::move(taken),
                of_this_job([this, next = std::move(next)](const result<void>& outcome) mutable {
                    if (!outcome) {
                        return finish_refused(outcome.error().text());
                    }
                    previous_ = std::exchange(current_, std::move(next));
                    looked_at_.clear();
                    running_->record.to = steps_.now();
                    finish();
                }));
}

void module_reload::finish_refused(std::string why) {
    running_->record.reason = std::move(why);
    running_->record.cut_off.reset(); // nobody is
    finish();
}

control::reload_record module_reload::record_of(const job& one) const {
    control::reload_record record;
    record.job = one.order.job;
    record.id = id_;
    if (one.order.dry_run) {
        record.dry_run = true;
    }
    return record;
}

void module_reload::finish() {
    const auto ended = std::exchange(running_, nullptr);
    auto& record = ended->record;
    record.ok = record.to.has_value();
    record.ms = control::rounded_ms(
        std::chrono::duration<double, std::milli>(clock_.now() - ended->begun).count());
    const auto* const what = ended->asked.order.rollback ? "rollback" : "reload";
    if (record.dry_run) {
        base::log::info("reload", "{}: a dry run of a {}: {}", id_, what,
                        record.to ? to_string(*record.to) : *record.reason);
    } else if (record.ok) {
        base::log::info("reload", "{}: {} in {:.1f} ms: {} -> {}", id_, what, record.ms,
                        to_string(record.from), to_string(*record.to));
    } else {
        base::log::error("reload", "{}: {} refused, {} serves on: {}", id_, what,
                         to_string(record.from), *record.reason);
    }
    begin_next();
    ended->asked.done(record);
}

void module_reload::stop() {
    is_stopping_ = true;
    steps_.cancel();
    for (auto& one : std::exchange(waiting_, {})) {
        refuse_later(std::move(one), "the server is stopping");
    }
    if (running_) {
        refuse_later(std::move(running_->asked), "the server is stopping");
        running_.reset();
    }
}

} // namespace shaddock::node
