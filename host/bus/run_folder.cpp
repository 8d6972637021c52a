#include "bus/run_folder.hpp"

#include "base/random.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace shaddock::bus {

namespace {

constexpr mode_t file_mode = 0600;
constexpr mode_t folder_mode = 0700;

error folder_error(const std::filesystem::path& run, std::string_view what) {
    return error(errc::config, fmt::format("run folder '{}': {}", run.string(), what));
}

/// Locks of the open file description: they belong to the process that keeps it open, end with it,
/// and can be asked for.
struct flock whole_file() {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    return range;
}

void write_pid(int file) {
    const auto text = fmt::format("{}\n", ::getpid());
    if (::ftruncate(file, 0) == 0) {
        // Only people read it; a full disk does not stop the server.
        [[maybe_unused]] const auto written = ::pwrite(file, text.data(), text.size(), 0);
    }
}

std::optional<pid_t> read_pid(int file) {
    char text[32];
    const auto length = ::pread(file, text, sizeof(text), 0);
    pid_t pid = 0;
    if (length <= 0 || std::from_chars(text, text + length, pid).ec != std::errc{} || pid <= 0) {
        return std::nullopt;
    }
    return pid;
}

constexpr std::size_t machine_digits = 32;

/// At most as long as a machine's id may be; empty: it cannot be read.
std::string first_line(const std::filesystem::path& path) {
    std::string text(machine_digits + 2, '\0');
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) {
        return {};
    }
    const auto size = ::pread(file, text.data(), text.size(), 0);
    ::close(file);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text.substr(0, text.find('\n'));
}

/// Whole before it has its name: whoever comes second takes the first one's.
result<void> make_machine(const std::filesystem::path& run, const std::filesystem::path& path) {
    const auto fresh = run / fmt::format("machine.{}", ::getpid());
    const int file =
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, file_mode);
    if (file < 0) {
        return error(errc::config,
                     fmt::format("cannot make '{}': {}", fresh.string(), std::strerror(errno)));
    }
    std::string text;
    for (const char byte : base::random_bytes(machine_digits / 2)) {
        text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    text += '\n';
    const bool has_name =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        (::link(fresh.c_str(), path.c_str()) == 0 || errno == EEXIST);
    const int why = errno;
    ::close(file);
    ::unlink(fresh.c_str());
    return has_name ? result<void>()
                    : error(errc::config,
                            fmt::format("cannot make '{}': {}", path.string(), std::strerror(why)));
}

/// An open lock file, or -1.
class reading {
public:
    explicit reading(const std::filesystem::path& path)
        : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}
    reading(const reading&) = delete;
    reading& operator=(const reading&) = delete;
    ~reading() {
        if (file_ >= 0) {
            ::close(file_);
        }
    }
    bool is_held() const {
        auto range = whole_file();
        return file_ >= 0 && ::fcntl(file_, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    }
    int file() const { return file_; }

private:
    int file_;
};

} // namespace

std::filesystem::path socket_path(const std::filesystem::path& run, std::string_view id) {
    return run / fmt::format("{}.sock", id);
}

std::filesystem::path lock_path(const std::filesystem::path& run, std::string_view id) {
    return run / fmt::format("{}.lock", id);
}

result<void> prepare_run_folder(const std::filesystem::path& wanted) {
    // Of "run/" the part before the slash: else its parent would be the folder itself.
    const auto run = wanted.has_filename() ? wanted : wanted.parent_path();
    std::error_code failed;
    if (run.has_parent_path()) {
        std::filesystem::create_directories(run.parent_path(), failed);
    }
    if (::mkdir(run.c_str(), folder_mode) != 0 && errno != EEXIST) {
        return folder_error(run, fmt::format("cannot make it: {}", std::strerror(errno)));
    }
    struct stat found {};
    if (::lstat(run.c_str(), &found) != 0) {
        return folder_error(run, std::strerror(errno));
    }
    if (S_ISLNK(found.st_mode)) {
        return folder_error(run, "it is a symbolic link, which others may lead elsewhere: name the "
                                 "folder itself");
    }
    if (!S_ISDIR(found.st_mode)) {
        return folder_error(run, "it is not a folder");
    }
    if (found.st_uid != ::geteuid()) {
        return folder_error(run, fmt::format("it belongs to user {}, this process is user {}",
                                             found.st_uid, ::geteuid()));
    }
    if ((found.st_mode & 0777U) != folder_mode) {
        return folder_error(run, fmt::format("it has mode {:o}, expected {:o}, which keeps others "
                                             "out: chmod 700 it",
                                             found.st_mode & 07777U, folder_mode));
    }
    return {};
}

result<run_lock> run_lock::take(const std::filesystem::path& run, std::string_view id) {
    const auto path = lock_path(run, id);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode);
    if (file < 0) {
        return error(errc::config, fmt::format("cannot open lock file '{}': {}", path.string(),
                                               std::strerror(errno)));
    }
    run_lock taken(file);
    auto range = whole_file();
    if (::fcntl(file, F_OFD_SETLK, &range) != 0) {
        const auto pid = read_pid(file);
        return error(errc::duplicate,
                     fmt::format("server '{}' is already running (pid {}, lock file '{}')", id,
                                 pid ? std::to_string(*pid) : "unknown", path.string()));
    }
    write_pid(file);
    return taken;
}

result<std::string> machine_id(const std::filesystem::path& run) {
    const auto path = run / "machine";
    if (::access(path.c_str(), F_OK) != 0) {
        if (auto made = make_machine(run, path); !made) {
            return made.error();
        }
    }
    const auto id = first_line(path);
    if (id.size() != machine_digits ||
        id.find_first_not_of("0123456789abcdef") != std::string::npos) {
        return error(errc::config,
                     fmt::format("'{}' holds no id of {} hexadecimal digits; remove it while "
                                 "nothing runs, and another is made",
                                 path.string(), machine_digits));
    }
    return std::string(std::string_view(id));
}

run_lock::~run_lock() {
    if (file_ >= 0) {
        ::close(file_);
    }
}

bool is_running(const std::filesystem::path& run, std::string_view id) {
    return reading(lock_path(run, id)).is_held();
}

std::optional<pid_t> running_pid(const std::filesystem::path& run, std::string_view id) {
    const reading lock(lock_path(run, id));
    return lock.is_held() ? read_pid(lock.file()) : std::nullopt;
}

bool is_anyone_running(const std::filesystem::path& run) {
    std::error_code failed;
    for (std::filesystem::directory_iterator at(run, failed), end; !failed && at != end;
         at.increment(failed)) {
        if (at->path().extension() == ".lock" && is_running(run, at->path().stem().string())) {
            return true;
        }
    }
    return false;
}

} // namespace shaddock::bus
