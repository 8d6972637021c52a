#include "http.hpp"

#include "base/log.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <set>

// Beast parses; reads and writes are Asio's own. Beast's composed operations do the same and take
// ten times as long to compile as the rest of this file.
namespace shaddock::master {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using error_code = boost::system::error_code;

class http_connection;

struct http_server::state {
    state(const asio::any_io_executor& executor, base::clock& waits_on, http_limits wanted,
          http_handler calls)
        : clock(waits_on), limits(wanted), handler(std::move(calls)), acceptor(executor) {}

    base::clock& clock;
    http_limits limits;
    http_handler handler;
    tcp::acceptor acceptor;
    base::timer retry;
    std::set<std::shared_ptr<http_connection>> connections;
    /// Counts the waits for a request.
    std::uint64_t waits = 0;
    bool is_stopped = false;
};

namespace {

/// What one read may bring.
constexpr std::size_t read_bytes = std::size_t{16} * 1024;

/// Every answer carries these, whatever it is about, so that no browser makes more of it than it
/// is.
constexpr std::string_view safety_headers = "X-Content-Type-Options: nosniff\r\n"
                                            "X-Frame-Options: DENY\r\n"
                                            "Referrer-Policy: no-referrer\r\n"
                                            "Cross-Origin-Opener-Policy: same-origin\r\n";
/// And these where it does not say otherwise.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> usual_headers{{
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cache-Control", "no-store"},
}};

std::string copied(boost::beast::string_view from) {
    return {from.data(), from.size()};
}

std::string_view first_of(const std::pair<std::string, std::string>& header) {
    return header.first;
}

/// Feeds what has arrived to the parser and drops what it took. True when the message is whole.
template <class Parser>
bool feed(Parser& parser, std::string& arrived, error_code& failed) {
    arrived.erase(0, parser.put(asio::buffer(arrived), failed));
    if (failed == http::error::need_more) {
        failed = {};
    }
    return parser.is_done();
}

/// Reads until the message is whole or something fails; `done(error)` once. `arrived` may hold the
/// beginning, and holds what follows the message then. All of it stays until then.
template <class Parser, class Done>
void read_message(tcp::socket& socket, std::string& arrived, Parser& parser, Done done) {
    error_code failed;
    const bool is_whole = !arrived.empty() && feed(parser, arrived, failed);
    if (!is_whole && !failed && arrived.size() > read_bytes) {
        // A line without an end: the parser has no limit for those between and after chunks.
        failed = http::error::header_limit;
    }
    if (is_whole || failed) {
        return asio::post(socket.get_executor(),
                          [failed, done = std::move(done)]() mutable { done(failed); });
    }
    const auto had = arrived.size();
    arrived.resize(had + read_bytes);
    socket.async_read_some(asio::buffer(arrived.data() + had, read_bytes),
                           [&socket, &arrived, &parser, had,
                            done = std::move(done)](error_code ended, std::size_t count) mutable {
                               arrived.resize(had + count);
                               if (ended == asio::error::eof && parser.got_some()) {
                                   parser.put_eof(ended);
                               }
                               if (ended || parser.is_done()) {
                                   return done(ended);
                               }
                               read_message(socket, arrived, parser, std::move(done));
                           });
}

} // namespace

/// One client: reads a request, waits for the answer, writes it, again.
class http_connection : public std::enable_shared_from_this<http_connection> {
public:
    http_connection(tcp::socket socket, std::shared_ptr<http_server::state> server)
        : socket_(std::move(socket)), server_(std::move(server)) {}

    /// The number of its wait for a request; nothing while one is served.
    std::optional<std::uint64_t> waits_since() const { return waits_since_; }

    void read() {
        waits_since_ = ++server_->waits;
        is_head_ = is_version_1_0_ = false;
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(static_cast<std::uint32_t>(server_->limits.head_bytes));
        parser_->body_limit(server_->limits.body_bytes);
        close_after_timeout();
        read_message(socket_, arrived_, *parser_,
                     [self = shared_from_this()](error_code failed) { self->on_read(failed); });
    }

    void shut() {
        deadline_.cancel();
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
    }

