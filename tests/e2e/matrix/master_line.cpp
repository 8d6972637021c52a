/// Stands in the line between a server and its master, inside the server: preloaded, it takes the
/// server's connect() to master.sock. The master asks the kernel which process a line belongs to,
/// and adopts that one; so no process of its own can stand there. SHADDOCK_LINES names a folder.
/// The file <id> in it says what becomes of that server's line: `cut`, or `slow MS`; without the
/// file the line is as it was. Whoever writes the file moves it into its place whole.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <fstream>
#include <list>
#include <mutex>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How late the file is seen. Not by inotify: a user has 128 of those, and many systems run beside
/// each other.
constexpr int look_period_ms = 10;
constexpr int socket_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

int call_connect(int socket, const sockaddr* address, socklen_t size) {
    using connect_call = int (*)(int, const sockaddr*, socklen_t);
    static const auto next = reinterpret_cast<connect_call>(::dlsym(RTLD_NEXT, "connect"));
    return next(socket, address, size);
}

/// The word behind `--id` on this process's command line.
std::string own_id() {
    std::ifstream in("/proc/self/cmdline", std::ios::binary);
    for (std::string word; std::getline(in, word, '\0');) {
        if (word == "--id" && std::getline(in, word, '\0')) {
            return word;
        }
    }
    return {};
}

/// Bytes on their way in one direction.
struct direction {
    struct piece {
        steady::time_point due;
        std::string bytes;
    };
    int from = -1;
    int to = -1;
    std::deque<piece> waiting{};
    bool is_over = false;

    void read(milliseconds delay) {
        char bytes[16384];
        const auto got = ::recv(from, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got > 0) {
            waiting.push_back({steady::now() + delay, {bytes, static_cast<std::size_t>(got)}});
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            is_over = true;
        }
    }
    void write() {
        while (!waiting.empty() && waiting.front().due <= steady::now()) {
            auto& bytes = waiting.front().bytes;
            const auto sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0) {
                if (errno != EAGAIN && errno != EINTR) {
                    waiting.clear();
                    is_over = true;
                }
                return;
            }
            bytes.erase(0, static_cast<std::size_t>(sent));
            if (bytes.empty()) {
                waiting.pop_front();
            }
        }
    }
    bool is_done() const { return is_over && waiting.empty(); }
};

struct line {
    line(int near, int far) : to_master{near, far}, to_server{far, near} {}
    direction to_master;
    direction to_server;
};

/// Of a process; never destroyed, because its thread goes on until the process ends.
class lines {
public:
    lines(const std::string& folder, const std::string& id) : file_(folder + "/" + id) {
        look();
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the server's
        std::thread([this] { run(); }).detach();
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    bool is_cut() {
        const std::lock_guard lock(guard_);
        return is_cut_;
    }
    void add(int near, int far) {
        const std::lock_guard lock(guard_);
        lines_.emplace_back(near, far);
        ::eventfd_write(wake_, 1);
    }

private:
    void look() {
        const std::lock_guard lock(guard_);
        std::ifstream in(file_);
        std::string word;
        long delay = 0;
        in >> word >> delay;
        is_cut_ = word == "cut";
        delay_ = milliseconds(word == "slow" ? delay : 0);
    }

    [[noreturn]] void run() {
        for (;;) {
            std::vector<pollfd> polled{{wake_, POLLIN, 0}};
            {
                const std::lock_guard lock(guard_);
                for (const auto& one : lines_) {
                    for (const auto* way : {&one.to_master, &one.to_server}) {
                        polled.push_back({way->is_over ? -1 : way->from, POLLIN, 0});
                    }
                }
            }
            ::poll(polled.data(), polled.size(), is_anything_waiting() ? 1 : look_period_ms);
            eventfd_t ignored = 0;
            ::eventfd_read(wake_, &ignored);
            look();
            pump();
        }
    }

    bool is_anything_waiting() {
        const std::lock_guard lock(guard_);
        return std::any_of(lines_.begin(), lines_.end(), [](const line& one) {
            return !one.to_master.waiting.empty() || !one.to_server.waiting.empty();
        });
    }

    void pump() {
        const std::lock_guard lock(guard_);
        lines_.remove_if([this](line& one) {
            for (auto* way : {&one.to_master, &one.to_server}) {
                if (!way->is_over) {
                    way->read(delay_);
                }
                way->write();
            }
            const bool is_done = is_cut_ || one.to_master.is_done() || one.to_server.is_done();
            if (is_done) {
                ::close(one.to_master.from);
                ::close(one.to_server.from);
            }
            return is_done;
        });
    }

    std::string file_;
    int wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    std::mutex guard_;
    std::list<line> lines_;
    bool is_cut_ = false;
    milliseconds delay_{0};
};

/// Null: this process has no line that anybody stands in.
lines* own_lines() {
    static auto* const all = []() -> lines* {
        const char* const folder = std::getenv("SHADDOCK_LINES");
        const auto id = own_id();
        return folder == nullptr || id.empty() ? nullptr : new lines(folder, id);
    }();
    return all;
}

bool is_to_master(const sockaddr* address, socklen_t size) {
    constexpr std::string_view end = "/master.sock";
    if (address == nullptr || address->sa_family != AF_UNIX || size < sizeof(sockaddr_un)) {
        return false;
    }
    return std::string_view(reinterpret_cast<const sockaddr_un*>(address)->sun_path).ends_with(end);
}

/// `socket` is connected to what this returns, within this process; -1: it is not.
int other_end_of(int socket) {
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    socklen_t size = sizeof(place.sun_family); // the kernel gives it a name
    auto* const address = reinterpret_cast<sockaddr*>(&place);
    int near = -1;
    if (::bind(listener, address, size) == 0 && ::listen(listener, 1) == 0) {
        size = sizeof(place);
        if (::getsockname(listener, address, &size) == 0 &&
            call_connect(socket, address, size) == 0) {
            near = ::accept4(listener, nullptr, nullptr, socket_flags);
        }
    }
    ::close(listener);
    return near;
}

} // namespace

extern "C" __attribute__((visibility("default"))) int connect(int socket, const sockaddr* address,
                                                              socklen_t size) {
    auto* const all = is_to_master(address, size) ? own_lines() : nullptr;
    if (all == nullptr) {
        return call_connect(socket, address, size);
    }
    if (all->is_cut()) {
        errno = ECONNREFUSED;
        return -1;
    }
    const int far = ::socket(AF_UNIX, SOCK_STREAM | socket_flags, 0);
    if (call_connect(far, address, size) != 0) {
        const int why = errno;
        ::close(far);
        errno = why;
        return -1;
    }
    const int near = other_end_of(socket);
    if (near < 0) {
        ::close(far);
        errno = ECONNREFUSED;
        return -1;
    }
    all->add(near, far);
    return 0;
}
