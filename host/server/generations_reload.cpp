#include "generations.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <utility>

// One reload, from the making of the new generation to the swap or the refusal.

namespace shaddock::server {

void generations::reload(std::vector<plugin_source> plugins, reload_options how,
                         base::unique_function<void(result<void>)> done) {
    const auto refuse_now = [&](error why) {
        boost::asio::post(
            parts_.executor,
            [done = std::move(done), why = std::move(why)]() mutable { done(std::move(why)); });
    };
    if (reloading_) {
        return refuse_now(error(errc::duplicate, "another reload is under way"));
    }
    auto next = make(std::move(plugins), last_number_ + 1);
    if (!next) {
        log_refused(next.error());
        return refuse_now(std::move(next).error());
    }
    reloading_.emplace(reloading{++last_reload_, std::move(*next), how, std::move(done)});
    reloading_->next.components->start(how.setup, step(&generations::hold));
}

base::unique_function<void(result<void>)> generations::step(void (generations::*next)()) {
    return [this, next, id = reloading_->id](const result<void>& outcome) {
        if (is_reloading(id) && !reloading_->failure) {
            outcome ? (this->*next)() : refuse(outcome.error());
        }
    };
}

// ---- the old generation comes to rest

void generations::hold() {
    reloading_->own = parts_.calls.serving().begin(parts_.options.self.life, session_id{});
    parts_.calls.hold(reloading_->own);
    host_now().hold_timers();
    if (reloading_->how.drain == base::duration::zero() || parts_.calls.is_at_rest()) {
        return hand_over();
    }
    drain();
}

void generations::drain() {
    drain_wait_ = parts_.clock.after(reloading_->how.drain, [this] {
        parts_.calls.on_idle(nullptr);
        const auto ms =
            std::chrono::duration_cast<std::chrono::milliseconds>(reloading_->how.drain).count();
        refuse(error(errc::timeout,
                     fmt::format("after {} ms requests were still running: {}; give them longer by "
                                 "`reload: drain`, or 0 to swap at once without the promise that "
                                 "no data is lost",
                                 ms, parts_.calls.under_way())));
    });
    // By post: the last call is still ending.
    parts_.calls.on_idle([this] {
        boost::asio::post(parts_.executor, alive_.guard([this] {
            if (drain_wait_.is_armed() && parts_.calls.is_at_rest()) {
                end_drain();
                hand_over();
            }
        }));
    });
}

void generations::end_drain() {
    if (drain_wait_.is_armed()) {
        drain_wait_.cancel();
        parts_.calls.on_idle(nullptr);
    }
}

// ---- what it has goes to the new one

void generations::hand_over() {
    reloading_->makes_way = true;
    components_->hand_over(reloading_->own, reloading_->how.handover, step(&generations::cross));
}

void generations::cross() {
    const auto saved = current_->save();
    if (!saved) {
        return refuse(saved.error());
    }
    auto& next = reloading_->next;
    reloading_->has_state = true;
    if (auto taken = next.made->restore(*saved); !taken) {
        return refuse(std::move(taken).error());
    }
    next.components->serve(reloading_->how.handover, step(&generations::swap));
}

/// The one point in time.
void generations::swap() {
    auto& next = reloading_->next;
    living old{std::move(current_), std::move(components_)};
    current_ = std::move(next.made);
    components_ = std::move(next.components);
    last_number_ = current_->number();
    parts_.calls.use(current_);
    host_now().take_over(&host_of(old));
    base::log::debug("server", "{}: generation {} serves: {} {}", parts_.options.self.id,
                     current_->number(), current_->modules(), current_->versions());
    for (auto* hook : current_->registered().hooks()) {
        hook->on_started();
    }
    let_end(std::move(old), door::stop_reason::replaced);
    finish_reload({});
}

// ---- refusal

void generations::log_refused(const error& why) {
    base::log::debug("server", "{}: reload refused, generation {} serves on: {}",
                     parts_.options.self.id, current_->number(), why.text());
}

/// The old generation goes on; what was made of the new one is taken down.
void generations::refuse(error why) {
    log_refused(why);
    end_drain();
    auto& reload = *reloading_;
    reload.failure = std::move(why);
    reload.next.components->forget();
    if (reload.has_state) {
        // What it took (a port, a lock) is free when its objects are gone.
        return discard(std::move(reload.next), [this] { serve_again(); });
    }
    let_end(std::move(reload.next), door::stop_reason::refused);
    reload.makes_way ? serve_again() : finish_reload(*reload.failure);
}

void generations::serve_again() {
    if (!reloading_) {
        return; // the server has stopped meanwhile
    }
    components_->serve_again(reloading_->how.handover, [this](const result<void>& outcome) {
        if (!outcome) {
            base::log::error("server", "{}: generation {} serves on after a refused reload, but {}",
                             parts_.options.self.id, current_->number(), outcome.error().text());
        }
        const auto why = *reloading_->failure;
        finish_reload(why);
    });
}

void generations::finish_reload(result<void> outcome) {
    end_drain();
    auto done = std::move(reloading_->done);
    reloading_.reset();
    if (!outcome) {
        host_now().begin_timers();
    }
    parts_.calls.release();
    boost::asio::post(parts_.executor,
                      [done = std::move(done), outcome = std::move(outcome)]() mutable {
                          done(std::move(outcome));
                      });
}

void generations::stop_reloading() {
    if (reloading_ && !reloading_->failure) {
        refuse(error(errc::cancelled, "the server is stopping"));
    }
}

} // namespace shaddock::server
