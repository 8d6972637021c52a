#include "generations.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <utility>

namespace shaddock::server {

namespace {

/// How often an ending generation is looked at.
constexpr auto look_period = std::chrono::milliseconds(10);
/// What was cancelled has this long to unwind.
constexpr auto unwind_time = std::chrono::seconds(1);

} // namespace

// ---- making

result<generations::living> generations::make(std::vector<plugin_source> plugins,
                                              std::uint32_t number) {
    living one{std::make_shared<generation>(std::make_unique<plugin_host>(parts_),
                                            parts_.options.self.type, number),
               nullptr};
    const auto added = one.made->add(std::move(plugins));
    one.components = std::make_unique<component_life>(parts_.executor, parts_.clock,
                                                      one.made->registered().components());
    host_of(one).use(one.made->registered(), one.made->builds());
    if (!added) {
        let_end(std::move(one));
        return added.error();
    }
    return one;
}

result<void> generations::create(std::vector<plugin_source> plugins) {
    auto first = make(std::move(plugins), ++last_number_);
    if (!first) {
        return std::move(first).error();
    }
    host_of(*first).begin_timers();
    current_ = std::move(first->made);
    components_ = std::move(first->components);
    parts_.calls.use(current_);
    return {};
}

void generations::start_components(base::unique_function<void(result<void>)> done) {
    components_->start(base::duration::zero(), std::move(done));
}

// ---- reload

void generations::reload(std::vector<plugin_source> plugins, reload_options how,
                         base::unique_function<void(result<void>)> done) {
    const auto refuse = [&](error why) {
        boost::asio::post(
            parts_.executor,
            [done = std::move(done), why = std::move(why)]() mutable { done(std::move(why)); });
    };
    if (reloading_) {
        return refuse(error(errc::duplicate, "another reload is under way"));
    }
    auto next = make(std::move(plugins), last_number_ + 1);
    if (!next) {
        log_refused(next.error());
        return refuse(std::move(next).error());
    }
    reloading_.emplace(reloading{++last_reload_, std::move(*next), how, std::move(done)});
    reloading_->next.components->start(how.setup, [this](const result<void>& outcome) {
        outcome ? drain() : give_up(outcome.error());
    });
}

void generations::drain() {
    if (reloading_->how.drain == base::duration::zero() || parts_.calls.in_flight() == 0) {
        return swap();
    }
    parts_.calls.hold();
    const auto go_on = [this, id = reloading_->id] {
        if (is_reloading(id)) {
            swap();
        }
    };
    // By post: the last call is still ending.
    parts_.calls.on_idle([this, go_on, alive = alive_] {
        boost::asio::post(parts_.executor, [go_on, alive] {
            if (*alive) {
                go_on();
            }
        });
    });
    drain_wait_ = parts_.clock.after(reloading_->how.drain, go_on);
}

/// The one point in time.
void generations::swap() {
    auto& next = reloading_->next;
    if (const auto taken = next.made->take_state(*current_); !taken) {
        return give_up(taken.error());
    }
    living old{std::move(current_), std::move(components_)};
    host_of(old).replaced_by(host_of(next));
    current_ = std::move(next.made);
    components_ = std::move(next.components);
    last_number_ = current_->number();
    parts_.calls.use(current_);
    base::log::debug("server", "{}: generation {} serves: {} {}", parts_.options.self.id,
                     current_->number(), current_->modules(), current_->versions());
    for (auto* hook : current_->registered().hooks()) {
        hook->on_started();
    }
    let_end(std::move(old));
    finish_reload({});
}

void generations::log_refused(const error& why) {
    base::log::debug("server", "{}: reload refused, generation {} serves on: {}",
                     parts_.options.self.id, current_->number(), why.text());
}

/// The old generation goes on; what was made of the new one is taken down.
void generations::give_up(const error& why) {
    log_refused(why);
    auto& next = reloading_->next;
    next.components->forget_start();
    let_end(std::move(next));
    finish_reload(why);
}

void generations::finish_reload(result<void> outcome) {
    drain_wait_.cancel();
    parts_.calls.on_idle(nullptr);
    auto done = std::move(reloading_->done);
    reloading_.reset();
    parts_.calls.release();
    boost::asio::post(parts_.executor,
                      [done = std::move(done), outcome = std::move(outcome)]() mutable {
                          done(std::move(outcome));
                      });
}

void generations::stop_reloading() {
    if (reloading_) {
        give_up(error(errc::cancelled, "the server is stopping"));
    }
}

// ---- the end of a generation

void generations::let_end(living one) {
    const auto until = parts_.clock.now() + parts_.options.generation_timeout;
    ending_.push_back({std::move(one), ending_step::requests, until, nullptr});
    look_later();
}

void generations::look_later() {
    if (!ending_.empty() && !next_look_.is_armed()) {
        next_look_ = parts_.clock.after(look_period, [this] { look(); });
    }
}

/// From a timer: nothing of a plugin is on the stack.
void generations::look() {
    for (auto each = ending_.begin(); each != ending_.end();) {
        each = advance(*each) ? ending_.erase(each) : std::next(each);
    }
    look_later();
}

/// Only `living` itself holds the generation: no request of it is in flight.
bool generations::is_idle(const living& one) {
    return one.made.use_count() == 1;
}

bool generations::advance(ending_one& ending) {
    auto& one = ending.one;
    const bool is_late = parts_.clock.now() >= ending.until;
    switch (ending.step) {
    case ending_step::requests:
        if (is_idle(one) || is_late) {
            stop_components(ending, parts_.options.drain_timeout);
        }
        return false;
    case ending_step::components:
        return false; // it has its own patience
    case ending_step::work:
        if ((is_idle(one) && host_of(one).work() == 0) || is_late) {
            host_of(one).stop();
            ending.step = ending_step::cancelled;
            ending.until = parts_.clock.now() + unwind_time;
        }
        return false;
    case ending_step::cancelled:
        if (is_idle(one) && host_of(one).work() == 0) {
            destroy(one);
            return true;
        }
        if (is_late) {
            keep(ending);
            kept_.push_back(std::move(one));
            return true;
        }
        return false;
    }
    return false;
}

/// `of` stays where it is until its components have stopped.
void generations::stop_components(ending_one& of, base::duration patience) {
    of.step = ending_step::components;
    of.one.components->stop(patience, [&of] {
        of.step = ending_step::work;
        if (of.on_stopped) {
            of.on_stopped();
        }
    });
}

void generations::keep(const ending_one& ending) {
    base::log::warn("server",
                    "{}: generation {} ({} {}) does not end: {} requests and {} coroutines or "
                    "handlers of it are under way although it was cancelled; its objects are kept",
                    parts_.options.self.id, ending.one.made->number(), ending.one.made->modules(),
                    ending.one.made->versions(), ending.one.made.use_count() - 1,
                    host_of(ending.one).work());
}

void generations::destroy(living& one) {
    const auto number = one.made->number();
    one.components.reset();
    host_of(one).drop_sleepers();
    one.made->destroy();
    base::log::debug("server", "{}: generation {} has ended", parts_.options.self.id, number);
}

// ---- stop

void generations::stop_components(base::duration patience, base::unique_function<void()> done) {
    next_look_.cancel();
    auto waiting = std::make_shared<std::size_t>(1);
    auto kept = std::make_shared<base::unique_function<void()>>(std::move(done));
    const auto ended = [waiting, kept] {
        if (--*waiting == 0) {
            (*kept)();
        }
    };
    for (auto& each : ending_) {
        if (each.step <= ending_step::components) {
            ++*waiting;
            each.on_stopped = ended;
        }
        if (each.step == ending_step::requests) {
            stop_components(each, patience);
        }
    }
    if (components_) {
        ++*waiting;
        components_->stop(patience, ended);
    }
    ended();
}

void generations::cancel() {
    for (auto& each : ending_) {
        host_of(each.one).stop();
    }
    for (auto& each : kept_) {
        host_of(each).stop();
    }
    if (current_) {
        static_cast<plugin_host&>(current_->host()).stop();
    }
}

void generations::destroy() {
    for (auto& each : ending_) {
        destroy(each.one);
    }
    ending_.clear();
    for (auto& each : kept_) {
        destroy(each);
    }
    kept_.clear();
    if (current_) {
        living last{std::move(current_), std::move(components_)};
        current_.reset();
        destroy(last);
    }
}

} // namespace shaddock::server
