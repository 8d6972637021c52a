#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "control/reload.hpp"
#include "server/server.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Reloading the modules of a server that runs: one job at a time, and the way back.
namespace shaddock::node {

/// What a reload needs from others; tests bring their own.
/// Thread: the loop; each step calls back once and never inline, unless cancel() came before.
class reload_steps {
public:
    using plugins = std::vector<server::plugin_source>;
    virtual ~reload_steps() = default;
    /// Whether the type's module files can be created and set up, tried where it harms nobody.
    virtual void check(base::unique_function<void(result<void>)> done) = 0;
    /// Opens each of the files anew.
    virtual void load(base::unique_function<void(result<plugins>)> done) = 0;
    /// Whom these plugins would cut off.
    virtual void look_ahead(const plugins& next,
                            base::unique_function<void(std::vector<std::string>)> done) = 0;
    virtual void swap(plugins next, base::unique_function<void(result<void>)> done) = 0;
    /// Whether the files are still those that the last check saw.
    virtual bool is_as_checked() const = 0;
    /// What would serve after these.
    virtual control::running_build build_of(const plugins& next) const = 0;
    /// What serves.
    virtual control::running_build now() const = 0;
    /// Ends a check under way; what is loading or swapping is not waited for.
    virtual void cancel() = 0;
};

/// The reloads of one server. Jobs run one after the other in the order of their asking, at most
/// `waiting_limit` wait; each leaves one line in the log.
///
///   check (a process of its own) -> load (a thread of its own) -> look ahead -> swap (the server)
///
/// Who will be cut off is a warning in the log before the swap, and stands in the report. A dry run
/// ends before the swap; what it opened is kept, so a reload of the same files swaps to it without
/// check or load. The modules before the last swap are kept: a rollback swaps to them without check
/// or load, the next one forward again. Thread: the loop. Lifetime: `steps` and `clock` outlive it;
/// `id` is the server's, for the log.
class module_reload {
public:
    static constexpr std::size_t waiting_limit = 8;

    module_reload(boost::asio::any_io_executor executor, base::clock& clock, reload_steps& steps,
                  std::string id);
    module_reload(const module_reload&) = delete;
    module_reload& operator=(const module_reload&) = delete;

    /// What the server was started with. Once, before the first job.
    void begin_with(reload_steps::plugins first) { current_ = std::move(first); }

    using report_call = base::unique_function<void(const control::reload_record&)>;
    struct job {
        control::reload_order order;
        /// Once, by post. The record has the order's number, and the server's id.
        report_call done;
    };
    void add(job wanted);
    void reload(report_call done) { add({{}, std::move(done)}); }
    /// Refuses the job under way, those that wait, and all later ones.
    void stop();

private:
    void refuse_later(job refused, std::string why);
    void begin_next();
    void begin();
    void load();
    void look_ahead(const reload_steps::plugins& next);
    void swap(reload_steps::plugins next);
    void finish_looked(reload_steps::plugins next);
    control::reload_record record_of(const job& one) const;
    void finish();
    void finish_refused(std::string why);
    /// `call`, unless the job under way has ended by then: it may have been refused, and this
    /// object may be gone.
    template <class Call>
    auto of_this_job(Call call);

    /// The job that has begun, and what is known of it so far.
    struct under_way {
        job asked;
        control::reload_record record;
        base::time_point begun{};
    };

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    reload_steps& steps_;
    std::string id_;
    reload_steps::plugins current_;
    /// Empty: nothing to go back to.
    reload_steps::plugins previous_;
    /// What a dry run has opened; empty: none since the last swap.
    reload_steps::plugins looked_at_;
    /// Null: none. Steps that come back for another one find it gone.
    std::shared_ptr<under_way> running_;
    std::deque<job> waiting_;
    bool is_stopping_ = false;
};

} // namespace shaddock::node
