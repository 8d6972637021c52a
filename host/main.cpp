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
    std::signal(SIGPIPE, SIG_IGN); // a peer that goes is an error code, not our end
    return shaddock::cli::run({argv + 1, argv + argc});
}
