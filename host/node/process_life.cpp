#include "node/process_life.hpp"

#include "base/log.hpp"
#include "node/complain.hpp"

#include <csignal>
#include <filesystem>
#include <unistd.h>

namespace shaddock::node {
namespace {

[[noreturn]] void give_up(std::string_view why) {
    base::log::error("host", "{}: ending at once", why);
    base::log::stop();
    _exit(exit_failed);
}

} // namespace

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
                           base::unique_function<void(int signal)> stop,
                           base::unique_function<void()> reread)
    : signals_(loop, SIGINT, SIGTERM, SIGHUP), clock_(clock),
      limit_(std::max(limit, std::chrono::milliseconds(1000))), stop_(std::move(stop)),
      reread_(std::move(reread)) {
    wait();
    look();
}

void stop_signals::look() {
    base::log::look_after_files();
    look_again_ = clock_.after(std::chrono::seconds(1), [this] { look(); });
}

void stop_signals::cancel() {
    look_again_.cancel();
    patience_.cancel();
    signals_.cancel();
}

void stop_signals::wait() {
    signals_.async_wait([this](const boost::system::error_code& cancelled, int number) {
        if (cancelled) {
            return;
        }
        if (number == SIGHUP) {
            base::log::look_after_files();
            base::log::info("host",
                            "SIGHUP: logs, certificates, protos and deny.txt are looked at again");
            reread_();
            return wait();
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

} // namespace shaddock::node
