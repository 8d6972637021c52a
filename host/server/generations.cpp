#include "generations.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <utility>

namespace shaddock::server {

namespace {

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
    parts_.calls.on_idle(
        [this, go_on] { boost::asio::post(parts_.executor, alive_.guard(go_on)); });
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
    auto& added = ending_.emplace_back(ending_one{std::move(one)});
    wait_until(added, parts_.options.generation_timeout);
    added.one.made->close(alive_.guard([this] { look_later(); }));
}

void generations::wait_until(ending_one& of, base::duration patience) {
    of.until = parts_.clock.now() + patience;
    of.at_until = parts_.clock.at(of.until, [this] { look(); });
}

/// By post: frames of a plugin may be on the stack.
void generations::look_later() {
    boost::asio::post(parts_.executor, alive_.guard([this] { look(); }));
}

void generations::look() {
    for (auto each = ending_.begin(); each != ending_.end() && !is_stopping_;) {
        each = advance(*each) ? ending_.erase(each) : std::next(each);
    }
}

/// No request holds it, and nothing of it runs or waits. Until then its last piece of work tells.
bool generations::is_over(const living& one) {
    if (one.made->leases() != 0) {
        return false;
    }
    auto& work = host_of(one).work();
    work.close(alive_.guard([this] { look(); }));
    return work.count() == 0;
}

bool generations::advance(ending_one& ending) {
    auto& one = ending.one;
    const auto is_late = [&] { return parts_.clock.now() >= ending.until; };
    if (ending.step == ending_step::requests && (one.made->leases() == 0 || is_late())) {
        stop_components(ending, parts_.options.drain_timeout);
    }
    if (ending.step == ending_step::work && (is_over(one) || is_late())) {
        host_of(one).stop();
        ending.step = ending_step::cancelled;
        wait_until(ending, unwind_time);
    }
    if (ending.step != ending_step::cancelled) {
        return false;
    }
    if (is_over(one)) {
        destroy(one);
        return true;
    }
    if (is_late()) {
        keep(one);
        kept_.push_back(std::move(one));
        return true;
    }
    return false;
}

/// `of` stays where it is until its components have stopped; they have their own patience.
void generations::stop_components(ending_one& of, base::duration patience) {
    of.step = ending_step::components;
    of.one.components->stop(patience, [this, &of] {
        of.step = ending_step::work;
        if (of.on_stopped) {
            of.on_stopped();
        } else {
            look_later();
        }
    });
}

void generations::keep(const living& one) {
    base::log::warn("server",
                    "{}: generation {} ({} {}) does not end: {} requests and {} coroutines or "
                    "handlers of it are under way although it was cancelled; its objects are kept",
                    parts_.options.self.id, one.made->number(), one.made->modules(),
                    one.made->versions(), one.made->leases(), host_of(one).work().count());
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
    is_stopping_ = true;
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
