#pragma once

#include "base/clock.hpp"
#include "nats/connection.hpp"
#include "nats_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Connections of one test, on one loop.
namespace shaddock::test {

using namespace std::chrono_literals;

inline nats::options options_for(const nats_server& server) {
    nats::options wanted;
    wanted.servers = {server.url()};
    wanted.name = "test";
    return wanted;
}

struct loop {
    boost::asio::io_context io;
    base::steady_clock clock{io.get_executor()};

    /// At most 10 s; says whether it is so.
    bool runs_until(const std::function<bool()>& is_so) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!is_so()) {
            if (std::chrono::steady_clock::now() >= deadline) {
                return false;
            }
            io.restart();
            io.run_one_for(10ms);
        }
        return true;
    }
};

/// A connection that notes what it is told, and stops with the test.
class client final : public nats::observer {
public:
    client(loop& in, nats::options wanted)
        : in_(in), to(in.io.get_executor(), in.clock, std::move(wanted)) {
        to.observe(*this);
    }
    client(loop& in, const nats_server& server) : client(in, options_for(server)) {
        EXPECT_TRUE(to.start());
        EXPECT_TRUE(in.runs_until([this] { return to.is_up(); })) << to.trouble();
    }
    ~client() {
        bool is_stopped = false;
        to.stop([&] { is_stopped = true; });
        EXPECT_TRUE(in_.runs_until([&] { return is_stopped; }));
    }
    void on_up() override { news.emplace_back("up"); }
    void on_down() override { news.emplace_back("down"); }
    void on_room() override { news.emplace_back("room"); }
    void on_slow_consumer(std::string_view subject) override {
        news.push_back("slow " + std::string(subject));
    }

private:
    loop& in_;

public:
    nats::connection to;
    std::vector<std::string> news;
};

} // namespace shaddock::test
