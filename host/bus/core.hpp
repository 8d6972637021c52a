#pragma once

#include "base/gate.hpp"
#include "base/turn_budget.hpp"
#include "bus/bus.hpp"
#include "call_table.hpp"
#include "link.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shaddock::bus {

/// What every bus has: links, calls in flight, observers, and one posted handler per loop turn that
/// completes and flushes. Subclasses make the links. Thread: the loop.
class core : public bus {
public:
    struct settings {
        std::string id;
        incarnation life{};
        std::size_t queue_limit = 0;
        std::size_t frame_limit = 0;
        version_range versions{};
        /// In which links have their share; null: one of its own.
        base::turn_budget* turns = nullptr;
    };

    core(boost::asio::any_io_executor executor, base::clock& clock, settings wanted);
    core(const core&) = delete;
    core& operator=(const core&) = delete;

    result<void> start(receiver& serves) final;
    void observe(link_observer& observer) final { observers_.push_back(&observer); }
    void set_peers(std::vector<std::string> ids) final;
    void call(std::string_view to, envelope_view what, base::time_point deadline,
              base::unique_function<void(result<std::string>)> done, const load& of = {}) final;
    result<void> cast(std::string_view to, envelope_view what, const load& of = {}) final;
    result<void> admits(std::string_view to, std::size_t bytes, const load& of) final;
    result<void> tell(std::string_view to, envelope_view what, std::string_view key) final;
    bool is_linked(std::string_view id) const final { return links_.contains(id); }
    std::vector<peer> linked() const final;
    const bus_counts& counts() const final { return counts_; }
    std::vector<link_queue> queues() const final;
    std::size_t calls_in_flight() const final { return calls_.size(); }
    void report_dead(const peer& gone) final;
    void report_own_death(std::string_view from) final { learn_own_death(from); }
    void stop(base::unique_function<void()> done) final;

    // for links
    const settings& self() const { return self_; }
    base::clock& clock() const { return clock_; }
    base::turn_budget& turns() { return turns_; }
    receiver& serves() { return *serves_; }
    call_table& calls() { return calls_; }
    bus_counts& counts() { return counts_; }
    bool is_running() const { return state_ == state::running; }
    const boost::asio::any_io_executor& executor() const { return executor_; }
    /// Holds `stop` open until a pending operation of the transport has come back. Not for a link
    /// that is closed: it may be left after the stop.
    base::gate::pass enter() { return gate_.enter().value(); }
    /// Remembers to flush the link at the end of this loop turn.
    void flush_later(std::shared_ptr<link> dirty);
    /// Does `work` by post, in order with all other events and completions.
    void after_turn(base::unique_function<void()> work) { later(std::move(work)); }
    /// Around the handling of what one wake-up has read: what it gives to send goes out at the end
    /// of it, without another turn of the loop.
    void begin_read() { is_reading_ = true; }
    void end_read();
    /// A link is greeted: replaces an older one to the same id, whose end (and death, if it was
    /// another life) is told first. Thread: a handler of the loop, not inside a call of the bus.
    void link_is_up(const std::shared_ptr<link>& up);
    void link_is_closed(link& closed, link_end why);
    /// This life is over for others, who have declared it dead: all links end, and the next ones
    /// are those of a new incarnation. By post; once for each life.
    void learn_own_death(std::string_view from);
    /// How long the loop had stood still before this turn or shortly ago, zero if it had not: what
    /// comes in now may be as old.
    virtual base::duration stall(base::time_point now) const {
        (void)now;
        return base::duration::zero();
    }
    /// Whether it stood still for so long that others have declared it dead, as far as they were
    /// linked.
    virtual bool was_silent(base::time_point now) const {
        (void)now;
        return false;
    }
    /// True once: strangers that speak garbage are logged once, they could fill the disk.
    bool is_first_stranger() { return std::exchange(is_first_stranger_, false); }
    /// Whether this life was seen to end: it may not link again.
    bool is_fenced(const peer& who) const;
    /// Why no link with `id`, which speaks `versions`, is possible: no version is common.
    std::string no_common_version(std::string_view id, version_range versions) const;

protected:
    /// What is known of an id that was linked, or was reported dead.
    struct life_record {
        incarnation life{};
        /// Told as dead or gone with a goodbye: nothing more will be said about this life unless it
        /// links again.
        bool has_ended = false;
        /// Its exit was seen: a late greeting of it is refused.
        bool is_fenced = false;
        /// Of the last link: its version, and when it went down.
        std::uint16_t version = version_range{}.highest;
        base::time_point lost_at{};
    };

    virtual result<void> open_transport() = 0;
    /// Stops making links, closes what is not a link yet.
    virtual void close_transport() = 0;
    /// `peer_ids()` has changed.
    virtual void peers_changed() = 0;
    /// Redial or probe, unless stopping.
    virtual void link_went_down(const peer& with, link_end why) = 0;
    /// `self().life` has changed: greetings under way are of the old one.
    virtual void greet_anew() = 0;

    /// Does `work` by post, in order with all other events and completions.
    void later(base::unique_function<void()> work);
    /// The last known life of an id is over; tells the observers once. Not for a linked id.
    void prove_dead(const std::string& id);
    /// Nobody runs under that id.
    void tell_absent(const std::string& id);
    /// A peer is dead by our judgement: its link, if any, ends, and that life may not return.
    void declare_dead(link& silent);
    void declare_missing_dead(const std::string& id);
    const life_record* known(std::string_view id) const;
    /// Of those who were linked and are not now, and may live; sorted.
    std::vector<std::string> missing() const;
    const std::vector<std::string>& peer_ids() const { return peer_ids_; }
    std::shared_ptr<link> find_link(std::string_view id) const;
    const std::map<std::string, std::shared_ptr<link>, std::less<>>& links() const {
        return links_;
    }

private:
    enum class state { idle, running, stopping };

    void end_turn_later();
    void run_later();
    void flush_all();
    /// Calls `news` with each observer, by post.
    void tell(base::unique_function<void(link_observer&)> news);
    void tell_down(const peer& with, link_end why);
    void tell_dead(const peer& gone);
    void live_anew(std::string_view from);
    void end_with_last_link();
    error no_link(std::string_view to) const;
    /// The link for such a message.
    result<link*> way_to(std::string_view to, std::size_t bytes) const;
    error refusal(std::string_view to, std::uint64_t& count) const;

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    settings self_;
    std::optional<base::turn_budget> own_turns_;
    base::turn_budget& turns_;
    state state_ = state::idle;
    receiver* serves_ = nullptr;
    std::vector<link_observer*> observers_;
    std::vector<std::string> peer_ids_;
    std::map<std::string, std::shared_ptr<link>, std::less<>> links_;
    std::map<std::string, life_record, std::less<>> lives_;
    bus_counts counts_;
    call_table calls_;
    std::vector<base::unique_function<void()>> later_;
    std::vector<std::shared_ptr<link>> dirty_;
    bool is_turn_posted_ = false;
    bool is_reading_ = false;
    bool is_first_stranger_ = true;
    /// Of links that still have to be read to their end at the stop.
    base::timer patience_;
    base::unique_function<void()> stopped_;
    base::gate gate_;
};

} // namespace shaddock::bus
