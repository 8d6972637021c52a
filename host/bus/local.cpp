#include "bus/local.hpp"

#include "base/log.hpp"
#include "core.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace shaddock::bus {

class local_bus final : public core {
public:
    local_bus(boost::asio::any_io_executor executor, base::clock& clock, local_network& network,
              settings wanted)
        : core(std::move(executor), clock, std::move(wanted)), network_(network) {}

    bool wants(const std::string& id) const {
        return std::binary_search(peer_ids().begin(), peer_ids().end(), id);
    }
    local_network& network() { return network_; }
    peer self_peer() const { return {self().id, self().life}; }
    using core::find_link;
    using core::learn_own_death;
    using core::links;
    using core::peer_ids;
    using core::prove_dead;
    using core::tell_absent;

    /// Makes links to all it can reach, in the next loop turn.
    void connect_soon() {
        boost::asio::post(executor(), [this, held = enter()] {
            if (is_running()) {
                network_.connect_later(*this);
            }
        });
    }
    /// What a killed process does: nothing more.
    void vanish() {
        is_killed_ = true;
        const auto all = links();
        for (const auto& [id, via] : all) {
            via->close(link_end::stopped);
        }
    }

protected:
    result<void> open_transport() override {
        const auto& id = self().id;
        if (!network_.attached_.emplace(id, this).second) {
            return error(errc::duplicate, fmt::format("server '{}' is already running", id));
        }
        return {};
    }
    void close_transport() override {
        if (const auto found = network_.attached_.find(self().id);
            found != network_.attached_.end() && found->second == this) {
            network_.attached_.erase(found);
        }
    }
    void peers_changed() override { connect_soon(); }
    void link_went_down(const peer&, link_end) override {
        if (!is_killed_) {
            connect_soon();
        }
    }

    void greet_anew() override { connect_soon(); }

private:
    local_network& network_;
    bool is_killed_ = false;
};

/// One end of a link in memory: what it flushes is posted to the other end.
class memory_link final : public link {
public:
    memory_link(local_bus& owner, local_network& network)
        : link(owner, owner.self().queue_limit), near_(owner), network_(network) {}

    static void join(local_bus& one, local_bus& other) {
        const auto near = std::make_shared<memory_link>(one, one.network());
        const auto far = std::make_shared<memory_link>(other, other.network());
        near->far_ = far;
        far->far_ = near;
        near->become_open(other);
        if (near->is_open()) {
            far->become_open(one);
        }
    }

    void flush() override {
        const auto far = far_.lock();
        if (is_closed() || !far || out_.empty()) {
            return;
        }
        in_transit_ += out_.size();
        far->arriving_.push_back(std::exchange(out_, {}));
        far->receive_soon();
    }
    /// In memory nothing waits to be read but what is posted already.
    void drain() override { receive(portion::all); }
    void receive_soon() {
        if (is_closed()) {
            return; // its bus may have stopped
        }
        boost::asio::post(owner_.executor(), [self = shared(), held = owner_.enter()] {
            self->receive(portion::share);
        });
    }

protected:
    void shut() override {
        if (const auto far = far_.lock()) {
            // The far end finds the loss after what was sent before it, as on a socket.
            far->is_far_closed_ = true;
            far->receive_soon();
        }
    }
    std::size_t in_transit() const override { return in_transit_; }
    void read_on() override { receive_soon(); }

private:
    std::shared_ptr<memory_link> shared() {
        return std::static_pointer_cast<memory_link>(shared_from_this());
    }
    void become_open(local_bus& far) {
        if (!is_closed()) {
            open({far.self().id, far.self().life,
                  common_version(owner_.self().versions, far.self().versions)});
        }
    }
    void receive(portion how_much) {
        if (!is_open() || is_waiting_for_room() || network_.frozen_.contains(near_.self().id)) {
            return;
        }
        begin_reading(how_much);
        while (!arriving_.empty() && !is_closed() && !was_interrupted()) {
            const auto bytes = std::move(arriving_.front());
            arriving_.pop_front();
            const auto used = take_frames(bytes);
            if (used < bytes.size() && !is_closed()) {
                arriving_.push_front(bytes.substr(used));
            }
            if (const auto far = far_.lock()) {
                far->in_transit_ -= used;
                if (far->is_open()) {
                    far->progressed();
                }
            }
            if (!is_closed() && was_interrupted() && must_wait()) {
                wait_for_room();
                return;
            }
        }
        if (!arriving_.empty() && !is_closed()) {
            receive_soon();
        } else if (is_far_closed_) {
            close(link_end::lost);
        }
    }

