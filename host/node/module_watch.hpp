#pragma once

#include "base/file_watch.hpp"
#include "base/function.hpp"
#include "module_files.hpp"

#include <vector>

namespace shaddock::node {

/// Has a server reload when one of its module files has changed: at once when a file was put in
/// place by renaming, 200 ms after the last writing otherwise. A file that was tried, also one that
/// was refused, is not tried again until it changes.
/// Thread: the loop. Lifetime: stop() before it is destroyed, unless the loop runs no more.
class module_watch {
public:
    /// `reload` begins one and calls back when it is over.
    using reload_call = base::unique_function<void(base::unique_function<void()> over)>;
    module_watch(const boost::asio::any_io_executor& executor, base::clock& clock,
                 std::vector<module_file> files, reload_call reload);

    /// `loaded`: what the files were when the server read them; what has changed since then is
    /// reloaded at once. A system without watches to give is a warning in the log.
    void start(std::vector<file_stamp> loaded);
    void stop();

private:
    void look();

    std::vector<module_file> files_;
    reload_call reload_;
    base::file_watch watch_;
    std::vector<file_stamp> tried_;
    bool is_reloading_ = false;
    bool is_stopped_ = false;
};

} // namespace shaddock::node
