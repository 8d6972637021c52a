#pragma once

#include "bus/run_place.hpp"
#include "bus/transport.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace shaddock::bus {

/// Sockets in the run folder.
class unix_transport final : public transport {
public:
    unix_transport(boost::asio::any_io_executor executor, std::filesystem::path run_folder,
                   std::string id)
        : executor_(executor), place_(std::move(executor), std::move(run_folder), std::move(id)) {}

    result<void> open() override { return place_.open(); }
    bool is_open() const override { return place_.is_open(); }
    bool is_reachable() const override { return place_.is_reachable(); }
    void accept(base::unique_function<void(arrival)> done) override;
    void close() override { place_.close(); }
    boost::system::result<std::unique_ptr<pipe>, dial_failure> dial(std::string_view id) override;
    bool is_running(std::string_view id) const override {
        return shaddock::bus::is_running(place_.run_folder(), id);
    }

private:
    boost::asio::any_io_executor executor_;
    run_place place_;
};

} // namespace shaddock::bus
