#include "cluster/master_link.hpp"

#include "base/log.hpp"
#include "bus/run_folder.hpp"
#include "bus/unix_socket.hpp"
#include "line_connection.hpp"
#include "message.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace shaddock::cluster {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_backoff{20};
constexpr milliseconds longest_backoff{500};

} // namespace

master_link::master_link(boost::asio::any_io_executor executor, base::clock& clock, options wanted,
                         json_source registration, json_source status, master_listener& listener)
    : executor_(std::move(executor)), clock_(clock), options_(std::move(wanted)),
      registration_(std::move(registration)), status_(std::move(status)), listener_(listener) {}

void master_link::start() {
    boost::asio::post(executor_, [this, held = gate_.enter().value()] { look(); });
}

void master_link::report() {
    if (connection_) {
        send("status", status_());
        report_later();
    }
}

void master_link::send(std::string_view word, std::string_view body) {
    if (connection_) {
        connection_->send(write_message(word, body));
    }
}

void master_link::register_anew() {
    if (const auto old = std::exchange(connection_, nullptr)) {
        next_.cancel();
        old->close();
        look();
    }
}

void master_link::stop(base::unique_function<void()> done) {
    assert(!is_stopping_);
    is_stopping_ = true;
    next_.cancel();
    if (const auto last = std::exchange(connection_, nullptr)) {
        last->close();
    }
    boost::asio::post(executor_,
                      [this, ended = std::move(done)]() mutable { gate_.close(std::move(ended)); });
}

void master_link::look() {
    if (is_stopping_) {
        return;
    }
    auto socket = bus::dial(executor_, bus::socket_path(options_.run_folder, "master"));
    if (!socket) {
        return look_later();
    }
    connection_ = std::make_shared<line_connection>(std::move(*socket), gate_);
    connection_->start([this](std::string_view line) { on_line(line); }, [this] { on_end(); });
    send("register", registration_());
    report();
}

void master_link::look_later() {
    backoff_ = std::clamp(backoff_ * 2, first_backoff, longest_backoff);
    next_ = clock_.after(backoff_, [this] { look(); });
}

void master_link::on_line(std::string_view line) {
    backoff_ = milliseconds(0);
    const auto said = read_message(line);
    if (!said) {
        base::log::warn("cluster", "the master said something that is not a command: dropped");
        return;
    }
    if (said->word != "welcome") {
        listener_.on_message(said->word, said->body);
    }
}

void master_link::on_end() {
    connection_ = nullptr;
    look_later();
}

void master_link::report_later() {
    next_ = clock_.after(options_.period, [this] { report(); });
}

} // namespace shaddock::cluster
