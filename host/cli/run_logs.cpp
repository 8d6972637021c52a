#include "base/clock.hpp"
#include "cli/run.hpp"
#include "log_follower.hpp"
#include "master/admin.hpp"
#include "master/log_tail.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <deque>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = std::size_t{16} * 1024 * 1024;
/// Often enough to look live, and nothing is lost in between.
constexpr std::chrono::milliseconds look_again{100};

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

/// As a part of an address.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

result<fs::path> file_from(const master::admin_client& master, const std::string& id) {
    const auto answer = master.call("GET", fmt::format("/api/logs?id={}&lines=0", escaped(id)));
    if (!answer) {
        return answer.error();
    }
    rapidjson::Document said;
    said.Parse(answer->data(), answer->size());
    if (said.HasParseError() || !said.IsObject() || !said.HasMember("file") ||
        !said["file"].IsString()) {
        return error(errc::bad_request, "the master does not say where the log is");
    }
    return fs::path(said["file"].GetString());
}

result<std::vector<fs::path>> files_of_master(const master::admin_client& master,
                                              std::vector<std::string> ids) {
    if (ids.empty()) {
        const auto all = master.list(true);
        if (!all) {
            return all.error();
        }
        for (const auto& line : *all) {
            ids.push_back(line.id);
        }
    }
    std::vector<fs::path> files;
    for (const auto& id : ids) {
        auto file = file_from(master, id);
        if (!file) {
            return file.error();
        }
        files.push_back(std::move(*file));
    }
    return {boost::system::in_place_value, std::move(files)};
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
    std::vector<std::string> known{"master", "web"};
    for (const auto& server : found->system.servers) {
        known.push_back(server.id);
    }
    std::vector<fs::path> files;
    for (const auto& id : wanted.ids.empty() ? known : wanted.ids) {
        const auto name = id == found->system.master.id ? std::string("master") : id;
        auto file = fs::absolute(folder / (name + ".log"));
        if (std::ranges::find(known, name) == known.end() && !fs::exists(file)) {
            return error(errc::not_found, fmt::format("no server '{}'; nearest: {}", id,
                                                      fmt::join(config::nearest(id, known), ", ")));
        }
        files.push_back(std::move(file));
    }
    return {boost::system::in_place_value, std::move(files)};
}

result<std::vector<fs::path>> files_of(const logs_command& wanted) {
    const auto master = master::admin_client::open(fs::absolute(wanted.where.run));
    if (!master) {
        return files_of_config(wanted);
    }
    auto found = files_of_master(*master, wanted.ids);
    if (found || found.error().code() == errc::refused || found.error().code() == errc::not_found) {
        return found;
    }
    // One looks at logs when a master hangs.
    complain(found.error().text() + "; the logs are where host.yaml says");
    return files_of_config(wanted);
}

/// Prints what comes until a signal.
class following {
public:
    explicit following(std::deque<log_follower>& files) : files_(files) {}

    void run() {
        signals_.async_wait([this](const boost::system::error_code&, int) { loop_.stop(); });
        look();
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

    std::deque<log_follower>& files_;
    boost::asio::io_context loop_{1};
    base::steady_clock clock_{loop_.get_executor()};
    boost::asio::signal_set signals_{loop_, SIGINT, SIGTERM};
    base::timer again_;
};

} // namespace

int run_command(const logs_command& wanted) {
    const auto files = files_of(wanted);
    if (!files) {
        return complain(files.error().text());
    }
    const bool is_one = files->size() == 1;
    if (is_one && !wanted.follows && !fs::exists(files->front())) {
        return complain(fmt::format("{}: there is no log yet", files->front().string()));
    }
    std::deque<log_follower> followers;
    std::vector<std::string> texts;
    for (const auto& file : *files) {
        // First where the end is, so that each line is printed once.
        const auto end = followers.emplace_back(file).position();
        texts.push_back(master::log_tail(file, wanted.lines, most_bytes, end));
    }
    print(merged(texts, wanted.lines));
    if (wanted.follows) {
        following(followers).run();
    }
    return 0;
}

} // namespace shaddock::cli
