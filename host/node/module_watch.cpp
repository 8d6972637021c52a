#include "module_watch.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace shaddock::node {
namespace {

std::vector<std::filesystem::path> paths_of(const std::vector<module_file>& files) {
    std::vector<std::filesystem::path> paths;
    paths.reserve(files.size());
    for (const auto& file : files) {
        paths.push_back(file.path);
    }
    return paths;
}

bool is_complete(const std::vector<file_stamp>& stamps) {
    return std::none_of(stamps.begin(), stamps.end(),
                        [](const file_stamp& one) { return one.number == 0; });
}

} // namespace

module_watch::module_watch(const boost::asio::any_io_executor& executor, base::clock& clock,
                           std::vector<module_file> files, reload_call reload)
    : files_(std::move(files)), reload_(std::move(reload)),
      watch_(
          executor, clock, [this] { look(); }, base::file_watch::default_quiet,
          base::file_watch::renamed::told_at_once) {}

void module_watch::start(std::vector<file_stamp> loaded) {
    tried_ = std::move(loaded);
    if (const auto watched = watch_.start(paths_of(files_)); !watched) {
        base::log::warn("reload", "{}; new modules count after `host reload`",
                        watched.error().text());
    }
    look();
}

void module_watch::stop() {
    is_stopped_ = true;
    watch_.stop();
}

void module_watch::look() {
    auto now = stamps_of(files_);
    // A file that is gone is being replaced: its coming is told too.
    if (is_stopped_ || is_reloading_ || now == tried_ || !is_complete(now)) {
        return;
    }
    tried_ = std::move(now);
    is_reloading_ = true;
    reload_([this] {
        is_reloading_ = false;
        look();
    });
}

} // namespace shaddock::node
