#pragma once

#include "base/alive.hpp"
#include "channels.hpp"
#include "directory.hpp"
#include "dispatcher.hpp"
#include "frontend.hpp"
#include "generation_work.hpp"
#include "outgoing.hpp"

#include <map>
#include <set>
#include <thread>
#include <unordered_map>

namespace shaddock::server {

/// What a plugin's host interface works on; all of it belongs to the server and outlives the
/// plugin.
struct host_parts {
    boost::asio::any_io_executor executor;
    base::clock& clock;
    const server_options& options;
    outgoing& servers;
    directory& list;
    dispatcher& calls;
    channel_store& channels;
    /// Null on a backend.
    frontend* clients;
    /// Settings live in the server: a new generation finds what the old one set.
    std::map<std::string, std::string, std::less<>>& settings;
};

/// The host as one generation of a plugin sees it (shaddock/door.hpp has the contract of each
/// function). Thread: the loop, but for `post`, `is_on_loop`, `logs` and `log`.
class plugin_host final : public door::host {
public:
    explicit plugin_host(host_parts parts);
    ~plugin_host() override;
    /// Whose routers this generation's calls use, and its modules and versions, for people. From
    /// its creation on.
    void use(const tables& own, std::string who) {
        own_ = &own;
        who_ = std::move(who);
    }
    /// This generation serves: its named timers run from here on, and those of `old` (null: there
    /// is none) end. One that was set again as it was keeps its time, the others count from here.
    void take_over(plugin_host* old);
    /// They wait: what falls due meanwhile runs at begin_timers.
    void hold_timers();
    void begin_timers();
    /// What this generation has under way: coroutines and handlers that have not ended, whatever
    /// it waits for.
    generation_work& work() { return work_; }
    /// Cancels timers, sleeps and calls; later ones end at once. Posted work that has not run yet
    /// is dropped.
    void stop();
    /// Nothing of the plugin runs any more: what it waits for and what waits to run is destroyed.
    void discard();
    /// Destroys the coroutines that sleep for ever. Before the plugin's objects, which they may
    /// use.
    void drop_sleepers();

    const door::server_info& self() const noexcept override { return parts_.options.self; }
    door::server_list servers(std::string_view type) const noexcept override {
        return parts_.list.of_type(type);
    }
    door::server_list all_servers() const noexcept override { return parts_.list.all(); }

    bool is_check() const noexcept override { return parts_.options.is_check; }

    boost::asio::any_io_executor executor() const noexcept override { return work_.executor(); }
    bool is_on_loop() const noexcept override { return std::this_thread::get_id() == loop_; }
    void post(std::unique_ptr<door::task> work) noexcept override;
    void blocking(std::unique_ptr<door::task> work,
                  std::unique_ptr<door::task> after) noexcept override;
    door::time_point now() const noexcept override { return parts_.clock.now(); }
    void sleep(door::duration how_long, std::unique_ptr<door::completion> done) noexcept override;
    void set_timer(std::string_view name, door::duration first, door::duration period,
                   std::unique_ptr<door::timer_task> tick) noexcept override;
    bool cancel_timer(std::string_view name) noexcept override;
    std::uint64_t at_end(std::unique_ptr<door::task> told) noexcept override;
    void forget_end(std::uint64_t number) noexcept override { at_end_->erase(number); }

    void call(std::string_view route, std::uint64_t contract, const door::call_target& to,
              door::body_view arguments, std::unique_ptr<door::completion> done) noexcept override;
    result<void> cast(std::string_view route, std::uint64_t contract, const door::call_target& to,
                      door::body_view arguments) noexcept override;

    door::channel* find_channel(std::string_view name) noexcept override {
        return parts_.channels.find(name);
    }
    door::channel* create_channel(std::string_view name) noexcept override {
        return parts_.channels.create(name);
    }
    void destroy_channel(std::string_view name) noexcept override { parts_.channels.destroy(name); }
    std::vector<std::string> channel_names() const override { return parts_.channels.names(); }

