#include "rows.hpp"

#include "base/process.hpp"

#include <unistd.h>

namespace shaddock::master {
namespace {

void add_usage(control::server_row& row) {
    if (const auto pid = row.process()) {
        const auto usage = base::usage_of(*pid);
        row.uptime_s = static_cast<std::uint64_t>(usage.uptime.count());
        row.rss_kb = usage.rss_kb;
    }
}

} // namespace

control::server_row row_of(const child_report& child, bool is_out, bool is_unlisted,
                           bool is_stopping) {
    control::server_row row = child;
    row.stopped = is_out;
    if (is_unlisted && !is_stopping && row.is(control::server_state::ready)) {
        row.state = to_string(control::server_state::joining);
        row.missing = true;
    }
    const bool is_killed =
        child.is_server && !is_out && !is_stopping && !child.is(control::server_state::ready);
    row.missing = row.missing || is_killed;
    add_usage(row);
    return row;
}

control::server_row master_row(const std::string& id, const std::string& version, incarnation life,
                               bool is_stopping) {
    control::server_row row;
    row.id = id;
    row.type = "master";
    row.set_process(getpid());
    row.state =
        to_string(is_stopping ? control::server_state::draining : control::server_state::ready);
    row.version = version;
    row.incarnation = number(life);
    add_usage(row);
    return row;
}

} // namespace shaddock::master
