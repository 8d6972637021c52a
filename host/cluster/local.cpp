#include "cluster/local.hpp"

#include "base/gate.hpp"
#include "expected.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace shaddock::cluster {

class local_registry final : public registry {
public:
    local_registry(boost::asio::any_io_executor executor, local_directory& directory)
        : executor_(std::move(executor)), directory_(directory) {}
    local_registry(const local_registry&) = delete;
    local_registry& operator=(const local_registry&) = delete;

    result<void> start(const door::server_info& self, registry_listener& listener) override {
        assert(!is_started_);
        if (const auto* found = directory_.now()->find(self.id); found != nullptr && found->is_up) {
            return error(errc::duplicate,
                         fmt::format("server '{}' is already registered", self.id));
        }
        is_started_ = true;
        id_ = self.id;
        listener_ = &listener;
        directory_.registered_.push_back(this);
        directory_.publish(with_self(*directory_.now(), self));
        return {};
    }

    view_ptr now() const override { return directory_.now(); }

    void live_anew(incarnation life) override {
        auto next = *directory_.now();
        if (auto* self = find_in(next, id_); self != nullptr && is_registered()) {
            self->life = life;
            directory_.publish(std::move(next));
        }
    }

    void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                 proposed_call done) override {
        boost::asio::post(executor_, [made = directory_.propose(std::move(servers), epoch),
                                      done = std::move(done)]() mutable { done(std::move(made)); });
    }

    void stop(base::unique_function<void()> done) override {
        leave();
        boost::asio::post(executor_, [this, ended = std::move(done)]() mutable {
            gate_.close(std::move(ended));
        });
    }

    /// Tells the listener of each view, in order.
    void tell(view_ptr news) {
        boost::asio::post(executor_, [this, what = std::move(news), held = gate_.enter().value()] {
            if (directory_.frozen_.contains(id_)) {
                untold_.push_back(what);
            } else if (is_registered()) {
                listener_->on_view(what);
            }
        });
    }
    /// Tells what has waited.
    void go_on() {
        for (auto& each : std::exchange(untold_, {})) {
            tell(std::move(each));
        }
    }
    void leave() {
        if (!is_registered()) {
            return;
        }
        std::erase(directory_.registered_, this);
        auto next = *directory_.now();
        auto* self = find_in(next, id_);
        self->is_up = false;
        self->life = {};
        directory_.publish(std::move(next));
    }
    const std::string& id() const { return id_; }

private:
    bool is_registered() const {
        const auto& all = directory_.registered_;
        return std::find(all.begin(), all.end(), this) != all.end();
    }

    boost::asio::any_io_executor executor_;
    local_directory& directory_;
    std::string id_;
    registry_listener* listener_ = nullptr;
    bool is_started_ = false;
    std::vector<view_ptr> untold_;
    base::gate gate_;
};

local_directory::local_directory() : local_directory(std::vector<door::server_info>()) {}

local_directory::local_directory(std::vector<door::server_info> expected)
    : now_(std::make_shared<view>(view{1, expected_list(std::move(expected)), {}})) {}

proposal local_directory::propose(std::vector<door::server_info> servers, std::uint64_t epoch) {
    const bool is_taken = epoch == now_->epoch;
    if (is_taken) {
        publish(changed_list(*now_, std::move(servers)));
    }
    return {is_taken, now_};
}

void local_directory::kill(std::string_view id) {
    const auto found = std::find_if(registered_.begin(), registered_.end(),
                                    [id](const auto* server) { return server->id() == id; });
    if (found != registered_.end()) {
        (*found)->leave();
    }
}

void local_directory::freeze(std::string_view id) {
    frozen_.emplace(id);
}

void local_directory::thaw(std::string_view id) {
    if (frozen_.erase(std::string(id)) == 0) {
        return;
    }
    for (auto* server : registered_) {
        if (server->id() == id) {
            server->go_on();
        }
    }
}

void local_directory::publish(view next) {
    now_ = std::make_shared<view>(std::move(next));
    for (auto* server : registered_) {
        server->tell(now_);
    }
}

std::unique_ptr<registry> make_local_registry(boost::asio::any_io_executor executor,
                                              local_directory& directory) {
    return std::make_unique<local_registry>(std::move(executor), directory);
}

} // namespace shaddock::cluster
