#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::test {

/// A client over raw TCP that blocks: one request at a time. Throws when the server closes the
/// connection or answers another request.
class raw_client {
public:
    explicit raw_client(std::uint16_t port) : socket_(loop_) {
        socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
        send(handshake, R"({"sys":{"type":"test","version":"1"}})");
        receive();
        send(handshake_ack, {});
    }

    /// The body of the answer.
    std::string ask(std::string_view route, std::string_view body) {
        // Request, route as text; ids of one byte.
        std::string message{'\0', static_cast<char>(++id_ % 127 + 1),
                            static_cast<char>(route.size())};
        message.append(route).append(body);
        send(data, message);
        for (;;) {
            const auto package = receive();
            constexpr char response = 2 << 1;
            if (package[0] == data && package[4] == response) {
                if (package[5] != message[1]) {
                    throw std::runtime_error("the answer to another request");
                }
                return package.substr(6);
            }
            if (package[0] == data) {
                pushes_.push_back(package.substr(5));
            }
        }
    }
    /// Routes and bodies of what came before an answer.
    const std::vector<std::string>& pushes() const { return pushes_; }

private:
    static constexpr char handshake = 1;
    static constexpr char handshake_ack = 2;
    static constexpr char data = 4;

    void send(char type, std::string_view body) {
        std::string package{type, '\0', static_cast<char>(body.size() >> 8),
                            static_cast<char>(body.size())};
        package += body;
        boost::asio::write(socket_, boost::asio::buffer(package));
    }
    std::string receive() {
        std::string package(4, '\0');
        boost::asio::read(socket_, boost::asio::buffer(package));
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(package[at]); };
        const std::size_t size = std::size_t{byte(1)} << 16 | std::size_t{byte(2)} << 8 | byte(3);
        package.resize(4 + size);
        boost::asio::read(socket_, boost::asio::buffer(package.data() + 4, size));
        return package;
    }

    boost::asio::io_context loop_;
    boost::asio::ip::tcp::socket socket_;
    unsigned id_ = 0;
    std::vector<std::string> pushes_;
};

} // namespace shaddock::test
