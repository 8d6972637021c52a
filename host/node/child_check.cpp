#include "child_check.hpp"

#include "node/complain.hpp"

#include <fmt/format.h>

#include <csignal>
#include <utility>

namespace shaddock::node {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_lines = 50;

/// The last line of the child itself, not of a plugin in it; empty when there is none.
std::string last_complaint(std::string_view text) {
    std::string found;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        if (line.starts_with(said_by_host)) {
            found = line.substr(said_by_host.size());
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return found;
}

} // namespace

void child_check::run(const std::vector<module_file>& files,
                      base::unique_function<void(result<void>)> done) {
    auto words = options_.command;
    files_.clear();
    arguments_.clear();
    for (const auto& file : files) {
        words.insert(words.end(), {"--module", file.path.string()});
        files_ += (files_.empty() ? "" : ", ") + file.path.string();
        arguments_ += " --module " + file.path.string();
    }
    std::error_code failed;
    fs::remove_all(options_.scratch, failed);
    fs::create_directory(options_.scratch, failed);
    done_ = std::move(done);
    is_late_ = false;
    is_wanted_ = std::make_shared<bool>(true);
    processes_.start_aside(
        {std::move(words), options_.scratch / "output"},
        [this, is_wanted = is_wanted_](result<std::unique_ptr<base::process>> one) {
            if (*is_wanted) {
                started(std::move(one));
            } else if (one) {
                (*one)->signal(SIGKILL);
            }
        },
        [this](const base::exit_report& how) { ended(how); });
}

void child_check::started(result<std::unique_ptr<base::process>> one) {
    if (!one) {
        return std::exchange(done_, nullptr)(one.error());
    }
    process_ = std::move(*one);
    limit_ = clock_.after(options_.timeout, [this] {
        is_late_ = true;
        process_->signal(SIGKILL);
    });
}

void child_check::ended(const base::exit_report& how) {
    limit_.cancel();
    process_.reset();
    result<void> outcome;
    if (how.status != 0) {
        outcome = error(errc::config, reason_of(how));
    }
    std::error_code ignored;
    fs::remove_all(options_.scratch, ignored);
    std::exchange(done_, nullptr)(std::move(outcome));
}

std::string child_check::reason_of(const base::exit_report& how) const {
    if (is_late_) {
        return fmt::format(
            "{}: found no end of create and setup within {} ms (they spin or block), wanted a "
            "module that lets the loop turn: {}",
            files_, std::chrono::duration_cast<std::chrono::milliseconds>(options_.timeout).count(),
            remedy());
    }
    auto said = last_complaint(base::last_lines(options_.scratch / "output", 0, most_lines));
    if (how.status == EXIT_FAILURE && !said.empty()) {
        return said;
    }
    return fmt::format("{}: found {} in create or setup, wanted a module that starts: {}", files_,
                       how.text(), remedy());
}

std::string child_check::remedy() const {
    return fmt::format("see it with `host check --type {}{}`", options_.type, arguments_);
}

void child_check::cancel() {
    limit_.cancel();
    *is_wanted_ = false;
    if (process_) {
        process_->signal(SIGKILL);
        process_.reset();
    }
    if (std::exchange(done_, nullptr)) {
        std::error_code ignored;
        fs::remove_all(options_.scratch, ignored);
    }
}

} // namespace shaddock::node
