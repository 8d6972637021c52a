#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "cluster/registry.hpp"
#include "cluster_nats/lease.hpp"
#include "nats/kv.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::cluster {

struct nats_keeper_options {
    /// One bucket for all servers of a system.
    nats::kv_options bucket;
    /// Which machine this is: the random id that is kept in its run folder, in which one process
    /// has an id at a time (its lock).
    std::string machine;
    lease_times times{};
};

/// Who wants to know of the list. Thread: the loop.
class keeper_observer {
public:
    /// The list, or its guests: those that run, as their claims say, and are not in it. Nobody is
    /// up in it: that is for links to say.
    virtual void on_list(const view_ptr& now) = 0;
    /// That life of a server is over: another one has its claim, or somebody who knows has said so.
    virtual void on_over(std::string_view id, incarnation life) {
        (void)id;
        (void)life;
    }

protected:
    ~keeper_observer() = default;
};

/// The list of a system on many machines, in a bucket of NATS: changed by compare-and-set, so that
/// of two changes one wins, whoever makes them; and who runs under each id. A server claims its id
/// here; a master only reads and proposes. Nobody has to be there first. Without NATS everybody
/// goes on with the last list, and it changes again when NATS is back; when its store was lost,
/// those who know the list write it again, and no epoch goes back.
///
/// Who judges: who is connected and hears all changes. Silence of others counts only meanwhile, and
/// anew after each return and after this process itself stood still. A machine all of whose servers
/// were silent for `machine_lost` is given up: one who lives fences its claims and takes its
/// servers out of the list by one change. Thread: the loop. Lifetime: `stop` must have ended before
/// it is destroyed.
class nats_keeper : public list_keeper {
public:
    virtual ~nats_keeper() = default;

    /// Begins to read. Errors: config (the bucket's name).
    virtual result<void> start(keeper_observer& told) = 0;
    /// Never null; epoch 0 before the bucket was read.
    virtual view_ptr now() const = 0;
    /// Everything that the bucket says is known: connected, and whole.
    virtual bool is_current() const = 0;

    /// Claims the id of `self`, once, after start: an id does not run twice. `done` once: when it
    /// has it and the list is known, however long NATS is away. At once where nobody has it, or
    /// this machine had it (the lock of the run folder says that the old process is gone); after
    /// `host_lost` where another machine had it and is silent. Errors: duplicate (it runs
    /// elsewhere: where, and since when), cancelled (stopped).
    virtual void claim(const door::server_info& self,
                       base::unique_function<void(result<void>)> done) = 0;
    /// The server goes on as a new incarnation; a claim that was lost is taken again.
    virtual void live_anew(incarnation life) = 0;
    virtual void observe(lease_observer& told) = 0;
    /// Whether this server may own rooms (lease_times).
    virtual bool has_lease() const = 0;
    /// Whether another server may own rooms, as far as is known here: it has a claim and was not
    /// silent for `host_lost`, or nothing is known now. So a new owner of its rooms that is not
    /// linked with it waits until this is false.
    virtual bool may_own(std::string_view id) const = 0;
    /// Where that server runs, or ran last; empty: nobody has its id.
    virtual std::string machine_of(std::string_view id) const = 0;
    /// How many others run, as their claims say, in the list or as its guests; those of the list
    /// that stand on this machine count in any case, since it starts all of its servers.
    virtual std::size_t running() const = 0;
    /// That life of a server of this machine has ended, which this process has seen: its claim says
    /// so from now on, and whoever claims the id next need not wait.
    virtual void tell_over(std::string_view id, incarnation life) = 0;
    /// Those that left the list because their machine was lost, and not by a word.
    virtual std::vector<std::string> lost() const = 0;

    /// Gives the claim back, for at most a second; `done` is posted. May be called again when it
    /// has ended.
    virtual void stop(base::unique_function<void()> done) = 0;
};

/// `first` is the list where the bucket has none. Lifetime: clock and connection outlive it, and
/// the connection stops after it.
std::unique_ptr<nats_keeper> make_nats_keeper(const boost::asio::any_io_executor& executor,
                                              base::clock& clock, nats::connection& to,
                                              const view& first, nats_keeper_options wanted);

} // namespace shaddock::cluster
