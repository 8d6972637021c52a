#include "cluster/master_hub.hpp"

#include "base/log.hpp"
#include "line_connection.hpp"
#include "message.hpp"

#include <shaddock/json.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <cassert>
#include <utility>

namespace shaddock::cluster {

namespace {

constexpr std::string_view master_id = "master";
/// Connections that have not registered; only processes of our own user get so far.
constexpr std::size_t strangers_limit = 256;

/// What the line itself reads of a registration.
struct speaker {
    std::string id;
};
BOOST_DESCRIBE_STRUCT(speaker, (), (id))

} // namespace

master_hub::master_hub(boost::asio::any_io_executor executor, base::clock& clock,
                       std::filesystem::path run_folder, hub_listener& listener)
    : executor_(std::move(executor)), clock_(clock), listener_(listener),
      place_(executor_, std::move(run_folder), std::string(master_id)) {}

result<void> master_hub::start() {
    return open();
}

result<bool> master_hub::restore() {
    if (is_stopping_ || place_.is_reachable()) {
        return false;
    }
    if (auto opened = open(); !opened) {
        return opened.error();
    }
    return true;
}

result<void> master_hub::open() {
    auto opened = place_.open();
    if (opened) {
        accept_next();
    }
    return opened;
}

bool master_hub::send(std::string_view id, std::string_view word, std::string_view body) {
    const auto child = children_.find(id);
    if (child == children_.end()) {
        return false;
    }
    child->second->send(write_message(word, body));
    return true;
}

void master_hub::send_all(std::string_view word, std::string_view body) {
    for (const auto& [id, child] : children_) {
        child->send(write_message(word, body));
    }
}

std::vector<std::string> master_hub::connected() const {
    std::vector<std::string> ids;
    for (const auto& [id, child] : children_) {
        ids.push_back(id);
    }
    return ids;
}

void master_hub::stop(base::unique_function<void()> done) {
    assert(!is_stopping_);
    is_stopping_ = true;
    accept_again_.cancel();
    place_.close();
    for (const auto& stranger : std::exchange(strangers_, {})) {
        stranger->close();
    }
    for (const auto& [id, child] : std::exchange(children_, {})) {
        child->close();
    }
    boost::asio::post(executor_,
                      [this, ended = std::move(done)]() mutable { gate_.close(std::move(ended)); });
}

void master_hub::accept_next() {
    place_.acceptor().async_accept(
        [this, held = gate_.enter().value()](const boost::system::error_code& failed,
                                             bus::unix_socket socket) {
            if (is_stopping_ || failed == boost::asio::error::operation_aborted) {
                return;
            }
            if (!failed) {
                on_accepted(std::move(socket));
                return accept_next();
            }
            if (const auto untold = cannot_accept_.due(clock_.now())) {
                base::log::warn("cluster",
                                "cannot accept a server's line: {}; {} more since the last such "
                                "line",
                                failed.message(), *untold);
            }
            accept_again_ = clock_.after(std::chrono::milliseconds(100), [this] { accept_next(); });
        });
}

void master_hub::on_accepted(bus::unix_socket socket) {
    const auto pid = bus::admit(socket);
    if (!pid) {
        base::log::warn("cluster", "refused a process of another user");
        return;
    }
    if (strangers_.size() >= strangers_limit) {
        return;
    }
    const auto child = std::make_shared<line_connection>(std::move(socket), gate_);
    strangers_.insert(child);
    // Owned by this object until they end; the connection owns its handlers, so these hold it
    // weakly.
    const auto id = std::make_shared<std::string>();
    const std::weak_ptr<line_connection> weak = child;
    child->start(
        [this, weak, id, pid = *pid](std::string_view line) {
            if (const auto from = weak.lock()) {
                on_line(from, pid, *id, line);
            }
        },
        [this, weak, id] {
            if (const auto from = weak.lock()) {
                on_end(from, *id);
            }
        });
}

void master_hub::on_line(const connection_ptr& from, pid_t pid, std::string& id,
                         std::string_view line) {
    const auto said = read_message(line);
    if (!said || (id.empty() && said->word != "register")) {
        base::log::warn("cluster", "process {} does not speak as a server: its line is closed",
                        pid);
        from->close();
        on_end(from, id);
        return;
    }
    if (said->word == "register") {
        register_child(from, pid, id, said->body);
    } else if (said->word == "status") {
        listener_.on_status(id, said->body);
    } else {
        listener_.on_message(id, said->word, said->body);
    }
}

void master_hub::register_child(const connection_ptr& from, pid_t pid, std::string& id,
                                std::string_view body) {
    const auto said = json::decode_tolerant<speaker>(body);
    if (!said || said->id.empty() || !id.empty()) {
        base::log::warn("cluster",
                        "process {} registers without an id, or twice: its line is closed", pid);
        from->close();
        on_end(from, id);
        return;
    }
    const auto& name = said->id;
    if (const auto old = children_.find(name); old != children_.end()) {
        const auto replaced = old->second;
        replaced->close();
        on_end(replaced, name);
    }
    if (is_stopping_ || from->is_closed()) {
        return;
    }
    id = name;
    strangers_.erase(from);
    children_[id] = from;
    from->send(write_message("welcome", "{}"));
    listener_.on_register(id, pid, body);
}

void master_hub::on_end(const connection_ptr& from, const std::string& id) {
    strangers_.erase(from);
    const auto child = children_.find(id);
    if (child != children_.end() && child->second == from) {
        children_.erase(child);
        listener_.on_gone(id);
    }
}

} // namespace shaddock::cluster
