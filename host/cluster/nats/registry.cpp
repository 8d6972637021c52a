#include "cluster_nats/registry.hpp"

#include "cluster/direct.hpp"

#include <fmt/format.h>

#include <utility>

namespace shaddock::cluster {

namespace {

class linked_registry final : public nats_registry, private keeper_observer {
public:
    linked_registry(boost::asio::any_io_executor executor, bus::bus& links, view first,
                    std::unique_ptr<nats_keeper> keeper)
        : keeper_(std::move(keeper)), bus_(links),
          links_(
              make_direct_registry(std::move(executor), links, std::move(first), keeper_.get())) {}
    linked_registry(const linked_registry&) = delete;
    linked_registry& operator=(const linked_registry&) = delete;

    result<void> begin() { return keeper_->start(*this); }
    nats_keeper& keeper() override { return *keeper_; }
    result<void> start(const door::server_info& self, registry_listener& listener) override {
        return links_->start(self, listener);
    }
    view_ptr now() const override { return links_->now(); }
    std::optional<std::size_t> running() const override { return keeper_->running(); }
    void live_anew(incarnation life) override {
        links_->live_anew(life);
        keeper_->live_anew(life);
    }
    void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                 proposed_call done) override {
        keeper_->propose(std::move(servers), epoch, std::move(done));
    }
    void set_leaving(const bus::peer& who) override { links_->set_leaving(who); }
    void stop(base::unique_function<void()> done) override {
        links_->stop(
            [this, ended = std::move(done)]() mutable { keeper_->stop(std::move(ended)); });
    }

private:
    void on_list(const view_ptr& now) override { links_->take(*now); }
    void on_over(std::string_view id, incarnation life) override {
        bus_.report_dead({std::string(id), life});
    }

    std::unique_ptr<nats_keeper> keeper_;
    bus::bus& bus_;
    std::unique_ptr<direct_registry> links_;
};

} // namespace

result<std::unique_ptr<nats_registry>> make_nats_registry(boost::asio::any_io_executor executor,
                                                          bus::bus& links, view first,
                                                          std::unique_ptr<nats_keeper> keeper) {
    first.epoch = 0; // whatever the bucket has is newer
    auto made = std::make_unique<linked_registry>(std::move(executor), links, std::move(first),
                                                  std::move(keeper));
    if (auto begun = made->begin(); !begun) {
        return begun.error();
    }
    return std::unique_ptr<nats_registry>(std::move(made));
}

} // namespace shaddock::cluster
