#pragma once

#include "base/clock.hpp"
#include "cluster_nats/keeper.hpp"
#include "config/load.hpp"
#include "control/masters.hpp"
#include "master/shared_list.hpp"
#include "nats/connection.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace shaddock::master {

/// What people call the masters.
struct named_masters {
    std::string own;
    /// By name, the machine.
    std::map<std::string, std::string> others;
};

/// What is told to the other side, the master's. Called on the thread of NATS.
struct nats_news {
    std::function<void(cluster::view_ptr)> on_list;
    std::function<void(named_masters)> on_masters;
    /// Who is there has had the time to say so; once.
    std::function<void()> on_known;
    /// A question of another master, and where its answer goes.
    std::function<void(std::string request, std::string reply)> on_request;
    /// What became of the question of that number (nats_side::ask).
    std::function<void(std::uint64_t number, result<std::string>)> on_answer;
};

/// The half of `machines` that speaks to NATS. Thread: that of its loop; made and destroyed while
/// that does not run.
class nats_side final : cluster::keeper_observer, nats::observer {
public:
    nats_side(const config::system& system, std::string machine, std::string name, nats_news news);

    boost::asio::io_context& loop() { return loop_; }
    /// Errors: config. What has begun by then is to be stopped after an error, too.
    result<void> start();
    /// nats_news::on_answer says once what became of it, as of peers::ask. `number`: another one
    /// for each question.
    void ask(std::uint64_t number, const std::string& machine, const std::string& request,
             base::duration patience);
    void answer(const std::string& to, const std::string& text);
    /// Nothing is tried after `patience`: nobody waits for it any more.
    void agree(const std::shared_ptr<const list_change>& wanted, base::duration patience,
               base::unique_function<void(result<cluster::view_ptr>)> done) {
        agree_by(wanted, clock_.now() + patience, std::move(done), 0);
    }
    void tell_over(std::string_view id, incarnation life) { keeper_->tell_over(id, life); }
    /// Its loop has nothing to do any more when it has ended.
    void stop();

private:
    struct other {
        control::master_presence said;
        base::time_point heard{};
    };

    // ---- keeper_observer
    void on_list(const cluster::view_ptr& now) override { news_.on_list(now); }
    // ---- nats::observer
    void on_up() override;
    void on_down() override {} // which ends what is asked
    std::string subject(std::string_view of) const;
    void say_presence(bool is_leaving);
    void agree_by(const std::shared_ptr<const list_change>& wanted, base::time_point until,
                  base::unique_function<void(result<cluster::view_ptr>)> done, int tries);
    void tell_known();
    void tick();
    void on_presence(const nats::message& said);
    void tell_masters();
    void drop_asks(const std::string& machine);
    /// Masters from whom nothing came although it would have been heard.
    void look_for_silent();

    boost::asio::io_context loop_{1};
    base::steady_clock clock_{loop_.get_executor()};
    std::string cluster_;
    control::master_presence self_;
    nats_news news_;
    nats::connection connection_;
    std::unique_ptr<cluster::nats_keeper> keeper_;
    nats::subscription requests_;
    nats::subscription presences_;
    /// By machine.
    std::map<std::string, other, std::less<>> others_;
    /// The machine that is asked, by the question's number.
    std::map<std::uint64_t, std::string> asks_;
    /// Since then nothing that is sent to this process is missed.
    base::time_point hears_since_{};
    base::time_point last_tick_{};
    base::timer next_tick_;
    /// A master that is new here is told of this one.
    base::timer greeting_;
    base::timer known_soon_;
    base::timer known_at_last_;
    bool is_known_ = false;
};

} // namespace shaddock::master
