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
        auto servers = directory_.now()->servers;
        if (const auto* found = find_in(servers, self.id); found != nullptr && found->is_up) {
            return error(errc::duplicate,
                         fmt::format("server '{}' is already registered", self.id));
        }
        is_started_ = true;
        id_ = self.id;
        listener_ = &listener;
        directory_.registered_.push_back(this);
        auto record = self;
        record.is_up = true;
        const bool is_new = put_into(servers, std::move(record));
        directory_.publish(std::move(servers), is_new);
        return {};
    }

    view_ptr now() const override { return directory_.now(); }

    void stop(base::unique_function<void()> done) override {
        leave();
        boost::asio::post(executor_, [this, ended = std::move(done)]() mutable {
            gate_.close(std::move(ended));
        });
    }

    /// Tells the listener of each view, in order.
    void tell(view_ptr news) {
        boost::asio::post(executor_, [this, what = std::move(news), held = gate_.enter().value()] {
            if (is_registered()) {
                listener_->on_view(what);
            }
        });
    }
    void leave() {
        if (!is_registered()) {
            return;
        }
        std::erase(directory_.registered_, this);
        auto servers = directory_.now()->servers;
        if (auto* self = find_in(servers, id_)) {
            self->is_up = false;
            self->life = {};
        }
        directory_.publish(std::move(servers), false);
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
    base::gate gate_;
};

local_directory::local_directory() : local_directory(std::vector<door::server_info>()) {}

local_directory::local_directory(std::vector<door::server_info> expected)
    : now_(std::make_shared<view>(view{1, expected_list(std::move(expected))})) {}

void local_directory::set_expected(std::vector<door::server_info> expected) {
    auto servers = expected_list(std::move(expected));
    for (const auto& old : now_->servers) {
        if (!old.is_up) {
            continue;
        }
        if (auto* kept = find_in(servers, old.id)) {
            kept->is_up = true;
            kept->life = old.life;
        } else {
            put_into(servers, old);
        }
    }
    const bool is_same = is_same_list(servers, now_->servers);
    publish(std::move(servers), !is_same);
}

void local_directory::kill(std::string_view id) {
    const auto found = std::find_if(registered_.begin(), registered_.end(),
                                    [id](const auto* server) { return server->id() == id; });
    if (found != registered_.end()) {
        (*found)->leave();
    }
}

void local_directory::publish(std::vector<door::server_info> servers, bool list_has_changed) {
    const auto epoch = now_->epoch + (list_has_changed ? 1 : 0);
    now_ = std::make_shared<view>(view{epoch, std::move(servers)});
    for (auto* server : registered_) {
        server->tell(now_);
    }
}

std::unique_ptr<registry> make_local_registry(boost::asio::any_io_executor executor,
                                              local_directory& directory) {
    return std::make_unique<local_registry>(std::move(executor), directory);
}

} // namespace shaddock::cluster
