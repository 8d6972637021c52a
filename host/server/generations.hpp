#pragma once

#include "base/alive.hpp"
#include "component_life.hpp"
#include "dispatcher.hpp"
#include "plugin_host.hpp"

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shaddock::server {

/// The generations of one server: the one that serves, the one that is being made, those that end.
///
///   made -> started -> [what comes is held -> the old one is at rest and makes way -> state
///   crosses
///     -> serving -> swap ->] serves -> replaced -> ends
///
/// A replaced generation ends what it has accepted; then its components stop, then what it still
/// has under way is cancelled, then its objects are destroyed. One that does not end is logged,
/// counted and kept. Thread: the loop. Lifetime: `parts` and what it names outlive it; stop() must
/// have ended before it is destroyed, unless create() failed.
class generations {
public:
    explicit generations(host_parts parts) : parts_(std::move(parts)) {}
    generations(const generations&) = delete;
    generations& operator=(const generations&) = delete;

    /// The first one; its components are not started. Errors: config.
    result<void> create(std::vector<plugin_source> plugins);
    /// They start, and serve unless the server is a check. `done` once, never inline.
    void start_components(base::unique_function<void(result<void>)> done);
    /// The first generation serves: its timers run from here on.
    void begin();
    /// As server::reload.
    void reload(std::vector<plugin_source> plugins, reload_options how,
                base::unique_function<void(result<void>)> done);

    /// What the author of the one that serves should mend, a line each.
    std::vector<std::string> advice() const;

    /// Null before create() and after stop().
    const std::shared_ptr<generation>& current() const { return current_; }
    /// Replaced ones with work under way, and those that will never end.
    std::size_t ending() const { return ending_.size(); }
    std::size_t kept() const { return kept_.size(); }

    /// A reload under way is given up; what was held for it runs once the old generation serves
    /// again. Call before stop_components.
    void stop_reloading();
    /// Of all generations; `done` once.
    void stop_components(base::duration patience, base::unique_function<void()> done);
    /// Ends timers, sleeps and posted work of all.
    void cancel();
    /// Destroys all objects. Nothing of any generation runs any more.
    void destroy();

private:
    /// A generation with the life of its components.
    struct living {
        std::shared_ptr<generation> made;
        std::unique_ptr<component_life> components;
    };
    enum class ending_step { requests, components, work, cancelled };
    struct ending_one {
        living one;
        door::stop_reason why{};
        ending_step step = ending_step::requests;
        /// When the step is over, ready or not.
        base::time_point until{};
        base::timer at_until{};
        /// The server stops and waits for its components.
        base::unique_function<void()> on_stopped{};
    };
    struct reloading {
        /// No two reloads have the same: who is late finds another one, or none.
        std::uint64_t id;
        living next;
        reload_options how;
        base::unique_function<void(result<void>)> done;
        /// What the old one calls while it makes way belongs to it.
        request_id own{};
        /// The old one has begun to make way: it must serve again after a failure.
        bool makes_way = false;
        /// The new one knows the old one's state: nothing of it may run after a failure.
        bool has_state = false;
        /// Why it is refused, while the old one begins to serve again.
        std::optional<error> failure{};
    };

    /// What could not be made whole ends as a generation does.
    result<living> make(std::vector<plugin_source> plugins, std::uint32_t number);
    bool is_reloading(std::uint64_t id) const { return reloading_ && reloading_->id == id; }
    static plugin_host& host_of(const living& one) {
        return static_cast<plugin_host&>(one.made->host());
    }
    plugin_host& host_now() { return static_cast<plugin_host&>(current_->host()); }
    /// The steps of a reload, in their order (generations_reload.cpp).
    void hold();
    void drain();
    void end_drain();
    void hand_over();
    void cross();
    void swap();
    /// Goes on with `next` unless another reload is under way by then.
    base::unique_function<void(result<void>)> step(void (generations::*next)());
    void refuse(error why);
    void serve_again();
    void log_refused(const error& why);
    void finish_reload(result<void> outcome);

    void let_end(living one, door::stop_reason why);
    /// Destroys its objects without running any of its functions, soon; then `gone`.
    void discard(living one, base::unique_function<void()> gone);
    void destroy_soon(std::shared_ptr<generation> of, int turns,
                      base::unique_function<void()> gone);
    void stop_components(ending_one& of, base::duration patience);
    void wait_until(ending_one& of, base::duration patience);
    void look_later();
    void look();
    /// Takes the steps that are due. True: it has ended, or is kept.
    bool advance(ending_one& one);
    bool is_over(const living& one) const;
    void keep(const living& one);
    void destroy(living& one);

    host_parts parts_;
    std::shared_ptr<generation> current_;
    std::unique_ptr<component_life> components_;
    std::uint32_t last_number_ = 0;
    std::optional<reloading> reloading_;
    std::uint64_t last_reload_ = 0;
    base::timer drain_wait_;
    std::list<ending_one> ending_;
    /// The server stops: they end with it.
    bool is_stopping_ = false;
    /// Something of theirs may still run.
    std::vector<living> kept_;
    base::alive alive_;
};

} // namespace shaddock::server
