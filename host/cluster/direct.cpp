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
    bus_registry(boost::asio::any_io_executor executor, bus::bus& links, view first,
                 list_keeper* keeper)
        : executor_(std::move(executor)), links_(links), keeper_(keeper),
          now_(std::make_shared<view>(std::move(first))) {
        links_.observe(*this);
    }
    bus_registry(const bus_registry&) = delete;
    bus_registry& operator=(const bus_registry&) = delete;

    result<void> start(const door::server_info& self, registry_listener& listener) override;
    view_ptr now() const override { return now_; }
    void live_anew(incarnation life) override {
        self_.life = life;
        set_up(self_.id, true, life);
    }
    void take(view told) override;
    void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                 proposed_call done) override;
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
    void publish(view next);
    void give_peers();

    boost::asio::any_io_executor executor_;
    bus::bus& links_;
    list_keeper* keeper_;
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
    publish(with_self(*now_, self_));
    give_peers();
    return {};
}

void bus_registry::take(view told) {
    if (told.epoch < now_->epoch) {
        return;
    }
    view next{told.epoch, expected_list(std::move(told.servers)),
              expected_list(std::move(told.guests)), told.is_numbered};
    if (listener_ != nullptr) {
        next = with_self(std::move(next), self_);
    }
    for (const auto& with : links_.linked()) {
        if (auto* server = find_in(next, with.id); server != nullptr && !is_leaving(with)) {
            server->is_up = true;
            server->life = with.life;
        }
    }
    if (next.epoch != now_->epoch || !is_same_list(next.servers, now_->servers) ||
        !is_same_list(next.guests, now_->guests)) {
        publish(std::move(next));
        give_peers();
    }
}

void bus_registry::propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                           proposed_call done) {
    if (keeper_ != nullptr) {
        return keeper_->propose(std::move(servers), epoch, std::move(done));
    }
    boost::asio::post(executor_, [done = std::move(done)]() mutable {
        done(error(errc::no_server, "only the master changes the list: host add, stop, remove"));
    });
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
    auto next = *now_;
    auto* server = find_in(next, id);
    if (server == nullptr || (server->is_up == is_up && server->life == life)) {
        return; // a link to one who is not known says nothing about the cluster
    }
    server->is_up = is_up;
    server->life = life;
    publish(std::move(next));
}

void bus_registry::publish(view next) {
    now_ = std::make_shared<view>(std::move(next));
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
    for (const auto* list : {&now_->servers, &now_->guests}) {
        for (const auto& server : *list) {
            ids.push_back(server.id);
        }
    }
    links_.set_peers(std::move(ids));
}

} // namespace

std::unique_ptr<direct_registry> make_direct_registry(boost::asio::any_io_executor executor,
                                                      bus::bus& links, view first,
                                                      list_keeper* keeper) {
    first.servers = expected_list(std::move(first.servers));
    first.guests = expected_list(std::move(first.guests));
    return std::make_unique<bus_registry>(std::move(executor), links, std::move(first), keeper);
}

} // namespace shaddock::cluster
