#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/gate.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace shaddock::cluster {

class line_connection;

/// What a server hears from its master. Thread: the loop.
class master_listener {
public:
    /// `body` is compact JSON text.
    virtual void on_message(std::string_view word, std::string_view body) = 0;

protected:
    ~master_listener() = default;
};

/// A server's line to its master, `<run>/master.sock`: JSON lines of at most 1 MiB,
/// `{"word":{..}}`.
///
/// Says `register` whenever it finds a master, then `status` every `period` and at each `report()`.
/// The master need not be there: it is looked for without end, first at once, then with backoff up
/// to 500 ms. Thread: the loop. Lifetime: `clock` and `listener` outlive it; stop() must have ended
/// before it is destroyed.
class master_link {
public:
    struct options {
        std::filesystem::path run_folder;
        std::chrono::milliseconds period{250};
    };
    /// Gives compact JSON text (an object) each time it is asked. What `register` carries must have
    /// the member `id`.
    using json_source = base::unique_function<std::string()>;

    master_link(boost::asio::any_io_executor executor, base::clock& clock, options wanted,
                json_source registration, json_source status, master_listener& listener);
    master_link(const master_link&) = delete;
    master_link& operator=(const master_link&) = delete;

    void start();
    /// The state has changed: sends `status` now, if a master is there.
    void report();
    /// What `register` carries has changed: says it again, on a new line.
    void register_anew();
    /// Says something else to the master; dropped while there is none.
    void send(std::string_view word, std::string_view body);
    bool is_connected() const { return connection_ != nullptr; }
    /// `done` is posted.
    void stop(base::unique_function<void()> done);

private:
    void look();
    void look_later();
    void on_line(std::string_view line);
    void on_end();
    void report_later();

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    options options_;
    json_source registration_;
    json_source status_;
    master_listener& listener_;
    std::shared_ptr<line_connection> connection_;
    std::chrono::milliseconds backoff_{0};
    base::timer next_;
    bool is_stopping_ = false;
    base::gate gate_;
};

} // namespace shaddock::cluster
