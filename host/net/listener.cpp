#include <net/listener.hpp>

#include "connection_set.hpp"
#include "tls_stream.hpp"

#include <base/log.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace shaddock::net {

namespace {

using boost::asio::ip::tcp;

/// Connections taken before others get their turn.
constexpr int accepts_per_turn = 64;
/// Without file descriptors or memory an accept fails at once, again and again: wait this long.
constexpr base::duration accept_pause = std::chrono::milliseconds(100);
/// Clients can keep it so for as long as they like: it is said no more often than this.
constexpr base::duration complaint_pause = std::chrono::seconds(10);

base::ip_address ip_of(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    return address.is_v4() ? base::ip_of_v4(address.to_v4().to_bytes())
                           : base::ip_address{address.to_v6().to_bytes()};
}

class tcp_listener final : public listener {
public:
    tcp_listener(boost::asio::any_io_executor executor, base::clock& clock,
                 listener_options options)
        : acceptor_(executor), connections_(executor, clock, std::move(options)) {
        if (connections_.options().tls) {
            const auto line =
                std::make_shared<tls_line>(std::move(executor), clock, connections_.counts());
            connections_.serve_over(
                [this, line](std::unique_ptr<stream> below, const client_origin& origin) {
                    const auto& wanted = connections_.options();
                    // The rate of handshakes bounds those of TLS, too: they are the dear ones.
                    tls_terms terms{wanted.plain, [this, whose = origin]() mutable {
                                        return connections_.may_greet(whose);
                                    }};
                    return make_tls_stream(std::move(below),
                                           static_cast<const tls_context&>(*wanted.tls),
                                           std::move(terms), line);
                });
        }
    }

    result<void> start(listener_events& events) override;
    std::uint16_t port() const override { return number_; }
    const listener_counts& counts() const override { return connections_.counts(); }
    void answer_handshake(connection_id to, const handshake_answer& answer) override {
        connections_.answer_handshake(to, answer);
    }
    void deny(base::network_set networks) override { connections_.deny(std::move(networks)); }
    void stop_accepting() override;
    void stop(std::string_view reason, base::unique_function<void()> done) override;

private:
    boost::system::error_code open(const tcp::endpoint& at);
    boost::system::error_code open_everywhere();
    boost::system::error_code open_host();
    void wait_acceptable();
    void accept_ready();
    bool has_descriptor();
    void accepted(int descriptor, const tcp::endpoint& peer);
    void pause_accepting(int reason);

