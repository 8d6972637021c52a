#include "base/clock.hpp"
#include "cli/run.hpp"
#include "control/requests.hpp"
#include "control/targets.hpp"
#include "far_logs.hpp"
#include "log_follower.hpp"
#include "master/admin.hpp"
#include "master/log_tail.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <deque>
#include <iterator>
#include <optional>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = std::size_t{16} * 1024 * 1024;
/// Often enough to look live, and nothing is lost in between.
constexpr std::chrono::milliseconds look_again{100};
/// Each look asks the masters of all machines.
constexpr std::chrono::seconds look_far_again{1};

/// False: nobody reads any more.
bool print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0;
}

/// The time that a line begins with, as text that sorts; empty for a line that goes on.
std::string_view time_of(std::string_view line) {
    constexpr std::string_view json = R"({"time":")";
    if (line.starts_with(json)) {
        return line.substr(json.size(), line.find('"', json.size()) - json.size());
    }
    constexpr std::size_t length = std::string_view("2026-11-21 22:41:02.176").size();
    return line.size() > length && line[4] == '-' && line[13] == ':' ? line.substr(0, length)
                                                                     : std::string_view();
}

struct timed_line {
    std::string_view time;
    std::string_view text;
};

/// The last `lines` of several texts in order of time; lines without one stay behind theirs.
std::string merged(const std::vector<std::string>& texts, std::size_t lines) {
    std::vector<timed_line> all;
    for (const auto& text : texts) {
        std::string_view rest(text);
        std::string_view time;
        while (!rest.empty()) {
            const auto line = rest.substr(0, rest.find('\n') + 1);
            rest.remove_prefix(line.size());
            const auto own = time_of(line);
            time = own.empty() ? time : own;
            all.push_back({time, line});
        }
    }
    std::ranges::stable_sort(all, {}, &timed_line::time);
    std::string out;
    for (auto i = all.size() - std::min(all.size(), lines); i < all.size(); ++i) {
        out += all[i].text;
    }
    return out;
}

struct found_logs {
    /// Of this machine.
    std::vector<fs::path> files;
    std::optional<far_logs> far;
    /// The last lines of those of others.
    std::vector<std::string> texts;
};

result<found_logs> logs_of_master(const master::admin_client& master, const logs_command& wanted) {
    const auto said = tails_of(master, wanted.targets, 0);
    if (!said) {
        return said.error();
    }
    found_logs found;
    bool has_far = false;
    for (const auto& one : said->results) {
        if (one.reason) {
            complain(fmt::format("{}: {}", one.id, *one.reason));
        } else if (one.machine) {
            has_far = true;
        } else {
            found.files.emplace_back(one.file);
        }
    }
    if (!has_far) {
        return found;
    }
    found.far.emplace(master, wanted.targets);
    auto tails = found.far->last(std::min(wanted.lines, control::most_log_lines));
    if (!tails) {
        return tails.error();
    }
    found.texts = std::move(*tails);
    return found;
}

result<std::vector<fs::path>> files_of_config(const logs_command& wanted) {
    const auto found = resolve(wanted.where);
    if (!found) {
        return found.error();
    }
    const auto& folder = found->system.host.log.folder;
    if (folder.empty()) {
        return error(errc::config, "log.folder of host.yaml is empty: logs go to no file");
    }
    std::vector<control::target_name> there{{"master", "master", false}, {"web", "web", false}};
    for (const auto& server : found->system.servers) {
        there.push_back({server.id, server.type});
    }
    auto words = wanted.targets;
    std::ranges::replace(words, found->system.master.id, std::string("master"));
    if (words.empty()) {
        std::ranges::transform(there, std::back_inserter(words), &control::target_name::id);
    }
    std::vector<fs::path> files;
    const auto add = [&files](fs::path file) {
        if (std::ranges::find(files, file) == files.end()) {
            files.push_back(std::move(file));
        }
    };
    for (const auto& word : words) {
        const auto ids = control::resolve({word}, there, control::target_words::anything);
        if (const auto file = fs::absolute(folder / (word + ".log")); !ids && fs::exists(file)) {
            add(file); // of one that is no longer in the files
            continue;
        }
        if (!ids) {
            return ids.error();
        }
        for (const auto& id : *ids) {
            add(fs::absolute(folder / (id + ".log")));
        }
    }
    return {boost::system::in_place_value, std::move(files)};
}

result<found_logs> logs_of(const logs_command& wanted) {
    const auto master = master::admin_client::open(fs::absolute(wanted.where.run));
    if (master) {
        auto found = logs_of_master(*master, wanted);
        if (found || found.error().code() == errc::refused ||
            found.error().code() == errc::not_found) {
            return found;
        }
        // One looks at logs when a master hangs.
        complain(found.error().text() + "; the logs are where host.yaml says");
    }
    auto files = files_of_config(wanted);
    return files ? result<found_logs>(found_logs{std::move(*files), {}, {}}) : files.error();
}

/// Prints what comes until a signal.
class following {
public:
    following(std::deque<log_follower>& files, far_logs* far) : files_(files), far_(far) {}

    void run() {
        signals_.async_wait([this](const boost::system::error_code&, int) { loop_.stop(); });
        look();
        if (far_ != nullptr) {
            look_far_later();
        }
        loop_.run();
    }

private:
    void look() {
        for (auto& file : files_) {
            if (!print(file.read_more())) {
                return loop_.stop();
            }
        }
        again_ = clock_.after(look_again, [this] { look(); });
    }
    void look_far_later() {
        far_again_ = clock_.after(look_far_again, [this] {
            if (!print(far_->read_more())) {
                return loop_.stop();
            }
            look_far_later();
        });
    }

    std::deque<log_follower>& files_;
    far_logs* far_;
    boost::asio::io_context loop_{1};
    base::steady_clock clock_{loop_.get_executor()};
    boost::asio::signal_set signals_{loop_, SIGINT, SIGTERM};
    base::timer again_;
    base::timer far_again_;
};

} // namespace

int run_command(const logs_command& wanted) {
    auto found = logs_of(wanted);
    if (!found) {
        return complain(found.error().text());
    }
    auto& [files, far, texts] = *found;
    const bool is_one = files.size() == 1 && !far;
    if (is_one && !wanted.follows && !fs::exists(files.front())) {
        return complain(fmt::format("{}: there is no log yet", files.front().string()));
    }
    std::deque<log_follower> followers;
    for (const auto& file : files) {
        // First where the end is, so that each line is printed once.
        const auto end = followers.emplace_back(file).position();
        texts.push_back(master::log_tail(file, wanted.lines, most_bytes, end));
    }
    print(merged(texts, wanted.lines));
    if (wanted.follows) {
        following(followers, far ? &*far : nullptr).run();
    }
    return 0;
}

} // namespace shaddock::cli
