#include "http.hpp"

#include "base/log.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <list>
#include <set>

namespace shaddock::master {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {
class connection;
}

struct http_server::state {
    state(const asio::any_io_executor& executor, base::clock& waits_on, http_limits wanted,
          http_handler calls)
        : clock(waits_on), limits(wanted), handler(std::move(calls)), acceptor(executor) {}

    base::clock& clock;
    http_limits limits;
    http_handler handler;
    tcp::acceptor acceptor;
    base::timer retry;
    std::set<std::shared_ptr<connection>> connections;
    /// Counts the waits for a request.
    std::uint64_t waits = 0;
    bool is_stopped = false;
};

namespace {

std::string text_of(beast::string_view from) {
    return {from.data(), from.size()};
}

/// One client: reads a request, waits for the answer, writes it, again.
class connection : public std::enable_shared_from_this<connection> {
public:
    connection(tcp::socket socket, std::shared_ptr<http_server::state> server)
        : socket_(std::move(socket)), server_(std::move(server)) {}

    /// The number of its wait for a request; nothing while one is served.
    std::optional<std::uint64_t> waits_since() const { return waits_since_; }

    void read() {
        waits_since_ = ++server_->waits;
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(server_->limits.head_bytes));
        parser_->body_limit(server_->limits.body_bytes);
        end_later();
        http::async_read(socket_, buffer_, *parser_,
                         [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
                             self->on_read(failed);
                         });
    }

    void shut() {
        beast::error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
        patience_.cancel();
    }

    void close() {
        shut();
        server_->connections.erase(shared_from_this());
    }

private:
    void on_read(const beast::error_code& failed) {
        if (server_->is_stopped) {
            return;
        }
        waits_since_.reset();
        if (failed == http::error::header_limit || failed == http::error::body_limit) {
            return refuse(failed == http::error::header_limit ? 431 : 413);
        }
        if (failed.category() == beast::error_code(http::error::bad_target).category() &&
            failed != http::error::end_of_stream && failed != http::error::partial_message) {
            return refuse(400);
        }
        if (failed) {
            return close();
        }
        patience_.cancel(); // the answer may take its time: `stop` waits for processes
        auto message = parser_->release();
        keep_alive_ = message.keep_alive();
        is_head_ = message.method() == http::verb::head;
        version_ = message.version();
        http_request request{text_of(message.method_string()), text_of(message.target()),
                             text_of(message[http::field::authorization]),
                             text_of(message[http::field::if_none_match]),
                             std::move(message.body())};
        server_->handler(std::move(request), [self = shared_from_this()](http_response answer) {
            self->write(std::move(answer));
        });
    }

    void refuse(unsigned status) {
        keep_alive_ = false;
        http_response answer;
        answer.status = status;
        answer.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
        answer.body = text_of(http::obsolete_reason(http::int_to_status(status))) + "\n";
        write(std::move(answer));
    }

    void write(http_response answer) {
        if (server_->is_stopped) {
            return;
        }
        response_.emplace();
        response_->version(version_);
        response_->result(answer.status);
        for (const auto& [name, value] : answer.headers) {
            response_->set(name, value);
        }
        response_->keep_alive(keep_alive_);
        const auto length = answer.body.size();
        if (!is_head_) {
            response_->body() = std::move(answer.body);
        }
        if (answer.status != 304 && answer.status != 204) {
            response_->content_length(length);
        }
        end_later();
        serializer_.emplace(*response_);
        serializer_->split(is_head_);
        auto done = [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
            if (self->server_->is_stopped) {
                return;
            }
            if (failed || !self->keep_alive_) {
                return self->close();
            }
            self->read();
        };
        if (is_head_) {
            http::async_write_header(socket_, *serializer_, std::move(done));
        } else {
            http::async_write(socket_, *serializer_, std::move(done));
        }
    }

    /// What is under way fails then.
    void end_later() {
        patience_ = server_->clock.after(server_->limits.timeout, [weak = weak_from_this()] {
            if (const auto late = weak.lock()) {
                late->shut();
            }
        });
    }

