#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "master/reload.hpp"
#include "server/server.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Reloading the modules of a server that runs: one job at a time, and the way back.
namespace shaddock::cli {

/// How a job ended.
struct reload_report {
    bool is_ok() const { return to.has_value(); }
    /// What served when the job began, and serves still when it was refused.
    master::running_build from;
    std::optional<master::running_build> to;
    /// Nothing was swapped; `to` is what would serve.
    bool is_dry_run = false;
    /// Of a refusal, one line: file, what was found, what was wanted, what to do.
    std::string reason;
    /// From the job's begin, waiting for others not counted.
    std::chrono::duration<double, std::milli> took{};
    /// Whom the new modules cut off, since types of contracts differ; a line each, known before the
    /// swap.
    std::vector<std::string> cut_off{};
};

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
    virtual master::running_build build_of(const plugins& next) const = 0;
    /// What serves.
    virtual master::running_build now() const = 0;
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
    ~module_reload();
    module_reload(const module_reload&) = delete;
    module_reload& operator=(const module_reload&) = delete;

    /// What the server was started with. Once, before the first job.
    void begin_with(reload_steps::plugins first) { current_ = std::move(first); }

    using report_call = base::unique_function<void(const reload_report&)>;
    struct job {
        bool is_rollback = false;
        bool is_dry_run = false;
        /// Once, by post.
        report_call done;
    };
    void add(job wanted);
    void reload(report_call done) { add({false, false, std::move(done)}); }
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
    void finish(reload_report report);
    void finish_refused(std::string why);
    /// `call`, unless the job it belongs to is over.
    template <class Call>
    auto of_this_job(Call call);

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    reload_steps& steps_;
    std::string id_;
    reload_steps::plugins current_;
    /// Empty: nothing to go back to.
    reload_steps::plugins previous_;
    /// What a dry run has opened; empty: none since the last swap.
    reload_steps::plugins looked_at_;
    std::optional<job> running_;
    std::deque<job> waiting_;
    master::running_build from_;
    std::vector<std::string> cut_off_;
    base::time_point begun_{};
    /// Counts the jobs begun.
    std::uint64_t number_ = 0;
    bool is_stopping_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace shaddock::cli
