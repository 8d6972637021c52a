#include "master_log.hpp"

#include "base/crash_report.hpp"
#include "base/log.hpp"
#include "control/run_files.hpp"

#include <exception>

namespace shaddock::master {

result<void> start_log(const master_options& options) {
    const auto& wanted = options.system.host.log;
    base::log::options log;
    log.threshold = wanted.level;
    log.areas = wanted.levels;
    log.lines = wanted.format;
    if (!wanted.folder.empty()) {
        log.file = wanted.folder / "master.log";
    }
    log.file_limit_bytes = wanted.file_limit;
    log.files = wanted.files;
    log.console = false; // the terminal gets its own lines
    base::crash_report::start(control::output_folder(options.system, options.run) / "master.crash",
                              "master");
    try {
        base::log::start("master", log);
    } catch (const std::exception& failed) {
        return error(errc::config, failed.what());
    }
    for (const auto& slip : options.system.warnings) {
        base::log::warn("config", "{}", slip);
    }
    return {};
}

} // namespace shaddock::master
