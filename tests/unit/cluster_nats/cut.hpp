#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <set>
#include <string>

namespace shaddock::test {

/// A way to a server that can be cut and mended: as when one machine loses the others.
class way {
public:
    way(boost::asio::io_context& io, std::uint16_t to)
        : io_(io), to_(to), acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}) {
        accept();
    }
    way(const way&) = delete;
    way& operator=(const way&) = delete;
    std::string url() const {
        return fmt::format("nats://127.0.0.1:{}", acceptor_.local_endpoint().port());
    }
    /// What is connected ends, and who connects is dropped.
    void cut() {
        is_cut_ = true;
        for (const auto& each : pairs_) {
            boost::system::error_code ignored;
            each->near.close(ignored);
            each->far.close(ignored);
        }
        pairs_.clear();
    }
    void mend() { is_cut_ = false; }

private:
    using socket = boost::asio::ip::tcp::socket;
    struct pair {
        explicit pair(boost::asio::io_context& io) : near(io), far(io) {}
        socket near;
        socket far;
        std::array<char, 16384> to_far{};
        std::array<char, 16384> to_near{};
    };
    using pair_ptr = std::shared_ptr<pair>;

    void accept() {
        auto next = std::make_shared<pair>(io_);
        acceptor_.async_accept(next->near, [this, next](const auto& failed) {
            if (failed) {
                return;
            }
            boost::system::error_code refused;
            if (!is_cut_) {
                next->far.connect({boost::asio::ip::address_v4::loopback(), to_}, refused);
            }
            if (!is_cut_ && !refused) {
                pairs_.insert(next);
                pump(next, next->near, next->far, next->to_far);
                pump(next, next->far, next->near, next->to_near);
            }
            accept();
        });
    }
    static void pump(const pair_ptr& in, socket& from, socket& to, std::array<char, 16384>& by) {
        from.async_read_some(
            boost::asio::buffer(by), [in, &from, &to, &by](const auto& failed, std::size_t size) {
                if (failed) {
                    boost::system::error_code ignored;
                    to.shutdown(socket::shutdown_both, ignored);
                    return;
                }
                boost::asio::async_write(to, boost::asio::buffer(by, size),
                                         [in, &from, &to, &by](const auto& lost, std::size_t) {
                                             if (!lost) {
                                                 pump(in, from, to, by);
                                             }
                                         });
            });
    }

    boost::asio::io_context& io_;
    std::uint16_t to_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::set<pair_ptr> pairs_;
    bool is_cut_ = false;
};

} // namespace shaddock::test
