#include "base/crash_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

namespace shaddock::base::crash_report {
namespace {

template <std::size_t Size>
struct short_text {
    std::array<char, Size> bytes;
    std::size_t size = 0;

    void set(std::string_view text) {
        size = std::min(text.size(), Size);
        std::memcpy(bytes.data(), text.data(), size);
    }
    std::string_view view() const { return {bytes.data(), size}; }
};

constexpr std::size_t routes_kept = 16;

/// Everything that the handler reads; zeros until start().
struct prepared {
    short_text<4096> file; // with its zero byte
    short_text<80> id;
    short_text<256> build;
    std::uint64_t generation = 0;
    std::array<short_text<64>, routes_kept> routes;
    std::uint64_t routes_seen = 0;
    std::array<char, std::size_t{32} * 1024> stack;
};
constinit prepared the_report{};

void put(int to, std::string_view text) {
    [[maybe_unused]] const auto ignored = ::write(to, text.data(), text.size());
}

void put(int to, std::uint64_t number, int base = 10) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
    put(to, {digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
}

void put_report(int to, int signal, const siginfo_t& info) {
    const auto& all = the_report;
    const char* name = sigabbrev_np(signal);
    put(to, "server ");
    put(to, all.id.view());
    put(to, "\nprocess ");
    put(to, static_cast<std::uint64_t>(::getpid()));
    put(to, "\ntime ");
    put(to, static_cast<std::uint64_t>(::time(nullptr)));
    put(to, " (seconds since 1970)\nsignal SIG");
    put(to, name == nullptr ? "?" : name);
    if (signal == SIGSEGV || signal == SIGBUS) {
        put(to, " at address 0x");
        put(to, reinterpret_cast<std::uintptr_t>(info.si_addr), 16);
    }
    put(to, "\nserves ");
    put(to, all.build.view());
    put(to, "\ngeneration ");
    put(to, all.generation);
    put(to, "\nthe last routes, the latest first:\n");
    for (std::size_t back = 0; back < std::min<std::uint64_t>(all.routes_seen, routes_kept);
         ++back) {
        put(to, "  ");
        put(to, all.routes[(all.routes_seen - 1 - back) % routes_kept].view());
        put(to, "\n");
    }
}

[[maybe_unused]] void on_crash(int signal, siginfo_t* info, void*) {
    const int file =
        ::open(the_report.file.bytes.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0) {
        put_report(file, signal, *info);
        ::close(file);
    }
    // The handler is gone by now: a fault happens again, what was sent is sent again.
    if (info->si_code <= 0) {
        ::raise(signal);
    }
}

} // namespace

void start(const std::filesystem::path& file, std::string_view id) {
    const auto path = std::filesystem::absolute(file).lexically_normal().native() + '\0';
    if (path.size() > the_report.file.bytes.size()) {
        return;
    }
    the_report.file.set(path);
    the_report.id.set(id);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    // A stack of its own: the crash may be that the stack is full.
    stack_t own{};
    own.ss_sp = the_report.stack.data();
    own.ss_size = the_report.stack.size();
    ::sigaltstack(&own, nullptr);
    struct sigaction action {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    for (const int each : signals) {
        ::sigaction(each, &action, nullptr);
    }
#endif
}

void set_build(std::string_view build, std::uint64_t generation) {
    the_report.build.set(build);
    the_report.generation = generation;
}

void note_route(std::string_view route) {
    the_report.routes[the_report.routes_seen % routes_kept].set(route);
    ++the_report.routes_seen;
}

} // namespace shaddock::base::crash_report
