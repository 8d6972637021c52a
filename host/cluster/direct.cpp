#include "cluster/direct.hpp"

#include "base/gate.hpp"
#include "expected.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

namespace shaddock::cluster {

namespace {

class bus_registry final : public direct_registry, private bus::link_observer {
public:
    bus_registry(boost::asio::any_io_executor executor, bus::bus& links,
                 std::vector<door::server_info> expected)
        : executor_(std::move(executor)), links_(links),
          now_(std::make_shared<view>(view{1, expected_list(std::move(expected))})) {
        links_.observe(*this);
    }
    bus_registry(const bus_registry&) = delete;
    bus_registry& operator=(const bus_registry&) = delete;

    result<void> start(const door::server_info& self, registry_listener& listener) override;
    view_ptr now() const override { return now_; }
    void set_expected(std::vector<door::server_info> expected) override;
    void set_leaving(const bus::peer& who) override;
    void stop(base::unique_function<void()> done) override;

private:
    void on_link_up(const bus::peer& with) override {
        if (!is_leaving(with)) {
            set_up(with.id, true, with.life);
        }
    }
    void on_link_down(const bus::peer& with, bus::link_end) override { set_up(with.id, false, {}); }
    void on_dead(const bus::peer&) override {}

    bool is_leaving(const bus::peer& who) const {
        const auto at = leaving_.find(who.id);
        return at != leaving_.end() && at->second == who.life;
    }
    void set_up(std::string_view id, bool is_up, incarnation life);
    void publish(std::vector<door::server_info> servers, std::uint64_t epoch);
    void give_peers();

    boost::asio::any_io_executor executor_;
    bus::bus& links_;
    view_ptr now_;
    door::server_info self_;
    registry_listener* listener_ = nullptr;
    /// The last life of each id that has begun to stop.
    std::map<std::string, incarnation, std::less<>> leaving_;
    base::gate gate_;
};

result<void> bus_registry::start(const door::server_info& self, registry_listener& listener) {
    assert(listener_ == nullptr);
    listener_ = &listener;
    self_ = self;
    self_.is_up = true;
    auto servers = now_->servers;
    const bool is_new = put_into(servers, self_);
    publish(std::move(servers), now_->epoch + (is_new ? 1 : 0));
    give_peers();
    return {};
}

void bus_registry::set_expected(std::vector<door::server_info> expected) {
    auto servers = expected_list(std::move(expected));
    if (listener_ != nullptr) {
        put_into(servers, self_);
    }
    for (const auto& with : links_.linked()) {
        if (auto* server = find_in(servers, with.id); server != nullptr && !is_leaving(with)) {
            server->is_up = true;
            server->life = with.life;
        }
    }
    const bool is_same = is_same_list(servers, now_->servers);
    if (!is_same) {
        publish(std::move(servers), now_->epoch + 1);
        give_peers();
    }
}

void bus_registry::set_leaving(const bus::peer& who) {
    leaving_[who.id] = who.life;
    const auto* now = now_->find(who.id);
    if (now != nullptr && now->life == who.life) {
        set_up(who.id, false, {});
    }
}

void bus_registry::stop(base::unique_function<void()> done) {
    listener_ = nullptr;
    boost::asio::post(executor_,
                      [this, ended = std::move(done)]() mutable { gate_.close(std::move(ended)); });
}

void bus_registry::set_up(std::string_view id, bool is_up, incarnation life) {
    auto servers = now_->servers;
    auto* server = find_in(servers, id);
    if (server == nullptr || (server->is_up == is_up && server->life == life)) {
        return; // a link to one who is not on the list says nothing about the cluster
    }
    server->is_up = is_up;
    server->life = life;
    publish(std::move(servers), now_->epoch);
}

void bus_registry::publish(std::vector<door::server_info> servers, std::uint64_t epoch) {
    now_ = std::make_shared<view>(view{epoch, std::move(servers)});
    if (listener_ == nullptr) {
        return;
    }
    boost::asio::post(executor_, [this, news = now_, held = gate_.enter().value()] {
        if (listener_ != nullptr) {
            listener_->on_view(news);
        }
    });
}

void bus_registry::give_peers() {
    std::vector<std::string> ids;
    for (const auto& server : now_->servers) {
        ids.push_back(server.id);
    }
    links_.set_peers(std::move(ids));
}

} // namespace

std::unique_ptr<direct_registry> make_direct_registry(boost::asio::any_io_executor executor,
                                                      bus::bus& links,
                                                      std::vector<door::server_info> expected) {
    return std::make_unique<bus_registry>(std::move(executor), links, std::move(expected));
}

} // namespace shaddock::cluster
