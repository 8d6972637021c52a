#pragma once

#include <shaddock/detail/json_parse.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::detail {

/// Reads a text beside its reader to find where the value named by a path begins; falls back to the
/// nearest value around it.
class line_finder {
public:
    using stream_type = rapidjson::GenericStringStream<rapidjson::UTF8<>>;
    line_finder(const stream_type& stream, std::string_view wanted)
        : stream_(stream), wanted_(wanted) {}

    std::size_t offset() const { return best_offset_; }

    bool Null() { return value(); }
    bool Bool(bool) { return value(); }
    bool Int(int) { return value(); }
    bool Uint(unsigned) { return value(); }
    bool Int64(std::int64_t) { return value(); }
    bool Uint64(std::uint64_t) { return value(); }
    bool Double(double) { return value(); }
    bool RawNumber(const char*, rapidjson::SizeType, bool) { return value(); }
    bool String(const char*, rapidjson::SizeType, bool) { return value(); }
    bool StartObject() { return open(false); }
    bool StartArray() { return open(true); }
    bool Key(const char* text, rapidjson::SizeType size, bool) {
        levels_.back().key.assign(text, size);
        look();
        return true;
    }
    bool EndObject(rapidjson::SizeType) { return close(); }
    bool EndArray(rapidjson::SizeType) { return close(); }

private:
    struct level {
        bool is_array = false;
        std::size_t index = 0;
        std::string key;
    };

    bool open(bool is_array) {
        if (!levels_.empty() && levels_.back().is_array) {
            look();
        }
        levels_.push_back({is_array, 0, {}});
        return levels_.size() <= depth_limit;
    }
    bool close() {
        levels_.pop_back();
        return next();
    }
    bool value() {
        if (!levels_.empty() && levels_.back().is_array) {
            look();
        }
        return next();
    }
    bool next() {
        if (!levels_.empty() && levels_.back().is_array) {
            ++levels_.back().index;
        }
        return true;
    }
    /// Keeps the place when the path up to here is a longer beginning of the wanted one than any
    /// before.
    void look() {
        std::string here;
        for (const auto& at : levels_) {
            if (at.is_array) {
                here += '[' + std::to_string(at.index) + ']';
            } else {
                here += (here.empty() ? "" : ".") + at.key;
            }
        }
        const bool is_on_the_way = wanted_.starts_with(here) &&
                                   (wanted_.size() == here.size() || wanted_[here.size()] == '.' ||
                                    wanted_[here.size()] == '[');
        if (is_on_the_way && here.size() > best_size_) {
            best_size_ = here.size();
            best_offset_ = stream_.Tell();
        }
    }

    const stream_type& stream_;
    std::string_view wanted_;
    std::vector<level> levels_;
    std::size_t best_size_ = 0;
    std::size_t best_offset_ = 0;
};

inline std::size_t line_of_offset(std::string_view text, std::size_t offset) {
    return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

/// The line, from 1, of the value that `wanted` names (`servers[0].port`), or of the nearest value
/// around it.
inline std::size_t line_of_path(const std::string& text, std::string_view wanted) {
    line_finder::stream_type stream(text.c_str());
    line_finder finder(stream, wanted);
    rapidjson::Reader reader;
    reader.Parse<rapidjson::kParseIterativeFlag>(stream, finder);
    return line_of_offset(text, finder.offset());
}

} // namespace shaddock::detail
