#pragma once

#include "check/rules.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace shaddock::bench {

class fake_session;

/// Gate, connector and chat in one thread, behaving as the chat's contract says, or breaking one
/// promise of it now and then. The load generator is tested against it.
class fake_server {
public:
    struct options {
        /// The promise to break; none: a correct server.
        std::optional<violation_kind> fault;
        /// Route dictionary and protobuf as the original has them; otherwise plain JSON.
        bool is_compact = false;
    };
    explicit fake_server(options wanted);
    ~fake_server();

    std::uint16_t gate_port() const { return gate_port_; }

private:
    friend class fake_session;
    using listener = boost::asio::ip::tcp::acceptor;

    void accept(listener& from);
    /// Whether the promise is to be broken this time: every third time it could be.
    bool strikes(violation_kind kind);
    std::string handshake() const;
    void handle(fake_session& from, std::uint32_t id, std::string_view route,
                std::string_view body);
    void query(fake_session& from, std::uint32_t id);
    void enter(fake_session& from, std::uint32_t id, const std::string& name,
               const std::string& room);
    void announce(fake_session& joined);
    std::string users_of(const std::string& room);
    void leave(fake_session& gone);
    void send(fake_session& from, std::uint32_t id, const std::string& content,
              const std::string& target);
    void deliver(fake_session& to, fake_session& from, const std::string& content,
                 const std::string& target);
    void answer_send(fake_session& from, std::uint32_t id);
    void forget(fake_session& gone);
    fake_session* someone_outside(const std::string& room);

    options options_;
    boost::asio::io_context io_{1};
    listener gate_;
    listener connector_;
    std::uint16_t gate_port_;
    std::set<std::shared_ptr<fake_session>> sessions_;
    std::map<std::string, std::vector<fake_session*>> rooms_;
    /// Fault ghost_member: those who left and stay listed. Fault out_of_turn: leaves held back.
    std::map<std::string, std::set<std::string>> ghosts_;
    std::map<std::string, std::set<std::string>> held_leaves_;
    unsigned chances_ = 0;
    std::thread thread_;
};

} // namespace shaddock::bench
