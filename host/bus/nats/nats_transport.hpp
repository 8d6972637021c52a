#pragma once

#include "base/rare_lines.hpp"
#include "bus_nats/transport.hpp"
#include "numbered_stream.hpp"

#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::bus {

class nats_transport final : public transport, public nats::observer, public stream_owner {
public:
    nats_transport(boost::asio::any_io_executor executor, base::clock& clock,
                   nats::connection& over, nats_transport_options options)
        : executor_(std::move(executor)), clock_(clock), over_(over), options_(std::move(options)) {
    }
    ~nats_transport() override { nats_transport::close(); }

    result<void> open() override;
    bool is_open() const override { return is_open_; }
    void accept(base::unique_function<void(arrival)> done) override;
    void close() override;
    boost::system::result<std::unique_ptr<pipe>, dial_failure> dial(std::string_view id) override;
    bool is_running(std::string_view) const override { return false; }
    judgement judges(std::string_view) const override {
        return {options_.host_lost, whole_since_, true};
    }

private:
    // As observer of the connection.
    void on_up() override;
    void on_down() override;
    void on_room() override;
    void on_slow_consumer(std::string_view subject) override;

    // As owner of streams.
    nats::connection& over() override { return over_; }
    void closed(numbered_stream& stream) override { streams_.erase(&stream); }
    void tell_end_later(const std::string& inbox, std::uint64_t number) override;

    std::string subject_of(std::string_view id) const;
    std::shared_ptr<numbered_stream> make_stream();
    void on_call(const nats::message& got);
    void hand_over();
    void look();

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    nats::connection& over_;
    nats_transport_options options_;
    bool is_open_ = false;
    nats::subscription calls_;
    std::set<numbered_stream*> streams_;
    std::vector<std::pair<std::string, std::uint64_t>> ends_to_tell_;
    base::rare_line strange_calls_;

    /// Called, and not accepted yet.
    std::deque<std::unique_ptr<pipe>> callers_;
    base::unique_function<void(arrival)> accepts_;

    // Whether the own connection is whole: what is sent comes back.
    std::string echoes_at_;
    nats::subscription echoes_;
    base::timer next_look_;
    base::time_point last_echo_{};
    base::time_point whole_since_ = base::time_point::max();
};

} // namespace shaddock::bus
