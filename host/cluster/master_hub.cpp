#include "cluster/master_hub.hpp"

#include "base/log.hpp"
#include "json_line.hpp"
#include "line_connection.hpp"

#include <boost/asio/post.hpp>

#include <cassert>
#include <unistd.h>
#include <utility>

namespace shaddock::cluster {

namespace {

constexpr std::string_view master_id = "master";
/// Connections that have not registered; only processes of our own user get so far.
constexpr std::size_t strangers_limit = 256;

} // namespace

master_hub::master_hub(boost::asio::any_io_executor executor, base::clock& clock,
                       std::filesystem::path run_folder, hub_listener& listener)
    : executor_(std::move(executor)), clock_(clock), run_folder_(std::move(run_folder)),
      listener_(listener) {}

result<void> master_hub::start() {
    if (auto folder = bus::prepare_run_folder(run_folder_); !folder) {
        return folder.error();
    }
    auto lock = bus::run_lock::take(run_folder_, master_id);
    if (!lock) {
        return lock.error();
    }
    auto acceptor = bus::listen_at(executor_, bus::socket_path(run_folder_, master_id));
    if (!acceptor) {
        return acceptor.error();
    }
    lock_ = std::move(*lock);
    acceptor_.emplace(std::move(*acceptor));
    accept_next();
    return {};
}

bool master_hub::send(std::string_view id, std::string_view name, std::string_view args_json) {
    const auto child = children_.find(id);
    if (child == children_.end()) {
        return false;
    }
    child->second->send(make_line(name, args_json));
    return true;
}

bool master_hub::send_dead(std::string_view to, const bus::peer& gone) {
    return send(to, "dead", json_of(gone));
}

bool master_hub::send_leaving(std::string_view to, const bus::peer& who) {
    return send(to, "leaving", json_of(who));
}

void master_hub::send_all(std::string_view name, std::string_view args_json) {
    for (const auto& [id, child] : children_) {
        child->send(make_line(name, args_json));
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
    if (acceptor_) {
        boost::system::error_code ignored;
        acceptor_->close(ignored);
        ::unlink(bus::socket_path(run_folder_, master_id).c_str());
    }
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
    acceptor_->async_accept([this, held = gate_.enter().value()](
                                const boost::system::error_code& failed, bus::unix_socket socket) {
        if (is_stopping_) {
            return;
        }
        if (!failed) {
            on_accepted(std::move(socket));
            return accept_next();
        }
        base::log::warn("cluster", "cannot accept a server's line: {}", failed.message());
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
    const auto said = read_line(line);
    if (!said || (id.empty() && said->name != "register")) {
        base::log::warn("cluster", "process {} does not speak as a server: its line is closed",
                        pid);
        from->close();
        on_end(from, id);
        return;
    }
    if (said->name == "register") {
        register_child(from, pid, id, said->args);
    } else if (said->name == "status") {
        listener_.on_status(id, said->args);
    } else {
        listener_.on_message(id, said->name, said->args);
    }
}

void master_hub::register_child(const connection_ptr& from, pid_t pid, std::string& id,
                                std::string_view args) {
    const auto name = text_of(args, "id");
    if (name.empty() || !id.empty()) {
        base::log::warn("cluster",
                        "process {} registers without an id, or twice: its line is closed", pid);
        from->close();
        on_end(from, id);
        return;
    }
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
    from->send(make_line("welcome", "{}"));
    listener_.on_register(id, pid, args);
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
