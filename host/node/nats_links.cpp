#include "system_links.hpp"

#include "base/log.hpp"
#include "bus/run_folder.hpp"
#include "bus_nats/transport.hpp"
#include "cluster/records.hpp"
#include "cluster_nats/registry.hpp"
#include "nats/from_config.hpp"

#include <boost/asio/post.hpp>

namespace shaddock::node {
namespace {

class nats_links final : public system_links, private cluster::lease_observer {
public:
    nats_links(boost::asio::any_io_executor executor, base::clock& clock, const setting& found,
               const door::server_info& self, link_news news)
        : executor_(std::move(executor)), clock_(clock), self_(self), news_(std::move(news)),
          connection_(executor_, clock,
                      nats::options_for(found.system.host.bus.nats, found.system.folder, self.id)) {
    }

    result<void> make(base::random& random, const setting& found, bus::direct_options options) {
        auto machine = bus::machine_id(found.run);
        if (!machine) {
            return machine.error();
        }
        machine_ = *machine;
        const auto& wanted = found.system.host.bus.nats;
        auto first = cluster::list_of(found.system);
        auto keeper = cluster::make_nats_keeper(executor_, clock_, connection_, first,
                                                {.bucket = nats::bucket_for(wanted),
                                                 .machine = machine_,
                                                 .times = {.beat = options.heartbeat,
                                                           .host_lost = wanted.host_lost,
                                                           .machine_lost = wanted.machine_lost}});
        keeper_ = keeper.get();
        bus::nats_transport_options far{.cluster = wanted.cluster,
                                        .id = options.id,
                                        .host_lost = wanted.host_lost,
                                        .heartbeat = options.heartbeat};
        const bool by_socket = wanted.local_pairs == config::local_way::socket;
        auto local = bus::make_unix_transport(executor_, options.run_folder, options.id);
        local_ = local.get();
        auto over = bus::make_pair_transport(
            executor_, std::move(local),
            bus::make_nats_transport(executor_, clock_, connection_, std::move(far)),
            [this, by_socket](std::string_view id) {
                return by_socket && keeper_->machine_of(id) == machine_;
            });
        bus_ = bus::make_direct(executor_, clock_, random, std::move(options), std::move(over));
        auto registry =
            cluster::make_nats_registry(executor_, *bus_, std::move(first), std::move(keeper));
        if (!registry) {
            return registry.error();
        }
        registry_ = std::move(*registry);
        keeper_->observe(*this);
        return {};
    }

    bus::bus& bus() override { return *bus_; }
    cluster::registry& registry() override { return *registry_; }

    void open(base::unique_function<void(result<void>)> done) override {
        // The lock of the run folder comes first: a claim of this machine is taken at once since
        // whoever has the lock is alone here.
        auto begun = local_->open();
        if (begun) {
            begun = connection_.start();
        }
        if (!begun) {
            return boost::asio::post(executor_, [done = std::move(done), begun]() mutable {
                done(std::move(begun));
            });
        }
        is_open_ = true;
        waiting_ = clock_.after(patience, [this] { say_it_waits(); });
        keeper_->claim(self_, [this, done = std::move(done)](result<void> claimed) mutable {
            waiting_.cancel();
            done(std::move(claimed));
        });
    }
    void take(cluster::view) override {}
    bool has_masters_list() const override { return false; }
    bool may_own() const override { return keeper_->has_lease(); }
    bool may_other_own(std::string_view id) const override { return keeper_->may_own(id); }
    void set_leaving(const bus::peer& who) override { registry_->set_leaving(who); }
    void close(base::unique_function<void()> done) override {
        waiting_.cancel();
        local_->close(); // where the bus has not started
        if (!std::exchange(is_open_, false)) {
            return boost::asio::post(executor_, std::move(done));
        }
        keeper_->stop(
            [this, done = std::move(done)]() mutable { connection_.stop(std::move(done)); });
    }

private:
    static constexpr std::chrono::seconds patience{5};

    void say_it_waits() {
        base::log::warn("bus", "still waiting for {}",
                        connection_.is_up()
                            ? "the list of servers in NATS, or for the end of an earlier life of "
                              "this server"
                            : "NATS: " + connection_.trouble());
        waiting_ = clock_.after(6 * patience, [this] { say_it_waits(); });
    }
    void on_lease(bool has_it) override {
        if (std::exchange(had_lease_, true)) { // the first is no news
            base::log::warn("server", "{}",
                            has_it ? "it may own rooms again"
                                   : "cut off from the list of servers for too long: others may "
                                     "own its rooms by now, so it serves none until it is back");
        }
    }
    void on_claim_lost(const std::optional<cluster::claim_holder>& by) override {
        if (by) {
            news_.on_replaced(by->text());
        } else {
            bus_->report_own_death("the registry");
        }
    }

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    std::string machine_;
    door::server_info self_;
    link_news news_;
    nats::connection connection_;
    std::unique_ptr<bus::bus> bus_;
    /// The bus has it.
    bus::transport* local_ = nullptr;
    std::unique_ptr<cluster::nats_registry> registry_;
    cluster::nats_keeper* keeper_ = nullptr;
    base::timer waiting_;
    bool is_open_ = false;
    bool had_lease_ = false;
};

} // namespace

result<std::unique_ptr<system_links>> make_nats_links(boost::asio::any_io_executor executor,
                                                      base::clock& clock, base::random& random,
                                                      const setting& found,
                                                      const door::server_info& self,
                                                      bus::direct_options options, link_news news) {
    auto made =
        std::make_unique<nats_links>(std::move(executor), clock, found, self, std::move(news));
    if (auto good = made->make(random, found, std::move(options)); !good) {
        return good.error();
    }
    return std::unique_ptr<system_links>(std::move(made));
}

} // namespace shaddock::node
