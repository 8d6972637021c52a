#include "ports.hpp"

#include "protocol/kick.hpp"

#include "base/alive.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace shaddock::simulation {

class simulated_connection final : public net::connection {
public:
    simulated_connection(client_port& at, std::uint64_t id, line_ptr line)
        : port_(at), id_(id), line_(std::move(line)) {}

    net::connection_id id() const override { return net::connection_id{id_}; }
    const std::string& address() const override { return address_; }
    net::send_result send(const net::encoded_package& made) override {
        return send_package(std::string_view(made.bytes).substr(made.header_size));
    }
    net::send_result send_package(std::string_view package) override {
        if (is_closing) {
            return net::send_result::closed;
        }
        line_->deliver(std::string(package));
        return net::send_result::queued;
    }
    void kick(std::string_view reason) override;
    std::size_t pending_bytes() const override { return 0; }
    void charge(std::size_t) override {}
    void keep(std::size_t) override {}
    void give_back(std::size_t) override {}

    bool is_closing = false;

private:
    client_port& port_;
    std::uint64_t id_;
    line_ptr line_;
    std::string address_ = "127.0.0.1:1";
};

class client_port final : public net::listener {
public:
    client_port(ports& all, std::shared_ptr<process> of) : all_(all), of_(std::move(of)) {}
    ~client_port() override {
        break_off();
        forget_me(all_.started_);
    }

    result<void> start(net::listener_events& events) override {
        events_ = &events;
        if (!of_->is_dead) {
            all_.open_[of_->id()] = this;
            all_.started_[of_->id()] = this;
        }
        return {};
    }
    std::uint16_t port() const override { return 1; }
    const net::listener_counts& counts() const override { return counts_; }
    void answer_handshake(net::connection_id, const net::handshake_answer&) override {}
    void deny(base::network_set) override {}
    void stop_accepting() override { forget_me(all_.open_); }
    void stop(std::string_view reason, base::unique_function<void()> done) override {
        stop_accepting();
        when_empty_ = std::move(done);
        for (auto& [id, one] : connections_) {
            one->kick(reason);
        }
        tell_if_empty();
    }

    void come(const line_ptr& from) {
        if (from->port_ != this) {
            return;
        }
        auto made = std::make_unique<simulated_connection>(*this, from->id_, from);
        auto& one = *made;
        connections_.emplace(from->id_, std::move(made));
        ++counts_.connections;
        const auto answer =
            events_->on_handshake(one, R"({"sys":{"type":"simulation","version":"1"}})");
        if (!answer || !answer->accepted) {
            return close(from->id_, "refused");
        }
        events_->on_ready(one);
        from->world_.at(from->next_down(), [from] {
            if (from->client_ != nullptr) {
                from->client_->on_ready();
            }
        });
    }
    void take(std::uint64_t id, std::string_view message) {
        const auto at = connections_.find(id);
        if (at != connections_.end() && !at->second->is_closing &&
            !events_->on_data(*at->second, message)) {
            close(id, "malformed");
        }
    }
    void close_later(std::uint64_t id, std::string reason) {
        boost::asio::post(of_->executor(), alive_.guard([this, id, reason = std::move(reason)] {
            close(id, reason);
        }));
    }
    void close(std::uint64_t id, std::string_view reason) {
        if (const auto at = connections_.find(id); at != connections_.end()) {
            at->second->is_closing = true;
            if (at->second->user != nullptr) {
                events_->on_closed(*at->second, reason);
            }
            connections_.erase(at);
            --counts_.connections;
        }
        end_line(id);
        tell_if_empty();
    }

    /// Its process is killed: nobody hears more from it.
    void break_off() {
        forget_me(all_.open_);
        while (!lines_.empty()) {
            end_line(lines_.begin()->first);
        }
    }

private:
    friend class ports;
    void end_line(std::uint64_t id) {
        if (auto line = lines_.extract(id)) {
            line.mapped()->port_ = nullptr;
            line.mapped()->end();
        }
    }
    void forget_me(std::map<std::string, client_port*>& in) {
        if (const auto at = in.find(of_->id()); at != in.end() && at->second == this) {
            in.erase(at);
        }
    }
    void tell_if_empty() {
        if (connections_.empty() && when_empty_) {
            boost::asio::post(of_->executor(),
                              [done = std::move(when_empty_)]() mutable { done(); });
            when_empty_ = nullptr;
        }
    }

    ports& all_;
    std::shared_ptr<process> of_;
    net::listener_events* events_ = nullptr;
    net::listener_counts counts_;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, std::unique_ptr<simulated_connection>> connections_;
    std::map<std::uint64_t, line_ptr> lines_;
    base::unique_function<void()> when_empty_;
    base::alive alive_;
};

void simulated_connection::kick(std::string_view reason) {
    if (is_closing) {
        return;
    }
    line_->deliver(
        protocol::encode_package(protocol::package_type::kick, protocol::kick_body(reason))
            .value());
    is_closing = true;
    port_.close_later(id_, std::string(reason));
}

std::unique_ptr<net::listener> ports::make_port(std::shared_ptr<process> of) {
    return std::make_unique<client_port>(*this, std::move(of));
}

line_ptr ports::connect(const std::string& server, line_events& client) {
    auto made = std::make_shared<client_line>(world_, client);
    const auto at = open_.find(server);
    if (at == open_.end()) {
        made->end();
        return made;
    }
    made->port_ = at->second;
    made->server_ = at->second->of_;
    made->id_ = ++at->second->last_id_;
    at->second->lines_.emplace(made->id_, made);
    world_.wake(made->next_up(), made->server_, [made] {
        if (made->port_ != nullptr) {
            made->port_->come(made);
        }
    });
    return made;
}

void ports::killed(const std::string& server) {
    if (const auto at = started_.find(server); at != started_.end()) {
        at->second->break_off();
        started_.erase(server);
    }
}

void client_line::send(std::string message) {
    if (port_ == nullptr) {
        return;
    }
    world_.wake(next_up(), server_, [self = shared_from_this(), message = std::move(message)] {
        if (self->port_ != nullptr) {
            self->port_->take(self->id_, message);
        }
    });
}

void client_line::close() {
    client_ = nullptr;
    if (port_ == nullptr) {
        return;
    }
    world_.wake(next_up(), server_, [self = shared_from_this()] {
        if (self->port_ != nullptr) {
            self->port_->close(self->id_, "closed by the client");
        }
    });
}

void client_line::deliver(std::string package) {
    if (client_ == nullptr || port_ == nullptr) {
        return;
    }
    world_.at(next_down(), [self = shared_from_this(), package = std::move(package)] {
        if (self->client_ != nullptr) {
            self->client_->on_package(
                static_cast<protocol::package_type>(package[0]),
                std::string_view(package).substr(protocol::package_header_bytes));
        }
    });
}

void client_line::end() {
    world_.at(next_down(), [self = shared_from_this()] {
        if (auto* client = std::exchange(self->client_, nullptr)) {
            client->on_closed();
        }
    });
}

} // namespace shaddock::simulation
