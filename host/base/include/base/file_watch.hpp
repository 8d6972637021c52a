#pragma once

#include "base/clock.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>
#include <vector>

namespace shaddock::base {

/// Tells that one of some files may have changed: was written and closed, put in place by renaming
/// or linking, or removed.
///
/// Folders are watched, not files: a file that is replaced is another file. Files and folders need
/// not be there yet, may go and come back, and may be reached through links that are turned
/// elsewhere. Not seen: what is written into the file that a link points to, and the renaming of a
/// folder above the file's own.
///
/// A file may still be half written when its change is told, by a writer that closes it between two
/// parts or while another file changes: the reader must notice, keep what it has, and wait for the
/// next call, which comes when the writer is done.
///
/// Limits: a burst of changes is told once, `quiet` after its last, but no later than 10 times
/// `quiet` after its first. Thread: the loop of the executor and the clock. Lifetime: may be
/// stopped in the call and destroyed at any other time.
/// Source: inotify(7).
class file_watch {
public:
    static constexpr duration default_quiet = std::chrono::milliseconds(200);
    /// A file that was put in place by renaming or linking is whole: its change can be told in the
    /// next turn of the loop, unless others that belong to it follow.
    enum class renamed { told_when_quiet, told_at_once };

    file_watch(const boost::asio::any_io_executor& executor, clock& clock,
               unique_function<void()> changed, duration quiet = default_quiet,
               renamed how = renamed::told_when_quiet);
    ~file_watch();
    file_watch(const file_watch&) = delete;
    file_watch& operator=(const file_watch&) = delete;

    /// Begins; what the files were before is not told. Not while it watches already.
    /// Errors: internal, with the system's reason, such as too many watches of this user.
    result<void> start(const std::vector<std::filesystem::path>& files);
    /// Nothing is told after it, also not what has been seen already.
    void stop();

private:
    class folders;

    void wait();
    void read_events();
    void look();

    boost::asio::any_io_executor executor_;
    clock& clock_;
    unique_function<void()> changed_;
    duration quiet_;
    renamed how_;
    std::shared_ptr<folders> folders_;
    timer pause_;
    time_point latest_{};
    bool is_hit_ = false;
};

} // namespace shaddock::base
