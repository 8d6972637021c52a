#include "base/crash_report.hpp"
#include "base/log.hpp"
#include "cli/run.hpp"
#include "control/run_files.hpp"
#include "node/process_life.hpp"
#include "node/serve.hpp"

namespace shaddock::cli {

int run_command(const serve_command& wanted) {
    forget_stale_list(wanted.where);
    const auto found = resolve(wanted.where);
    if (!found) {
        return complain(found.error().text());
    }
    const auto record = find_record(found->system, wanted.type, wanted.id);
    if (!record) {
        return complain(record.error().text());
    }
    node::start_log(record->id, found->system.host.log, wanted.is_child);
    for (const auto& slip : found->system.warnings) {
        base::log::warn("config", "{}", slip);
    }
    base::crash_report::start(
        control::output_folder(found->system, found->run) / (record->id + ".crash"), record->id);
    const int status = node::serve(*found, *record, wanted.with_modules_before);
    base::log::stop();
    return status;
}

} // namespace shaddock::cli