    local_bus& near_;
    local_network& network_;
    std::weak_ptr<memory_link> far_;
    std::deque<std::string> arriving_;
    std::size_t in_transit_ = 0;
    bool is_far_closed_ = false;
    friend class local_network;
};

std::unique_ptr<bus> make_local(boost::asio::any_io_executor executor, base::clock& clock,
                                local_network& network, std::string id, incarnation life,
                                local_options options) {
    return std::make_unique<local_bus>(std::move(executor), clock, network,
                                       core::settings{std::move(id), life, options.queue_limit,
                                                      options.frame_limit, options.versions,
                                                      nullptr});
}

void local_network::cut(std::string_view one, std::string_view other) {
    cut_.insert(pair_of(one, other));
    drop(one, other);
}

void local_network::mend(std::string_view one, std::string_view other) {
    cut_.erase(pair_of(one, other));
    for (const auto id : {one, other}) {
        if (auto* near = find(id)) {
            near->connect_soon();
        }
    }
}

void local_network::drop(std::string_view one, std::string_view other) {
    if (auto* near = find(one)) {
        if (const auto via = near->find_link(other)) {
            via->close(link_end::lost);
        }
    }
}

void local_network::kill(std::string_view id) {
    auto* gone = find(id);
    if (gone == nullptr) {
        return;
    }
    const std::string name(id);
    attached_.erase(name);
    frozen_.erase(name);
    const auto others = attached_;
    for (const auto& [other, near] : others) {
        if (const auto via = near->find_link(name)) {
            via->drain();
            via->close(link_end::lost);
        }
        near->prove_dead(name);
    }
    gone->vanish();
}

void local_network::freeze(std::string_view id) {
    frozen_.emplace(id);
}

void local_network::thaw(std::string_view id) {
    if (frozen_.erase(std::string(id)) == 0) {
        return;
    }
    if (auto* near = find(id)) {
        for (const auto& [other, via] : near->links()) {
            std::static_pointer_cast<memory_link>(via)->receive_soon();
        }
    }
}

local_network::pair local_network::pair_of(std::string_view one, std::string_view other) {
    return one < other ? pair(one, other) : pair(other, one);
}

local_bus* local_network::find(std::string_view id) const {
    const auto found = attached_.find(id);
    return found != attached_.end() ? found->second : nullptr;
}

void local_network::connect_later(local_bus& near) {
    if (find(near.self().id) != &near) {
        return; // killed
    }
    for (const auto& id : near.peer_ids()) {
        if (find(id) == nullptr) {
            near.tell_absent(id);
        }
    }
    const auto others = attached_;
    for (const auto& [id, far] : others) {
        if (far != &near && near.is_running() && find(id) == far &&
            (near.wants(id) || far->wants(near.self().id))) {
            connect(near, *far);
        }
    }
}

void local_network::connect(local_bus& one, local_bus& other) {
    const bool is_linked = one.is_linked(other.self().id) || other.is_linked(one.self().id);
    if (is_linked || !other.is_running() ||
        cut_.contains(pair_of(one.self().id, other.self().id))) {
        return;
    }
    if (one.is_fenced(other.self_peer())) {
        return other.learn_own_death(one.self().id);
    }
    if (other.is_fenced(one.self_peer())) {
        return one.learn_own_death(other.self().id);
    }
    if (common_version(one.self().versions, other.self().versions) == 0) {
        const auto why = one.no_common_version(other.self().id, other.self().versions);
        base::log::warn("bus", "no link with '{}': {}", other.self().id, why);
        base::log::warn("bus", "no link with '{}': it refuses: {}", one.self().id, why);
        return;
    }
    memory_link::join(one, other);
}

} // namespace shaddock::bus
