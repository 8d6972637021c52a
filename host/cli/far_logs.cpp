#include "far_logs.hpp"

#include "control/codec.hpp"
#include "control/requests.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace shaddock::cli {
namespace {

constexpr std::size_t most_new_lines = 1000;

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

std::string key_of(const control::log_tail& one) {
    return fmt::format("{}@{}", one.id, *one.machine);
}

} // namespace

result<control::log_tails> tails_of(const master::admin_client& master,
                                    const std::vector<std::string>& targets, std::size_t lines) {
    std::vector<std::string> words;
    std::ranges::transform(targets, std::back_inserter(words), escaped);
    const auto answer = master.call(
        "GET", fmt::format("/api/logs?targets={}&lines={}", fmt::join(words, ","), lines));
    if (!answer) {
        return answer.error();
    }
    return control::from_json<control::log_tails>(*answer, "logs");
}

std::size_t first_new_line(const std::vector<std::string>& before,
                           const std::vector<std::string>& now) {
    for (std::size_t skipped = 0; skipped < before.size(); ++skipped) {
        const auto common = before.size() - skipped;
        if (common <= now.size() &&
            std::equal(before.begin() + static_cast<std::ptrdiff_t>(skipped), before.end(),
                       now.begin())) {
            return common;
        }
    }
    return 0;
}

result<std::vector<std::string>> far_logs::last(std::size_t lines) {
    const auto tails = tails_of(master_, targets_, std::max(lines, most_new_lines));
    if (!tails) {
        return tails.error();
    }
    std::vector<std::string> texts;
    for (const auto& one : tails->results) {
        if (one.machine && !one.reason) {
            const auto skipped = one.lines.size() - std::min(one.lines.size(), lines);
            texts.push_back(fmt::format(
                "{}\n", fmt::join(one.lines.begin() + static_cast<std::ptrdiff_t>(skipped),
                                  one.lines.end(), "\n")));
            read_[key_of(one)] = one.lines;
        }
    }
    return {boost::system::in_place_value, std::move(texts)};
}

std::string far_logs::read_more() {
    const auto tails = tails_of(master_, targets_, most_new_lines);
    if (!tails) {
        return {};
    }
    std::string text;
    for (const auto& one : tails->results) {
        if (!one.machine || one.reason) {
            continue;
        }
        auto& before = read_[key_of(one)];
        const auto from = first_new_line(before, one.lines);
        if (from == 0 && !before.empty() && one.lines.size() >= most_new_lines) {
            text += fmt::format("... lines of {} are missing here\n", key_of(one));
        }
        for (auto i = from; i < one.lines.size(); ++i) {
            text += one.lines[i] + "\n";
        }
        before = one.lines;
    }
    return text;
}

} // namespace shaddock::cli
