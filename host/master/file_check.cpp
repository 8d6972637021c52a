#include "file_check.hpp"

#include <boost/asio/post.hpp>

#include <filesystem>
#include <utility>

namespace shaddock::master {
namespace {

constexpr std::size_t most_problems = 20;

} // namespace

void file_check::start(base::unique_function<void(result<void>)> done) {
    if (running_) {
        return boost::asio::post(executor_, [done = std::move(done)]() mutable {
            done(error(errc::duplicate, "the files are being checked for another command"));
        });
    }
    auto kept = std::make_shared<base::unique_function<void(result<void>)>>(std::move(done));
    auto started =
        processes_.start(plan_check(options_), [this, kept](const base::exit_report& how) {
            running_.reset();
            const auto said = plan_check(options_).output;
            auto text = base::last_lines(said, 0, most_problems);
            std::error_code ignored;
            std::filesystem::remove(said, ignored);
            (*kept)(how.status == 0 ? result<void>()
                                    : error(errc::config,
                                            "`host check`: " + (text.empty() ? how.text() : text)));
        });
    if (!started) {
        return boost::asio::post(executor_, [kept, why = started.error()] { (*kept)(why); });
    }
    running_ = std::move(*started);
}

} // namespace shaddock::master
