#include "cli/run.hpp"
#include "master/admin.hpp"

#include <fmt/format.h>

namespace shaddock::cli {

int run_admin(const admin_command& wanted) {
    const auto master =
        master::admin_client::open(std::filesystem::absolute(wanted.where.run).lexically_normal());
    if (!master) {
        complain(master.error().text());
        return exit_no_master;
    }
    fmt::print("{}\n", master->page_url());
    return 0;
}

} // namespace shaddock::cli