    void change_session(const session_ref& who, door::session_change change,
                        std::unique_ptr<door::completion> done) noexcept override;
    void find_sessions(const session_ref& who,
                       std::unique_ptr<door::completion> done) noexcept override;
    void kick_uid(std::string_view uid, std::string_view reason,
                  std::unique_ptr<door::completion> done) noexcept override;
    result<void> push_to_sessions(std::string_view route, door::body_view message,
                                  std::span<const session_ref> to) noexcept override;
    result<void> broadcast(std::string_view frontend_type, std::string_view route,
                           door::body_view message, bool only_bound) noexcept override;
    std::vector<session_ref> local_sessions(std::string_view uid) const override;

    std::optional<std::string> setting(std::string_view key) const override;
    void set_setting(std::string_view key, std::string json) override;
    bool logs(door::log_level at) const noexcept override;
    void log(door::log_level at, std::string_view text) noexcept override;
    result<door::extension*> extension(std::string_view name,
                                       std::uint32_t version) noexcept override {
        return extensions_.find(name, version);
    }

private:
    struct config_files final : door::config_files {
        explicit config_files(const server_options& of) : options(of) {}
        result<door::config_text> read(std::string_view file) noexcept override;
        const server_options& options;
    };
    struct named_timer {
        base::timer wait;
        base::time_point due;
        /// As it was set.
        base::duration first{};
        base::duration period{};
        /// When it ran before, or was set.
        base::time_point ran;
        std::shared_ptr<door::timer_task> tick;
    };
    /// A completion of the plugin, and what is served that goes on with it.
    struct waiting {
        std::unique_ptr<door::completion> done;
        service serves;
        generation_work::anchor held;
    };
    struct sleeper {
        base::timer wait;
        waiting ends;
    };
    /// Named timers of a generation that does not serve yet wait; two generations never tick at
    /// once.
    enum class timers_are { waiting, running, over };
    void arm(const std::string& name, named_timer& timer);
    /// What is begun now goes on with the request that is served now.
    waiting as_waiting(std::unique_ptr<door::completion> done) const {
        return {std::move(done), parts_.calls.serving().all(), work_.hold()};
    }
    void complete(waiting ends, result<door::body> outcome);
    /// What a call that is made now belongs to.
    request_id request_of_call();
    /// When a call ends that is made now; zero: by the default timeout.
    base::time_point end_of_call(base::duration timeout = {}) const;
    /// Keeps `done` until the answer or the stop; gives what ends it, once, on the loop. Null after
    /// the stop: `done` has been ended.
    base::unique_function<void(result<door::body>)> await(std::unique_ptr<door::completion> done);
    /// Of a generation that was stopped.
    void end_late(std::unique_ptr<door::completion> done);
    /// With the epoch of the list that has named it; 0: the caller has.
    struct target {
        directory::target to;
        std::uint64_t epoch = 0;
    };
    result<target> target_of(std::string_view route, const door::call_target& to) const;
    void note_types(std::string_view route, std::uint64_t contract, const door::call_target& to);

    host_parts parts_;
    config_files config_files_{parts_.options};
    door::extension_table extensions_;
    generation_work work_;
    const tables* own_ = nullptr;
    std::string who_;
    std::thread::id loop_;
    timers_are timers_are_ = timers_are::waiting;
    std::map<std::string, named_timer, std::less<>> timers_;
    std::map<std::uint64_t, sleeper> sleepers_;
    std::uint64_t next_sleeper_ = 1;
    /// Operations elsewhere that the plugin waits for.
    std::unordered_map<std::uint64_t, waiting> awaited_;
    std::uint64_t next_awaited_ = 1;
    /// Shared with posted work.
    using end_calls = std::map<std::uint64_t, std::unique_ptr<door::task>>;
    std::shared_ptr<end_calls> at_end_ = std::make_shared<end_calls>();
    static void tell_end(const std::weak_ptr<end_calls>& all);
    std::uint64_t last_at_end_ = 0;
    std::size_t blocking_ = 0;
    /// Waits begun after the stop. Who goes on and on is left asleep, so that he does not spin.
    std::size_t late_waits_ = 0;
    std::vector<waiting> asleep_for_ever_;
    /// Shared with posted work; false after stop.
    base::alive alive_;
};

} // namespace shaddock::server
