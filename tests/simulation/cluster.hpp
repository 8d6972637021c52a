#pragma once

#include "cluster/direct.hpp"
#include "network.hpp"
#include "ports.hpp"
#include "server/server.hpp"
#include "world.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::simulation {

/// The servers of a chat system, and of their master what it does about deaths, about who stands
/// still, and about the list.
class cluster {
public:
    struct shape {
        int gates = 1;
        int connectors = 2;
        int chats = 2;
        /// As run_options::has_leases.
        bool has_leases = false;
    };
    cluster(world& in, shape wanted);
    ~cluster();
    cluster(const cluster&) = delete;
    cluster& operator=(const cluster&) = delete;

    /// All that run or are to run: those of the list, and guests that come or go.
    const std::vector<std::string>& ids() const { return ids_; }
    bool is_ready(const std::string& id) const;
    bool is_frozen(const std::string& id) const;
    /// Without a goodbye; it is started again after `away`. The others hear of its exit through the
    /// master after up to 20 ms each, or only by what they see of the sockets.
    void kill(const std::string& id, duration away);
    /// As SIGSTOP for so long.
    void freeze(const std::string& id, duration span);
    /// As SIGSTOP, until the master kills it, which the bus's silence brings about.
    void stall(const std::string& id, duration away);
    /// A graceful stop, and a start after `away`.
    void restart(const std::string& id, duration away);
    /// The same plugin again, as a new generation.
    void reload(const std::string& id);
    /// Until a new one adopts what runs: nobody is told of deaths, started, killed for standing
    /// still, added or taken out.
    void kill_master(duration away);
    /// Zero: there is one.
    duration master_is_away_for() const { return std::max(master_from_ - in.now(), duration(0)); }
    /// Its line to the master is cut for so long: it hears of no list and of no death.
    void cut_master(const std::string& id, duration span);
    /// One more server of the type comes, as a guest, and into the list once it is linked. Its id;
    /// empty: nothing happens, because the list is changing, or has enough of them.
    std::string add(std::string_view type);
    /// One of the type leaves the list, then its rooms leave it, then it stops. As above.
    std::string take_out(std::string_view type, bool is_forgotten);
    /// Of a type, by the present list, sorted.
    std::vector<std::string> listed(std::string_view type) const { return ids_of(expected_, type); }
    bool has_list_changed(time_point from, time_point to) const;
    static constexpr duration silence = 5s;

    server::status status(const std::string& id) const { return servers_.at(id)->instance->now(); }
    /// All servers are there and linked with all others.
    bool is_whole() const;
    std::string chat_of(const std::string& room) const;
    /// Who owns it by any of the lists of that time.
    std::vector<std::string> owners_of(const std::string& room, time_point from,
                                       time_point to) const;
    /// The process stops: `~cluster` needs it.
    void stop();

    world& in;
    network between{in};
    ports clients{in};

private:
    struct running final : bus::link_observer {
        std::shared_ptr<process> runs;
        std::unique_ptr<base::random> chance;
        std::unique_ptr<bus::bus> links;
        std::unique_ptr<shaddock::cluster::direct_registry> registry;
        std::unique_ptr<server::server> instance;
        incarnation life{};
        bool is_started = false;
        bool is_stopping = false;
        time_point list_told{};
        /// Its master hears and tells nothing before.
        time_point heard_from{};
        /// What it was told, by epoch: an index of `told_`.
        std::map<std::uint64_t, std::string> lists{};
        ~running();
        void on_link_up(const bus::peer&) override {}
        void on_link_down(const bus::peer&, bus::link_end) override {}
        void on_dead(const bus::peer&) override {}
        /// As the master is told.
        void on_reborn(const bus::peer& self) override { life = self.life; }
    };
    using running_ptr = std::shared_ptr<running>;

    /// A change of the list under way: `id` comes, or goes.
    struct change {
        std::string id;
        bool comes = false;
        bool is_forgotten = false;
        time_point begun{};
    };
    using records = std::vector<door::server_info>;

    void start(const std::string& id);
    void start_later(const std::string& id, duration away);
    void tell_dead(const bus::peer& gone);
    void end(const running_ptr& one);
    void stop_well(const running_ptr& one, base::unique_function<void()> stopped);
    void judge(const std::string& id, const running_ptr& one, duration away);
    void adopt();
    void change_list(records& from, records& into, const std::string& id);
    void tell_list();
    void tell_list(const running_ptr& one);
    void take_list(running& one, std::string_view list);
    void go_on();
    void go_on_coming();
    void go_on_leaving();
    void forget(const std::string& id, bool has_no_record);
    bool has_settled() const;
    static std::vector<std::string> ids_of(const records& list, std::string_view type);

    bool has_leases_;
    std::vector<std::string> ids_;
    records expected_;
    records guests_;
    std::uint64_t epoch_ = 1;
    /// The chat servers of each list since its time.
    std::vector<std::pair<time_point, std::vector<std::string>>> lists_;
    /// All lists that were told to somebody.
    std::vector<shaddock::cluster::view> told_;
    std::optional<change> change_;
    time_point master_from_{};
    std::map<std::string, running_ptr> servers_;
    std::size_t ending_ = 0;
    bool is_stopping_ = false;
};

} // namespace shaddock::simulation
