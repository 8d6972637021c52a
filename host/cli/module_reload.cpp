#include "module_reload.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <utility>

namespace shaddock::cli {

module_reload::module_reload(boost::asio::any_io_executor executor, base::clock& clock,
                             reload_steps& steps, std::string id)
    : executor_(std::move(executor)), clock_(clock), steps_(steps), id_(std::move(id)) {}

module_reload::~module_reload() {
    *alive_ = false;
}

template <class Call>
auto module_reload::of_this_job(Call call) {
    return [this, alive = alive_, number = number_,
            call = std::move(call)](auto&&... outcome) mutable {
        if (*alive && running_ && number_ == number) {
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
    reload_report report;
    report.from = steps_.now();
    report.reason = std::move(why);
    boost::asio::post(executor_, [done = std::move(refused.done),
                                  report = std::move(report)]() mutable { done(report); });
}

void module_reload::begin_next() {
    if (running_ || waiting_.empty()) {
        return;
    }
    running_ = std::move(waiting_.front());
    waiting_.pop_front();
    ++number_;
    boost::asio::post(executor_, of_this_job([this] { begin(); }));
}

void module_reload::begin() {
    from_ = steps_.now();
    begun_ = clock_.now();
    cut_off_.clear();
    if (!running_->is_rollback) {
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
                          cut_off_ = std::move(found);
                          if (running_->is_dry_run) {
                              return finish_looked(std::move(next));
                          }
                          for (const auto& line : cut_off_) {
                              base::log::warn("reload", "{}: {}", id_, line);
                          }
                          swap(std::move(next));
                      }));
}

void module_reload::finish_looked(reload_steps::plugins next) {
    reload_report report;
    report.to = steps_.build_of(next);
    report.cut_off = std::move(cut_off_);
    if (!running_->is_rollback) {
        looked_at_ = std::move(next);
    }
    finish(std::move(report));
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
                    reload_report report;
                    report.to = steps_.now();
                    report.cut_off = std::move(cut_off_);
                    finish(std::move(report));
                }));
}

void module_reload::finish_refused(std::string why) {
    reload_report report;
    report.reason = std::move(why);
    finish(std::move(report));
}

void module_reload::finish(reload_report report) {
    report.from = from_;
    report.took = clock_.now() - begun_;
    report.is_dry_run = running_->is_dry_run;
    const auto* const what = running_->is_rollback ? "rollback" : "reload";
    if (report.is_dry_run) {
        base::log::info("reload", "{}: a dry run of a {}: {}", id_, what,
                        report.is_ok() ? to_string(*report.to) : report.reason);
    } else if (report.is_ok()) {
        base::log::info("reload", "{}: {} in {:.1f} ms: {} -> {}", id_, what, report.took.count(),
                        to_string(report.from), to_string(*report.to));
    } else {
        base::log::error("reload", "{}: {} refused, {} serves on: {}", id_, what,
                         to_string(report.from), report.reason);
    }
    auto done = std::move(running_->done);
    running_.reset();
    begin_next();
    done(report);
}

void module_reload::stop() {
    is_stopping_ = true;
    steps_.cancel();
    for (auto& one : std::exchange(waiting_, {})) {
        refuse_later(std::move(one), "the server is stopping");
    }
    if (running_) {
        refuse_later(std::move(*running_), "the server is stopping");
        running_.reset();
    }
}

} // namespace shaddock::cli
