#include "process_life.hpp"

#include "base/log.hpp"
#include "cli/arguments.hpp"

#include <csignal>
#include <filesystem>
#include <unistd.h>

namespace shaddock::cli {
namespace {

[[noreturn]] void give_up(std::string_view why) {
    base::log::error("host", "{}: ending at once", why);
    base::log::stop();
    _exit(exit_failed);
}

} // namespace

incarnation new_incarnation(const base::clock& clock) {
    const auto now = clock.wall_now().time_since_epoch();
    return incarnation{static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count())};
}

void start_log(std::string_view id, const config::log_options& wanted, bool is_child) {
    base::log::options log;
    log.threshold = wanted.level;
    log.areas = wanted.levels;
    log.lines = wanted.format;
    if (!wanted.folder.empty()) {
        std::error_code ignored; // the log says it again, with the file's name
        std::filesystem::create_directories(wanted.folder, ignored);
        log.file = wanted.folder / fmt::format("{}.log", id);
    }
    log.file_limit_bytes = wanted.file_limit;
    log.files = wanted.files;
    log.console = !is_child || wanted.folder.empty();
    base::log::start(id, log);
}

stop_signals::stop_signals(boost::asio::io_context& loop, base::clock& clock,
                           std::chrono::milliseconds limit,
                           base::unique_function<void(int signal)> stop)
    : signals_(loop, SIGINT, SIGTERM, SIGHUP), clock_(clock),
      limit_(std::max(limit, std::chrono::milliseconds(1000))), stop_(std::move(stop)) {
    wait();
}

void stop_signals::cancel() {
    patience_.cancel();
    signals_.cancel();
}

void stop_signals::wait() {
    signals_.async_wait([this](const boost::system::error_code& cancelled, int number) {
        if (cancelled) {
            return;
        }
        if (!stop_) {
            give_up("a second signal");
        }
        patience_ = clock_.after(limit_, [] { give_up("the stop took too long"); });
        wait();
        auto stop = std::move(stop_);
        stop(number);
    });
}

} // namespace shaddock::cli
