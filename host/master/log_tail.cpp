#include "master/log_tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace shaddock::master {
namespace {

namespace fs = std::filesystem;

/// Older files that a tail goes back to.
constexpr std::size_t most_turns = 16;

/// What stands before the byte `end`, from the beginning of a line on; ends with a line break.
std::string end_of(const fs::path& file, std::size_t limit_bytes, std::uintmax_t end) {
    std::error_code failed;
    const auto whole = fs::file_size(file, failed);
    std::ifstream in(file, std::ios::binary);
    if (failed || !in || limit_bytes == 0) {
        return {};
    }
    const auto size = static_cast<std::streamoff>(std::min(whole, end));
    const auto from = std::max<std::streamoff>(0, size - static_cast<std::streamoff>(limit_bytes));
    in.seekg(from);
    std::string text(static_cast<std::size_t>(size - from), '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (from > 0) {
        text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
    }
    if (!text.empty() && text.back() != '\n') {
        text += '\n';
    }
    return text;
}

std::size_t count_lines(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

} // namespace

fs::path rotated(const fs::path& file, std::size_t turn) {
    return file.parent_path() /
           fmt::format("{}.{}{}", file.stem().string(), turn, file.extension().string());
}

std::string log_tail(const fs::path& file, std::size_t lines, std::size_t limit_bytes,
                     std::uintmax_t end) {
    if (lines == 0) {
        return {};
    }
    auto text = end_of(file, limit_bytes, end);
    for (std::size_t turn = 1; turn <= most_turns && count_lines(text) < lines; ++turn) {
        const auto left = limit_bytes - std::min(limit_bytes, text.size());
        const auto older =
            end_of(rotated(file, turn), left, std::numeric_limits<std::uintmax_t>::max());
        if (older.empty()) {
            break;
        }
        text.insert(0, older);
    }
    std::size_t begin = 0;
    const auto found = count_lines(text);
    for (auto surplus = found - std::min(found, lines); surplus > 0; --surplus) {
        begin = text.find('\n', begin) + 1;
    }
    return text.substr(begin);
}

} // namespace shaddock::master
