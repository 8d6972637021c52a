#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/gate.hpp"
#include "base/rare_lines.hpp"
#include "bus/run_place.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace shaddock::cluster {

class line_connection;

/// What the master hears from the servers. Thread: the loop. `body` is compact JSON text.
class hub_listener {
public:
    /// A server has found its master. `pid` is the kernel's word (SO_PEERCRED), not the server's.
    virtual void on_register(std::string_view id, pid_t pid, std::string_view body) = 0;
    virtual void on_status(std::string_view id, std::string_view body) = 0;
    /// Anything else that a server says.
    virtual void on_message(std::string_view id, std::string_view word, std::string_view body) {
        (void)id;
        (void)word;
        (void)body;
    }
    /// Its line has ended: it stopped, died, or was replaced by another registration of the same
    /// id.
    virtual void on_gone(std::string_view id) = 0;

protected:
    ~hub_listener() = default;
};

/// The master's end of the lines to the servers: `<run>/master.sock`, mode 0600, own user only.
/// Holds the lock of the id `master` as long as the object lives, so there is one master per run
/// folder. Thread: the loop. Lifetime: `clock` and `listener` outlive it; stop() must have ended
/// before it is destroyed.
class master_hub {
public:
    master_hub(boost::asio::any_io_executor executor, base::clock& clock,
               std::filesystem::path run_folder, hub_listener& listener);
    master_hub(const master_hub&) = delete;
    master_hub& operator=(const master_hub&) = delete;

    /// Errors: duplicate (another master runs), config (folder or socket cannot be made).
    result<void> start();
    /// False: that server has no line now.
    bool send(std::string_view id, std::string_view word, std::string_view body = "{}");
    /// To all that have a line.
    void send_all(std::string_view word, std::string_view body = "{}");
    std::vector<std::string> connected() const;
    /// Takes the lock and listens anew when the socket is no longer in the run folder. True: it had
    /// to. Errors: as start().
    result<bool> restore();
    /// `done` is posted.
    void stop(base::unique_function<void()> done);

private:
    using connection_ptr = std::shared_ptr<line_connection>;

    result<void> open();
    void accept_next();
    void on_accepted(bus::unix_socket socket);
    void on_line(const connection_ptr& from, pid_t pid, std::string& id, std::string_view line);
    void on_end(const connection_ptr& from, const std::string& id);
    void register_child(const connection_ptr& from, pid_t pid, std::string& id,
                        std::string_view body);

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    hub_listener& listener_;
    bus::run_place place_;
    base::timer accept_again_;
    /// It is tried again for as long as it fails.
    base::rare_line cannot_accept_;
    /// Connected, not registered yet.
    std::set<connection_ptr> strangers_;
    std::map<std::string, connection_ptr, std::less<>> children_;
    bool is_stopping_ = false;
    base::gate gate_;
};

} // namespace shaddock::cluster