    tcp::acceptor acceptor_;
    connection_set connections_;
    std::uint16_t number_ = 0;
    /// Where it listens; of no use to a client where that is everywhere.
    base::ip_address at_;
    bool is_everywhere_ = false;
    base::timer pause_;
    base::time_point next_complaint_ = base::time_point::min();
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

result<void> tcp_listener::start(listener_events& events) {
    connections_.set_events(events);
    const auto& options = connections_.options();
    if (const auto failed = options.host.empty() ? open_everywhere() : open_host()) {
        return error(errc::config, fmt::format("cannot listen for clients on {}:{}: {}",
                                               options.host.empty() ? "*" : options.host.c_str(),
                                               options.port, failed.message()));
    }
    const auto at = acceptor_.local_endpoint();
    number_ = at.port();
    at_ = ip_of(at);
    is_everywhere_ = at.address().is_unspecified();
    wait_acceptable();
    return {};
}

boost::system::error_code tcp_listener::open_everywhere() {
    const auto wanted = connections_.options().port;
    const auto failed = open(tcp::endpoint(tcp::v6(), wanted));
    if (failed == boost::asio::error::address_family_not_supported ||
        failed == boost::system::errc::address_not_available) {
        return open(tcp::endpoint(tcp::v4(), wanted));
    }
    return failed;
}

boost::system::error_code tcp_listener::open_host() {
    boost::system::error_code failed;
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found = resolver.resolve(connections_.options().host, "", failed);
    if (failed || found.empty()) {
        return failed ? failed : boost::asio::error::host_not_found;
    }
    // A name may stand for several addresses, and not all of them need be of this machine.
    for (const auto& one : found) {
        failed = open(tcp::endpoint(one.endpoint().address(), connections_.options().port));
        if (failed != boost::system::errc::address_not_available) {
            break;
        }
    }
    return failed;
}

boost::system::error_code tcp_listener::open(const tcp::endpoint& at) {
    boost::system::error_code failed;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    acceptor_.open(at.protocol(), failed);
    if (failed) {
        return failed;
    }
    acceptor_.set_option(tcp::acceptor::reuse_address(true), ignored);
    if (at.address().is_v6() && at.address().is_unspecified()) {
        acceptor_.set_option(boost::asio::ip::v6_only(false), ignored);
    }
    acceptor_.bind(at, failed);
    if (!failed) {
        acceptor_.listen(boost::asio::socket_base::max_listen_connections, failed);
    }
    if (!failed) {
        acceptor_.native_non_blocking(true, failed);
    }
    if (failed) {
        acceptor_.close(ignored);
    }
    return failed;
}

void tcp_listener::stop_accepting() {
    pause_.cancel();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

void tcp_listener::stop(std::string_view reason, base::unique_function<void()> done) {
    stop_accepting();
    connections_.kick_all(reason);
    connections_.when_empty(std::move(done));
}

void tcp_listener::wait_acceptable() {
    acceptor_.async_wait(tcp::acceptor::wait_read,
                         [this, alive = std::weak_ptr<bool>(alive_)](const auto&) {
                             if (!alive.expired() && acceptor_.is_open()) {
                                 accept_ready();
                             }
                         });
}

void tcp_listener::accept_ready() {
    for (int i = 0; i < accepts_per_turn; ++i) {
        if (!has_descriptor() && !(connections_.displace_newcomer() && has_descriptor())) {
            return pause_accepting(EMFILE);
        }
        tcp::endpoint peer;
        auto size = static_cast<socklen_t>(peer.capacity());
        const int descriptor =
            ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            peer.resize(size);
            accepted(descriptor, peer);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return pause_accepting(errno);
        }
        // Any other error belongs to a connection that died while it waited.
    }
    wait_acceptable();
}

/// The system gives the lowest number that is free: all below it are taken.
bool tcp_listener::has_descriptor() {
    rlimit most{};
    const int next = ::dup(acceptor_.native_handle());
    if (next < 0 || ::getrlimit(RLIMIT_NOFILE, &most) != 0) {
        return false;
    }
    ::close(next);
    const auto reserve =
        std::min<rlim_t>(connections_.options().descriptor_reserve, most.rlim_cur / 2);
    return static_cast<rlim_t>(next) < most.rlim_cur - reserve;
}

void tcp_listener::accepted(int descriptor, const tcp::endpoint& peer) {
    client_origin origin{.from = ip_of(peer), .port = peer.port()};
    if (!connections_.lets_in(origin)) {
        ::close(descriptor);
        return;
    }
    const auto protocol = peer.protocol();
    tcp::socket socket(acceptor_.get_executor());
    boost::system::error_code failed;
    socket.assign(protocol, descriptor, failed);
    if (failed) {
        ::close(descriptor);
        connections_.forget(origin);
        return;
    }
    // Tells Asio what accept4 has already done.
    socket.native_non_blocking(true, failed);
    if (connections_.options().no_delay) {
        socket.set_option(tcp::no_delay(true), failed);
    }
    origin.reached_at = is_everywhere_ ? ip_of(socket.local_endpoint(failed)) : at_;
    auto bytes = make_tcp_stream(std::move(socket));
    // A PROXY header stands before TLS.
    connections_.add(origin.must_have_header ? std::move(bytes)
                                             : connections_.for_clients(std::move(bytes), origin),
                     origin);
}

void tcp_listener::pause_accepting(int reason) {
    if (const auto now = connections_.clock().now(); now >= next_complaint_) {
        rlimit most{};
        ::getrlimit(RLIMIT_NOFILE, &most);
        base::log::warn("net",
                        "port {}: cannot accept: {}; trying every 100 ms. This process may have {} "
                        "descriptors (ulimit -n), and keeps {} of them for its links and files",
                        number_, std::strerror(reason), most.rlim_cur,
                        connections_.options().descriptor_reserve);
        next_complaint_ = now + complaint_pause;
    }
    pause_ = connections_.clock().after(accept_pause, [this] { accept_ready(); });
}

} // namespace

std::unique_ptr<listener> make_listener(boost::asio::any_io_executor executor, base::clock& clock,
                                        listener_options options) {
    return std::make_unique<tcp_listener>(std::move(executor), clock, std::move(options));
}

} // namespace shaddock::net
