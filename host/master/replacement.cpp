#include "replacement.hpp"

#include <fmt/format.h>

#include <linux/close_range.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace shaddock::master {

result<void> replacement::start(done_call done, base::unique_function<void()> then) {
    if (auto free = nothing_under_way(); !free) {
        return free;
    }
    check_.start([this, done = std::move(done), then = std::move(then)](result<void> good) mutable {
        if (good) { // something may have begun meanwhile
            good = nothing_under_way();
        }
        control::start_record record;
        record.id = options_.system.master.id;
        record.type = "master";
        record.pid = getpid();
        record.end_as(good ? control::start_outcome::ready : control::start_outcome::skipped,
                      good ? std::string() : good.error().text());
        phase_.is_replaced = good.has_value();
        done({{record}});
        if (good) {
            soon_ = clock_.after(std::chrono::milliseconds(100), std::move(then));
        }
    });
    return {};
}

result<void> replacement::nothing_under_way() const {
    if (auto able = phase_.allows("restarted"); !able) {
        return able;
    }
    const auto what = busy_();
    return what.empty()
               ? result<void>()
               : error(errc::duplicate,
                       fmt::format("another {} is under way: ask again when it has ended", what));
}

error become_another_master(const master_options& options) {
    auto words = restart_command(options);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (auto& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execv(arguments.front(), arguments.data());
    return {errc::config, fmt::format("cannot run {}: {}", words.front(),
                                      std::generic_category().message(errno))};
}

} // namespace shaddock::master
