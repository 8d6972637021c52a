#include "base/file_watch.hpp"

#include "base/log.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace shaddock::base {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t all_events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                     IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr int most_quiets = 10;

error failure(const fs::path& what) {
    const int reason = errno;
    std::string text = "changes of " + what.string() + " cannot be watched: ";
    text += std::strerror(reason);
    if (reason == ENOSPC || reason == EMFILE) {
        text += " (limits of this user: fs.inotify.max_user_watches, max_user_instances)";
    }
    return {errc::internal, std::move(text)};
}

/// Which file a name stands for now; {0, 0} = none.
using identity = std::pair<dev_t, ino_t>;

identity identity_of(const fs::path& file) {
    struct stat found {};
    return ::stat(file.c_str(), &found) == 0 ? identity{found.st_dev, found.st_ino} : identity{};
}

/// Whether whoever made the file is still to write into it, and close it.
bool is_being_written(const fs::path& file) {
    struct stat found {};
    return ::lstat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1;
}

} // namespace

/// The inotify descriptor and what it watches.
class file_watch::folders {
public:
    explicit folders(const boost::asio::any_io_executor& executor) : events_(executor) {}

    result<void> open(const std::vector<fs::path>& files) {
        const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd < 0) {
            return failure(files.empty() ? fs::path() : files.front());
        }
        boost::system::error_code failed;
        events_.assign(fd, failed);
        if (failed) {
            ::close(fd);
            errno = failed.value();
            return failure(files.empty() ? fs::path() : files.front());
        }
        for (const auto& file : files) {
            files_.push_back({fs::absolute(file).lexically_normal(), {}});
        }
        auto watched = watch();
        note_identities();
        return watched;
    }

    /// Watches the folder of each file, or the nearest one above while it is missing. To be called
    /// again whenever folders may have changed: those that are watched already stay.
    result<void> watch() {
        std::map<int, std::set<std::string>> now;
        result<void> outcome;
        for (const auto& file : files_) {
            const auto folder = file.path.parent_path();
            int number = add(folder);
            if (number >= 0) {
                now[number].insert(file.path.filename());
            } else {
                number = add_above(folder);
            }
            if (number < 0) {
                outcome = failure(file.path);
                continue;
            }
            now.try_emplace(number);
            for (const int above : add_above_links(folder)) {
                now.try_emplace(above);
            }
        }
        for (const auto& [number, names] : names_) {
            if (!now.contains(number)) {
                ::inotify_rm_watch(events_.native_handle(), number);
            }
        }
        names_ = std::move(now);
        return outcome;
    }

    /// Whether a name stands for another file than at the last call.
    bool note_identities() {
        bool is_other = false;
        for (auto& file : files_) {
            const auto found = identity_of(file.path);
            is_other = is_other || found != file.id;
            file.id = found;
        }
        return is_other;
    }

    enum class seen { nothing, something, one_of_the_files, one_put_in_place };

    /// Takes all events that are there.
    seen read() {
        alignas(inotify_event) std::array<char, 8192> buffer{};
        auto most = seen::nothing;
        for (;;) {
            const auto size = ::read(events_.native_handle(), buffer.data(), buffer.size());
            if (size <= 0) {
                return most;
            }
            for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
                inotify_event event{};
                std::memcpy(&event, buffer.data() + at, sizeof(event));
                // The name is padded with zero bytes.
                const char* const name = event.len != 0 ? buffer.data() + at + sizeof(event) : "";
                most = std::max(most, judge(event, name));
                at += sizeof(event) + event.len;
            }
        }
    }

    template <class Call>
    void async_wait(Call&& call) {
        events_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           std::forward<Call>(call));
    }

private:
    struct watched_file {
        fs::path path;
        identity id;
    };

    int add(const fs::path& folder) {
        return ::inotify_add_watch(events_.native_handle(), folder.c_str(), all_events);
    }

    /// The nearest folder above a missing one; -1 and errno: there is none, or something else is
    /// wrong.
    int add_above(fs::path folder) {
        int number = -1;
        while (number < 0 && (errno == ENOENT || errno == ENOTDIR) && folder.has_relative_path()) {
            folder = folder.parent_path();
            number = add(folder);
        }
        return number;
    }

    /// A link on the way to the folder may be turned to another one: the folder with the link
    /// tells.
    std::vector<int> add_above_links(fs::path folder) {
        std::vector<int> numbers;
        for (; folder.has_relative_path(); folder = folder.parent_path()) {
            std::error_code ignored;
            if (fs::is_symlink(folder, ignored)) {
                numbers.push_back(add(folder.parent_path()));
            }
        }
        std::erase(numbers, -1);
        return numbers;
    }

    seen judge(const inotify_event& event, const std::string& name) const {
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            return seen::one_of_the_files;
        }
        if ((event.mask & IN_IGNORED) != 0) {
            return seen::nothing;
        }
        const auto folder = names_.find(event.wd);
        if (folder == names_.end() || !folder->second.contains(name)) {
            return seen::something;
        }
        if ((event.mask & IN_CREATE) != 0 && is_made_by_writer(name)) {
            return seen::nothing;
        }
        return (event.mask & (IN_MOVED_TO | IN_CREATE)) != 0 ? seen::one_put_in_place
                                                             : seen::one_of_the_files;
    }

    bool is_made_by_writer(const std::string& name) const {
        return std::any_of(files_.begin(), files_.end(), [&](const watched_file& file) {
            return file.path.filename() == name && is_being_written(file.path);
        });
    }

    boost::asio::posix::stream_descriptor events_;
    std::vector<watched_file> files_;
    /// By watch: the names that count in that folder; none in one that is above.
    std::map<int, std::set<std::string>> names_;
};

file_watch::file_watch(const boost::asio::any_io_executor& executor, clock& clock,
                       unique_function<void()> changed, duration quiet, renamed how)
    : executor_(executor), clock_(clock), changed_(std::move(changed)), quiet_(quiet), how_(how) {}

file_watch::~file_watch() {
    stop();
}

result<void> file_watch::start(const std::vector<fs::path>& files) {
    assert(!folders_);
    auto opened = std::make_shared<folders>(executor_);
    if (const auto watched = opened->open(files); !watched) {
        return watched.error();
    }
    folders_ = std::move(opened);
    wait();
    return {};
}

void file_watch::stop() {
    pause_.cancel();
    folders_.reset();
    is_hit_ = false;
}

void file_watch::wait() {
    folders_->async_wait(
        [this, still = std::weak_ptr(folders_)](const boost::system::error_code& failed) {
            if (!failed && !still.expired()) {
                read_events();
                wait();
            }
        });
}

void file_watch::read_events() {
    const auto seen = folders_->read();
    if (seen == folders::seen::nothing) {
        return;
    }
    if (!pause_.is_armed()) {
        latest_ = clock_.now() + most_quiets * quiet_;
    } else if (seen == folders::seen::something) {
        // Others who write in the folder do not put off what is pending.
        return;
    }
    is_hit_ = is_hit_ || seen >= folders::seen::one_of_the_files;
    const bool is_whole = seen == folders::seen::one_put_in_place && how_ == renamed::told_at_once;
    const auto due = is_whole ? clock_.now() : clock_.now() + quiet_;
    pause_ = clock_.at(std::min(due, latest_), [this] { look(); });
}

void file_watch::look() {
    if (const auto watched = folders_->watch(); !watched) {
        log::warn("base", "{}", watched.error().text());
    }
    const bool is_other = folders_->note_identities();
    if (std::exchange(is_hit_, false) || is_other) {
        changed_();
    }
}

} // namespace shaddock::base
