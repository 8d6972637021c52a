#include "complaint.hpp"
#include "config/load.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::config {
namespace {

// In quarters, so that a wrong case is a smaller slip than a wrong letter.
constexpr std::size_t one_letter = 4;
constexpr std::size_t wrong_case = 1;
constexpr std::size_t longest_compared = 128;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t replace_cost(char a, char b) {
    if (a == b) {
        return 0;
    }
    return lower(a) == lower(b) ? wrong_case : one_letter;
}

/// Letters to add, drop, change or swap with their neighbour to get from one text to the other.
std::size_t distance(std::string_view from, std::string_view to) {
    from = from.substr(0, longest_compared);
    to = to.substr(0, longest_compared);
    std::vector<std::size_t> before_last(to.size() + 1);
    std::vector<std::size_t> last(to.size() + 1);
    std::vector<std::size_t> row(to.size() + 1);
    for (std::size_t j = 0; j <= to.size(); ++j) {
        last[j] = j * one_letter;
    }
    for (std::size_t i = 1; i <= from.size(); ++i) {
        row[0] = i * one_letter;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            row[j] = std::min({last[j] + one_letter, row[j - 1] + one_letter,
                               last[j - 1] + replace_cost(from[i - 1], to[j - 1])});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + one_letter);
            }
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[to.size()];
}

} // namespace

std::vector<std::string> nearest(std::string_view text, const std::vector<std::string>& candidates,
                                 std::size_t count) {
    std::vector<std::pair<std::size_t, std::string>> ranked;
    ranked.reserve(candidates.size());
    for (const std::string& candidate : candidates) {
        ranked.emplace_back(distance(text, candidate), candidate);
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<std::string> best;
    for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i) {
        best.push_back(std::move(ranked[i].second));
    }
    return best;
}

std::optional<std::string> slip_of(std::string_view key, const std::vector<std::string>& known) {
    constexpr std::size_t shortest = 4;
    constexpr std::size_t short_word = 6;
    const std::size_t most = (key.size() < short_word ? 1 : 2) * one_letter;
    const auto best = nearest(key, known, 1);
    if (best.empty() || key.size() < shortest || best.front() == key ||
        distance(key, best.front()) > most) {
        return std::nullopt;
    }
    return best.front();
}

result<std::filesystem::path>
find_folder(const std::optional<std::filesystem::path>& explicit_folder,
            const std::filesystem::path& exe_path) {
    std::error_code ignored;
    const auto beside = std::filesystem::weakly_canonical(exe_path.parent_path() / "..", ignored);
    const std::vector<std::filesystem::path> places =
        explicit_folder ? std::vector{*explicit_folder}
                        : std::vector<std::filesystem::path>{"config", beside / "config",
                                                             beside / "share/shaddock/config"};
    std::vector<std::string> looked_at;
    for (const auto& place : places) {
        if (std::filesystem::is_directory(place, ignored)) {
            return {boost::system::in_place_value, place};
        }
        looked_at.push_back(in_quotes(place.string()));
    }
    return error(errc::config,
                 "config folder: found no folder at " + join(looked_at) +
                     ", expected one with servers.json and master.json; name it with --config");
}

} // namespace shaddock::config
