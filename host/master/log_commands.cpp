#include "log_commands.hpp"

#include "control/codec.hpp"
#include "targets.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace shaddock::master {
namespace {

/// For a server's answer to a question that needs no work.
constexpr std::chrono::seconds ask_patience{5};
constexpr std::string_view own_name = "master";

/// The answers so far.
struct collected {
    control::log_results all;
    std::size_t open = 0;
    log_results_call done;
};

void take(collected& so_far, const std::string& id, result<control::log_levels> levels) {
    control::log_record record;
    record.id = id;
    record.ok = levels.has_value();
    if (levels) {
        record.levels = std::move(*levels);
    } else {
        record.reason = levels.error().text();
    }
    auto& all = so_far.all.results;
    all.push_back(std::move(record));
    if (--so_far.open == 0) {
        std::ranges::sort(all, {}, &control::log_record::id);
        so_far.done(so_far.all);
    }
}

result<control::log_levels> levels_in(const result<std::string>& answer) {
    return answer ? control::from_json<control::log_levels>(*answer, "log") : answer.error();
}

} // namespace

result<void> change_levels(asks& questions, const boost::asio::any_io_executor& executor,
                           const std::string& master_id, const std::vector<child_report>& children,
                           const std::vector<std::string>& targets,
                           const control::log_change& wanted, log_results_call done) {
    std::vector<std::string> others;
    bool with_master = false;
    for (const auto& target : targets) {
        const bool is_own = target == own_name || target == master_id;
        with_master = with_master || is_own || target == "all";
        if (!is_own) {
            others.push_back(target);
        }
    }
    const auto found = find_targets(others, children, control::target_words::servers);
    if (!found) {
        return found.error();
    }
    const auto all = std::make_shared<collected>();
    all->done = std::move(done);
    all->open = found->size() + (with_master ? 1 : 0);
    if (with_master) {
        boost::asio::post(executor, [all, master_id, levels = control::apply(wanted)] {
            take(*all, master_id, levels);
        });
    }
    for (const auto& child : *found) {
        questions.ask(child.id, "log", control::to_json(wanted), ask_patience,
                      [all, id = child.id](const result<std::string>& answer) {
                          take(*all, id, levels_in(answer));
                      });
    }
    return {};
}

result<std::vector<log_place>> find_logs(const config::system& system,
                                         const std::vector<child_report>& children,
                                         std::vector<std::string> words) {
    auto there = names_of(children);
    there.push_back({std::string(own_name), "master", false});
    std::ranges::replace(words, system.master.id, std::string(own_name));
    if (words.empty()) {
        std::ranges::transform(there, std::back_inserter(words), &control::target_name::id);
    }
    const auto ids = control::resolve(words, there, control::target_words::anything);
    if (!ids) {
        return ids.error();
    }
    const auto& folder = system.host.log.folder;
    if (folder.empty()) {
        return error(errc::config, "log.folder of host.yaml is empty: logs go to no file");
    }
    std::vector<log_place> found;
    for (const auto& id : *ids) {
        found.push_back({id, std::filesystem::absolute(folder / (id + ".log"))});
    }
    return {boost::system::in_place_value, std::move(found)};
}

} // namespace shaddock::master
