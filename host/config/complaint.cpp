#include "complaint.hpp"

#include "config/load.hpp"

#include <fmt/format.h>

#include <charconv>

namespace shaddock::config {

std::string to_string(const place& where) {
    std::string text = where.path.string();
    if (where.line != 0) {
        text += fmt::format(":{}", where.line);
    }
    if (!where.key.empty()) {
        text += ": " + where.key;
    }
    return text;
}

located_error complaint(const place& where, std::string_view found, std::string_view expected) {
    return {where, fmt::format("{}: found {}, expected {}", to_string(where), found, expected)};
}

located_error unknown_key(const place& where, std::string_view key, std::string_view expected,
                          const std::vector<std::string>& known) {
    std::string text = complaint(where, in_quotes(key), expected).text();
    if (const auto best = nearest(key, known, 1); !best.empty()) {
        text += "; nearest known key: " + in_quotes(best.front());
    }
    return {where, std::move(text)};
}

finding problem_in(const std::filesystem::path& path, const error& failed) {
    finding out{false, {path, 0, {}}, failed.text()};
    std::string_view rest = failed.text();
    const std::string begin = path.string() + ":";
    if (rest.starts_with(begin)) {
        rest.remove_prefix(begin.size());
        std::from_chars(rest.data(), rest.data() + rest.size(), out.where.line);
    }
    return out;
}

void findings::warn(const place& where, std::string_view text) {
    add({true, where, fmt::format("{}: {}", to_string(where), text)});
}

void findings::add(finding one) {
    constexpr std::size_t most = 1000;
    problems_ += one.is_warning ? 0 : 1;
    if (all_.size() < most) {
        all_.push_back(std::move(one));
    }
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::string out = "'";
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out + (text.size() > longest ? "...'" : "'");
}

std::string join(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

} // namespace shaddock::config
