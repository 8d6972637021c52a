#include "system_links.hpp"

#include "cluster/records.hpp"

#include <boost/asio/post.hpp>

namespace shaddock::node {
namespace {

class direct_links final : public system_links {
public:
    direct_links(boost::asio::any_io_executor executor, base::clock& clock, base::random& random,
                 const setting& found, bus::direct_options options)
        : executor_(executor), bus_(bus::make_direct(executor, clock, random, std::move(options))),
          registry_(cluster::make_direct_registry(std::move(executor), *bus_,
                                                  cluster::list_of(found.system))) {}

    bus::bus& bus() override { return *bus_; }
    cluster::registry& registry() override { return *registry_; }
    void open(base::unique_function<void(result<void>)> done) override {
        boost::asio::post(executor_, [done = std::move(done)]() mutable { done({}); });
    }
    void take(cluster::view told) override {
        told.is_numbered = told.epoch != 0;
        told.epoch = told.is_numbered ? told.epoch : registry_->now()->epoch + 1;
        registry_->take(std::move(told));
    }
    bool has_masters_list() const override { return true; }
    bool may_own() const override { return true; }
    bool may_other_own(std::string_view) const override { return false; }
    void set_leaving(const bus::peer& who) override { registry_->set_leaving(who); }
    void close(base::unique_function<void()> done) override {
        boost::asio::post(executor_, std::move(done));
    }

private:
    boost::asio::any_io_executor executor_;
    std::unique_ptr<bus::bus> bus_;
    std::unique_ptr<cluster::direct_registry> registry_;
};

} // namespace

std::unique_ptr<system_links> make_direct_links(boost::asio::any_io_executor executor,
                                                base::clock& clock, base::random& random,
                                                const setting& found, bus::direct_options options) {
    return std::make_unique<direct_links>(std::move(executor), clock, random, found,
                                          std::move(options));
}

} // namespace shaddock::node
