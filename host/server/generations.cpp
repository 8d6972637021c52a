#include "generations.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace shaddock::server {

namespace {

/// What was cancelled has this long to unwind.
constexpr auto unwind_time = std::chrono::seconds(1);
/// Of the loop, for what a destroyed generation waited for.
constexpr int unwind_turns = 8;

} // namespace

// ---- making

result<generations::living> generations::make(std::vector<plugin_source> plugins,
                                              std::uint32_t number) {
    living one{std::make_shared<generation>(std::make_unique<plugin_host>(parts_),
                                            parts_.options.self.type, number),
               nullptr};
    const auto added = one.made->add(std::move(plugins));
    one.components = std::make_unique<component_life>(
        parts_.executor, parts_.clock, parts_.calls.serving(), one.made->registered().components());
    host_of(one).use(one.made->registered(), one.made->builds());
    if (!added) {
        let_end(std::move(one), door::stop_reason::refused);
        return added.error();
    }
    return one;
}

result<void> generations::create(std::vector<plugin_source> plugins) {
    auto first = make(std::move(plugins), ++last_number_);
    if (!first) {
        return std::move(first).error();
    }
    current_ = std::move(first->made);
    components_ = std::move(first->components);
    parts_.calls.use(current_);
    return {};
}

void generations::start_components(base::unique_function<void(result<void>)> done) {
    components_->start(base::duration::zero(),
                       [this, done = std::move(done)](const result<void>& started) mutable {
                           if (!started || parts_.options.is_check) {
                               return done(started);
                           }
                           components_->serve(base::duration::zero(), std::move(done));
                       });
}

void generations::begin() {
    host_now().take_over(nullptr);
}

std::vector<std::string> generations::advice() const {
    std::vector<std::string> lines;
    for (const auto* each : current_->registered().components()) {
        if (!each->advice().empty()) {
            lines.push_back(fmt::format("component '{}': {}", each->name(), each->advice()));
        }
    }
    return lines;
}

// ---- the end of a generation

void generations::let_end(living one, door::stop_reason why) {
    auto& added = ending_.emplace_back(ending_one{std::move(one), why});
    wait_until(added, parts_.options.generation_timeout);
    added.one.made->close(alive_.guard([this] { look_later(); }));
}

void generations::discard(living one, base::unique_function<void()> gone) {
    host_of(one).discard();
    let_end(std::move(one), door::stop_reason::refused);
    auto& added = ending_.back();
    added.step = ending_step::cancelled;
    wait_until(added, unwind_time);
    destroy_soon(added.one.made, unwind_turns, std::move(gone));
}

/// By post: its component may have ended a step right here. What it waited for on its own ends in
/// the loop's next turns, and what the coroutines hold is let go while the objects are there.
void generations::destroy_soon(std::shared_ptr<generation> of, int turns,
                               base::unique_function<void()> gone) {
    boost::asio::post(parts_.executor, alive_.guard([this, of = std::move(of), turns,
                                                     gone = std::move(gone)]() mutable {
        if (static_cast<plugin_host&>(of->host()).work().count() != 0) {
            if (turns > 0) {
                return destroy_soon(std::move(of), turns - 1, std::move(gone));
            }
            // A thread still uses the objects: they go when it comes back, or are kept.
            return gone();
        }
        const auto at =
            std::ranges::find(ending_, of, [](const ending_one& each) { return each.one.made; });
        if (at != ending_.end()) {
            at->one.components.reset();
        }
        of->destroy();
        gone();
    }));
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
bool generations::is_over(const living& one) const {
    return one.made->leases() == 0 && host_of(one).work().count() == 0;
}

bool generations::advance(ending_one& ending) {
    auto& one = ending.one;
    const auto is_late = [&] { return parts_.clock.now() >= ending.until; };
    if (ending.step == ending_step::requests && (one.made->leases() == 0 || is_late())) {
        stop_components(ending, parts_.options.drain_timeout);
    }
    if (ending.step >= ending_step::work && one.made->leases() == 0) {
        host_of(one).work().close(alive_.guard([this] { look_later(); }));
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
    of.one.components->stop(of.why, patience, [this, &of] {
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
    if (reloading_) {
        // The old generation did not serve again in time.
        finish_reload(error(errc::cancelled, "the server is stopping"));
    }
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
        components_->stop(parts_.options.is_check ? door::stop_reason::check
                                                  : door::stop_reason::server_stops,
                          patience, ended);
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
