#include "client_history.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> read_lines(const fs::path& file) {
    std::vector<std::string> lines;
    std::ifstream in(file, std::ios::binary);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

/// Whole or not at all; other users see nothing of it.
void write_lines(const fs::path& file, std::string_view text, int flags) {
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0) {
        return;
    }
    fchmod(fd, 0600);
    while (!text.empty()) {
        const auto written = write(fd, text.data(), text.size());
        if (written <= 0) {
            break;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    close(fd);
}

} // namespace

client_history::client_history(fs::path file) : file_(std::move(file)) {
    if (file_.empty()) {
        return;
    }
    std::error_code ignored;
    fs::create_directories(file_.parent_path().parent_path(), ignored);
    mkdir(file_.parent_path().c_str(), 0700);
    close();
    lines_ = read_lines(file_);
    last_ = lines_.empty() ? std::string() : lines_.back();
}

void client_history::add(std::string_view line) {
    if (!file_.empty() && line != last_) {
        last_ = line;
        write_lines(file_, fmt::format("{}\n", line), O_APPEND);
    }
}

void client_history::close() const {
    const auto lines = file_.empty() ? std::vector<std::string>() : read_lines(file_);
    if (lines.size() <= limit) {
        return;
    }
    std::string text;
    for (auto at = lines.end() - limit; at != lines.end(); ++at) {
        text += *at + "\n";
    }
    auto temporary = file_;
    temporary += fmt::format(".{}", getpid());
    write_lines(temporary, text, O_TRUNC);
    std::error_code ignored;
    fs::rename(temporary, file_, ignored);
}

fs::path client_history_file() {
    if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
        return fs::path(state) / "shaddock/history";
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
        return fs::path(home) / ".local/state/shaddock/history";
    }
    return {};
}

} // namespace shaddock::cli
