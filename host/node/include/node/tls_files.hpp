#pragma once

#include "base/file_watch.hpp"
#include "net/tls.hpp"
#include "node/setting.hpp"

#include <memory>

/// Certificate and key of the clients' port: the files of `connector.tls_certificate` and
/// `connector.tls_key`.
namespace shaddock::node {

/// Opens them; relative paths begin at the config folder. Null: the options name none.
/// Errors: config, naming the file. Thread: any; blocks on the disk.
result<std::shared_ptr<net::tls_identity>> read_identity(const std::filesystem::path& folder,
                                                         const config::connector_options& wanted);

/// Reads them again when they change; new connections get what is new. What does not fit is logged,
/// and the certificate before it stays in use.
/// Thread: the loop. Reads on it, because the files are small.
class tls_reload {
public:
    tls_reload(const boost::asio::any_io_executor& executor, base::clock& clock,
               std::shared_ptr<net::tls_identity> identity);
    void start(const std::filesystem::path& folder, const config::connector_options& wanted);
    void stop() { watch_.stop(); }
    void read_again();

private:
    std::shared_ptr<net::tls_identity> identity_;
    base::file_watch watch_;
};

} // namespace shaddock::node