    void close() {
        shut();
        server_->connections.erase(shared_from_this());
    }

private:
    void close_after_timeout() {
        deadline_ = server_->clock.after(server_->limits.timeout, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->close();
            }
        });
    }

    void on_read(error_code failed) {
        if (server_->is_stopped || !socket_.is_open()) {
            return;
        }
        waits_since_.reset();
        if (failed == http::error::header_limit || failed == http::error::body_limit) {
            return refuse(failed == http::error::header_limit ? 431 : 413);
        }
        if (failed.category() == error_code(http::error::bad_target).category() &&
            failed != http::error::end_of_stream && failed != http::error::partial_message) {
            return refuse(400);
        }
        if (failed) {
            return close();
        }
        deadline_.cancel(); // the answer may take its time: `stop` waits for processes
        auto message = parser_->release();
        keep_alive_ = message.keep_alive();
        is_head_ = message.method() == http::verb::head;
        is_version_1_0_ = message.version() < 11;
        http_request request{copied(message.method_string()), copied(message.target()),
                             copied(message[http::field::authorization]),
                             copied(message[http::field::if_none_match]),
                             std::move(message.body())};
        server_->handler(
            std::move(request),
            [self = shared_from_this()](const http_response& answer) { self->write(answer); });
    }

    void refuse(unsigned status) {
        keep_alive_ = false;
        write({status,
               {{"Content-Type", "text/plain; charset=utf-8"}},
               copied(http::obsolete_reason(http::int_to_status(status))) + "\n"});
    }

    void write(const http_response& answer) {
        if (server_->is_stopped || !socket_.is_open()) {
            return;
        }
        out_ = fmt::format("HTTP/1.{} {} {}\r\n", is_version_1_0_ ? 0 : 1, answer.status,
                           copied(http::obsolete_reason(http::int_to_status(answer.status))));
        for (const auto& [name, value] : answer.headers) {
            out_ += fmt::format("{}: {}\r\n", name, value);
        }
        out_ += safety_headers;
        for (const auto& [name, value] : usual_headers) {
            if (std::ranges::find(answer.headers, name, first_of) == answer.headers.end()) {
                out_ += fmt::format("{}: {}\r\n", name, value);
            }
        }
        if (is_version_1_0_ == keep_alive_) {
            out_ += keep_alive_ ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
        }
        if (answer.status != 304 && answer.status != 204) {
            out_ += fmt::format("Content-Length: {}\r\n", answer.body.size());
        }
        out_ += "\r\n";
        if (!is_head_) {
            out_ += answer.body;
        }
        close_after_timeout();
        asio::async_write(socket_, asio::buffer(out_),
                          [self = shared_from_this()](const error_code& failed, std::size_t) {
                              self->on_written(failed);
                          });
    }

    void on_written(const error_code& failed) {
        if (server_->is_stopped || !socket_.is_open()) {
            return;
        }
        if (failed || !keep_alive_) {
            return close();
        }
        read();
    }

    tcp::socket socket_;
    std::shared_ptr<http_server::state> server_;
    base::timer deadline_;
    /// Received, not yet parsed.
    std::string arrived_;
    std::string out_;
    std::optional<http::request_parser<http::string_body>> parser_;
    bool keep_alive_ = false;
    bool is_head_ = false;
    bool is_version_1_0_ = false;
    std::optional<std::uint64_t> waits_since_;
};

namespace {

/// Ends who has said nothing for longest: those who hold connections open keep nobody out.
void make_room(const http_server::state& server) {
    std::shared_ptr<http_connection> oldest;
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
    server->acceptor.async_accept([server](const error_code& failed, tcp::socket socket) {
        if (server->is_stopped) {
            return;
        }
        if (failed) {
            // Out of file descriptors or the like: do not spin.
            server->retry = server->clock.after(std::chrono::milliseconds(100),
                                                [server] { accept_next(server); });
            return;
        }
        if (server->connections.size() >= server->limits.connections) {
            make_room(*server);
        }
        if (server->connections.size() < server->limits.connections) {
            auto client = std::make_shared<http_connection>(std::move(socket), server);
            server->connections.insert(client);
            client->read();
        }
        accept_next(server);
    });
}

} // namespace

http_server::http_server(const asio::any_io_executor& executor, base::clock& clock,
                         http_limits limits, http_handler handler)
    : state_(std::make_shared<state>(executor, clock, limits, std::move(handler))) {}

http_server::~http_server() {
    stop();
}

result<void> http_server::start(const std::string& host, std::uint16_t port) {
    error_code failed;
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
    error_code ignored;
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
    error_code ignored;
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
    error_code failed;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, failed);
    if (failed) {
        return error(errc::config, fmt::format("{}: {}", host, failed.message()));
    }
    asio::io_context loop(1);
    base::steady_clock clock(loop.get_executor());
    tcp::socket socket(loop);
    bool is_over = false;
    bool is_late = false;
    const auto deadline = clock.after(timeout, [&] {
        is_late = true;
        error_code ignored;
        socket.close(ignored);
    });
    const auto over = [&](const error_code& ended) {
        failed = ended;
        is_over = true;
    };
    const auto run = [&] {
        is_over = false;
        while (!is_over && loop.run_one() > 0) {
        }
    };
    const auto text = [&] {
        return fmt::format("{}:{}: {}", host, port,
                           is_late ? fmt::format("no answer within {} ms", timeout.count())
                                   : failed.message());
    };
    socket.async_connect(tcp::endpoint(address, port), over);
    run();
    if (failed) {
        return error(errc::not_found, text());
    }
    auto message = fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n",
                               request.method, request.target, host, port);
    if (!request.authorization.empty()) {
        message += fmt::format("Authorization: {}\r\n", request.authorization);
    }
    message += fmt::format("Content-Length: {}\r\n\r\n{}", request.body.size(), request.body);
    http::response_parser<http::string_body> answer;
    answer.eager(true);
    answer.body_limit(std::uint64_t{16} * 1024 * 1024);
    std::string arrived;
    asio::async_write(socket, asio::buffer(message), [&](const error_code& written, std::size_t) {
        if (written) {
            return over(written);
        }
        read_message(socket, arrived, answer, over);
    });
    run();
    if (failed) {
        return error(is_late ? errc::timeout : errc::disconnected, text());
    }
    http_response out;
    out.status = answer.get().result_int();
    for (const auto& field : answer.get()) {
        out.headers.emplace_back(copied(field.name_string()), copied(field.value()));
    }
    out.body = std::move(answer.get().body());
    return out;
}

} // namespace shaddock::master
