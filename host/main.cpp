#include "cli/run.hpp"

#include <csignal>
#include <sys/resource.h>

namespace {

/// Each client is a file descriptor: take all that the system gives.
void raise_file_limit() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

} // namespace

int main(int argc, char** argv) {
    raise_file_limit();
    // A peer that goes and a file that gets too large are error codes, not our end.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    return shaddock::cli::run({argv + 1, argv + argc});
}
