#pragma once

#include "base/file_watch.hpp"
#include "base/network.hpp"
#include "config/load.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// deny.txt of the config folder: networks whose clients are turned away.
namespace shaddock::node {

/// Form of the file: an address or a network on each line, `203.0.113.0/24`; `#` begins a comment.
struct deny_list {
    std::vector<base::network> entries;
    /// Lines that are neither; the others count.
    std::vector<config::finding> problems;
    /// There is a file, and it cannot be read: the list before it counts.
    bool is_unreadable = false;

    base::network_set networks() const { return base::network_set(entries); }
};

/// By the env rule; an absent file denies nobody. Thread: any; blocks on the disk.
deny_list read_deny_list(const std::filesystem::path& folder, std::string_view env);

/// Reads the file again when it changes, so that it can be written while servers run.
/// Thread: the loop. Reads on it, because it happens by hand and the file is small.
class deny_watch {
public:
    deny_watch(const boost::asio::any_io_executor& executor, base::clock& clock,
               std::filesystem::path folder, std::string env,
               base::unique_function<void(base::network_set)> use);
    /// A system without watches to give is a warning in the log.
    void start();
    void stop() { watch_.stop(); }
    void read_again();

private:
    std::filesystem::path folder_;
    std::string env_;
    base::unique_function<void(base::network_set)> use_;
    base::file_watch watch_;
};

} // namespace shaddock::node