    tcp::socket socket_;
    std::shared_ptr<http_server::state> server_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
    bool keep_alive_ = false;
    bool is_head_ = false;
    unsigned version_ = 11;
    std::optional<std::uint64_t> waits_since_;
    base::timer patience_;
};

/// Ends who has said nothing for longest: those who hold connections open keep nobody out.
void make_room(const http_server::state& server) {
    std::shared_ptr<connection> oldest;
    for (const auto& one : server.connections) {
        if (one->waits_since() && (!oldest || one->waits_since() < oldest->waits_since())) {
            oldest = one;
        }
    }
    if (oldest) {
        oldest->close();
    }
}

void accept_next(const std::shared_ptr<http_server::state>& server) {
    server->acceptor.async_accept([server](const beast::error_code& failed, tcp::socket socket) {
        if (server->is_stopped) {
            return;
        }
        if (failed) {
            // Out of file descriptors or the like: do not spin.
            server->retry =
                server->clock.after(std::chrono::milliseconds(100),
                                    [weak = std::weak_ptr(server)] { accept_next(weak.lock()); });
            return;
        }
        if (server->connections.size() >= server->limits.connections) {
            make_room(*server);
        }
        if (server->connections.size() < server->limits.connections) {
            auto client = std::make_shared<connection>(std::move(socket), server);
            server->connections.insert(client);
            client->read();
        }
        accept_next(server);
    });
}

} // namespace

http_server::http_server(asio::any_io_executor executor, base::clock& clock, http_limits limits,
                         http_handler handler)
    : state_(std::make_shared<state>(std::move(executor), clock, limits, std::move(handler))) {}

http_server::~http_server() {
    stop();
}

result<void> http_server::start(const std::string& host, std::uint16_t port) {
    beast::error_code failed;
    const auto refuse = [&] {
        return error(errc::config,
                     fmt::format("cannot listen on {}:{}: {}", host, port, failed.message()));
    };
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, failed);
    if (failed) {
        return refuse();
    }
    auto& acceptor = state_->acceptor;
    acceptor.open(address.is_v4() ? tcp::v4() : tcp::v6(), failed);
    if (!failed) {
        acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
    }
    if (!failed) {
        acceptor.bind({address, port}, failed);
    }
    if (!failed) {
        acceptor.listen(asio::socket_base::max_listen_connections, failed);
    }
    if (failed) {
        return refuse();
    }
    accept_next(state_);
    return {};
}

std::uint16_t http_server::port() const {
    beast::error_code ignored;
    return state_->acceptor.local_endpoint(ignored).port();
}

std::size_t http_server::connections() const {
    return state_->connections.size();
}

void http_server::stop() {
    if (state_->is_stopped) {
        return;
    }
    state_->is_stopped = true;
    beast::error_code ignored;
    state_->acceptor.close(ignored);
    state_->retry.cancel();
    for (const auto& client : state_->connections) {
        client->shut();
    }
    state_->connections.clear();
    // A reply that is still held keeps the state, and the handler may hold what is about to go.
    state_->handler = nullptr;
}

result<http_response> http_call(const std::string& host, std::uint16_t port,
                                const http_request& request, std::chrono::milliseconds timeout) {
    asio::io_context loop(1);
    base::steady_clock clock(loop.get_executor());
    tcp::socket socket(loop);
    beast::error_code failed;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, failed);
    if (failed) {
        return error(errc::config, fmt::format("{}: {}", host, failed.message()));
    }
    bool is_late = false;
    auto patience = clock.after(timeout, [&] {
        is_late = true;
        beast::error_code ignored;
        socket.close(ignored);
    });
    bool is_done = false;
    const auto end = [&](const beast::error_code& ended) {
        failed = ended;
        is_done = true;
    };
    const auto run = [&] {
        for (is_done = false; !is_done;) {
            loop.run_one();
        }
    };
    const auto text = [&] {
        return fmt::format("{}:{}: {}", host, port,
                           is_late ? fmt::format("no answer within {} ms", timeout.count())
                                   : failed.message());
    };
    socket.async_connect(tcp::endpoint(address, port), end);
    run();
    if (failed) {
        return error(errc::not_found, text());
    }
    http::request<http::string_body> message;
    message.method_string(request.method);
    message.target(request.target);
    message.set(http::field::host, fmt::format("{}:{}", host, port));
    if (!request.authorization.empty()) {
        message.set(http::field::authorization, request.authorization);
    }
    message.keep_alive(false);
    message.body() = request.body;
    message.prepare_payload();
    http::response_parser<http::string_body> answer;
    answer.body_limit(std::uint64_t{16} * 1024 * 1024);
    beast::flat_buffer buffer;
    http::async_write(socket, message, [&](const beast::error_code& written, std::size_t) {
        if (written) {
            return end(written);
        }
        http::async_read(socket, buffer, answer,
                         [&](const beast::error_code& ended, std::size_t) { end(ended); });
    });
    run();
    if (failed) {
        return error(is_late ? errc::timeout : errc::disconnected, text());
    }
    http_response out;
    out.status = answer.get().result_int();
    for (const auto& field : answer.get()) {
        out.headers.emplace_back(text_of(field.name_string()), text_of(field.value()));
    }
    out.body = std::move(answer.get().body());
    return out;
}

} // namespace shaddock::master
