#include "log_commands.hpp"

#include "restarts.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

namespace shaddock::master {
namespace {

/// For a server's answer to a question that needs no work.
constexpr std::chrono::seconds ask_patience{5};
constexpr std::string_view own_name = "master";

/// The answers so far.
struct collected {
    std::vector<log_line> lines;
    std::size_t open = 0;
    log_levels_call done;
};

void take(collected& all, log_line line) {
    all.lines.push_back(std::move(line));
    if (--all.open == 0) {
        std::sort(all.lines.begin(), all.lines.end(),
                  [](const auto& a, const auto& b) { return a.id < b.id; });
        all.done(all.lines);
    }
}

} // namespace

result<void> change_levels(asks& questions, const boost::asio::any_io_executor& executor,
                           const std::string& master_id, const std::vector<child_report>& children,
                           const std::vector<std::string>& targets, const log_change& wanted,
                           log_levels_call done) {
    std::vector<std::string> others;
    bool with_master = false;
    for (const auto& target : targets) {
        const bool is_own = target == own_name || target == master_id;
        with_master = with_master || is_own || target == "all";
        if (!is_own) {
            others.push_back(target);
        }
    }
    const auto found = find_targets(others, children);
    if (!found) {
        return found.error();
    }
    const auto all = std::make_shared<collected>();
    all->done = std::move(done);
    all->open = found->size() + (with_master ? 1 : 0);
    if (with_master) {
        boost::asio::post(executor, [all, line = log_line{master_id, to_json(apply(wanted))}] {
            take(*all, line);
        });
    }
    for (const auto& child : *found) {
        questions.ask(child.id, "log", to_json(wanted), ask_patience,
                      [all, id = child.id](result<std::string> levels) {
                          take(*all, {id, std::move(levels)});
                      });
    }
    return {};
}

result<std::filesystem::path> find_log(const config::system& system,
                                       const std::vector<child_report>& children,
                                       std::string_view id) {
    std::vector<std::string> known{std::string(own_name)};
    for (const auto& child : children) {
        known.push_back(child.id);
    }
    const auto name = std::string(id == system.master.id ? own_name : id);
    if (std::ranges::find(known, name) == known.end()) {
        return error(errc::not_found, fmt::format("no server '{}'; nearest: {}", id,
                                                  fmt::join(config::nearest(id, known), ", ")));
    }
    const auto& folder = system.host.log.folder;
    if (folder.empty()) {
        return error(errc::config, "log.folder of host.yaml is empty: logs go to no file");
    }
    return std::filesystem::absolute(folder / (name + ".log"));
}

} // namespace shaddock::master
