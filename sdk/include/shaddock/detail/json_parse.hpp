#pragma once

#include <shaddock/detail/json_decode.hpp>

#include <rapidjson/error/en.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// From text to the tree that json_decode.hpp reads.
namespace shaddock::detail {

inline constexpr std::size_t depth_limit = 64;
inline constexpr std::size_t stack_text_bytes = 2048;
inline constexpr std::size_t stack_pool_bytes = 4096;

/// Builds the tree, but refuses to go deeper than the limit: a reader's handler in front of the
/// document's own.
class depth_guard {
public:
    explicit depth_guard(json_tree& tree) : tree_(tree) {}
    bool is_too_deep() const { return depth_ > depth_limit; }
    bool is_too_large() const { return is_too_large_; }

    bool Null() { return tree_.Null(); }
    bool Bool(bool value) { return tree_.Bool(value); }
    bool Int(int value) { return tree_.Int(value); }
    bool Uint(unsigned value) { return tree_.Uint(value); }
    bool Int64(std::int64_t value) { return tree_.Int64(value); }
    bool Uint64(std::uint64_t value) { return tree_.Uint64(value); }
    bool Double(double value) { return tree_.Double(value); }
    /// All numbers come here. RapidJSON itself reads one double in seven as its neighbour, and with
    /// full precision some long ones by undefined behaviour.
    bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
        const auto* end = text + size;
        const auto is_read = [&](auto& value) {
            const auto read = std::from_chars(text, end, value);
            return read.ec == std::errc() && read.ptr == end;
        };
        if (std::int64_t value = 0; is_read(value)) {
            return tree_.Int64(value);
        }
        if (std::uint64_t value = 0; is_read(value)) {
            return tree_.Uint64(value);
        }
        double value = 0;
        // Out of range: libraries differ in whether they say so or give infinity or 0.
        is_too_large_ = is_read(value) ? std::isinf(value) : is_large({text, size});
        return !is_too_large_ && tree_.Double(value);
    }
    bool String(const char* text, rapidjson::SizeType size, bool copy) {
        return tree_.String(text, size, copy);
    }
    bool Key(const char* text, rapidjson::SizeType size, bool copy) {
        return tree_.Key(text, size, copy);
    }
    bool StartObject() { return ++depth_ <= depth_limit && tree_.StartObject(); }
    bool StartArray() { return ++depth_ <= depth_limit && tree_.StartArray(); }
    bool EndObject(rapidjson::SizeType count) {
        --depth_;
        return tree_.EndObject(count);
    }
    bool EndArray(rapidjson::SizeType count) {
        --depth_;
        return tree_.EndArray(count);
    }

private:
    /// Of a number beyond the range of a double: whether it is large, not small.
    static bool is_large(std::string_view number) {
        const auto mantissa = number.substr(0, number.find_first_of("eE"));
        const auto first = mantissa.find_first_of("123456789");
        if (first == std::string_view::npos) {
            return false;
        }
        auto power = number.substr(std::min(mantissa.size() + 1, number.size()));
        power.remove_prefix(power.starts_with('+') ? 1 : 0);
        std::int64_t exponent = 0;
        if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec ==
            std::errc::result_out_of_range) {
            return false; // RapidJSON refuses long exponents unless they are negative
        }
        const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
        return point - static_cast<std::int64_t>(first) + exponent > 0;
    }

    json_tree& tree_;
    std::size_t depth_ = 0;
    bool is_too_large_ = false;
};

/// Copies `text` as proper UTF-8: CESU-8 pairs put together, a lone surrogate as U+FFFD. Nothing
/// when it is not UTF-8 at all. Never longer than `text`.
inline bool copy_as_utf8(char* to, std::size_t& size, std::string_view text) {
    std::string one;
    size = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto at = whole_character(text.substr(i));
        if (!at.code) {
            return false;
        }
        one.clear();
        append_utf8(one, *at.code);
        one.copy(to + size, one.size());
        size += one.size();
        i += at.size;
    }
    return true;
}

/// A parsed text: the tree and all its memory. For small texts everything lies in the object
/// itself, on the caller's stack.
class parsed {
public:
    explicit parsed(std::string_view text)
        : pool_(pool_bytes_, sizeof pool_bytes_), tree_(&pool_, 256, &pool_) {
        parse(text);
    }
    parsed(const parsed&) = delete;
    parsed& operator=(const parsed&) = delete;

    const json_value& root() const { return tree_; }
    /// Empty when the text was JSON.
    const std::string& problem() const { return problem_; }
    std::size_t problem_offset() const { return problem_offset_; }

private:
    void parse(std::string_view text) {
        if (text.empty()) {
            problem_ = "expected JSON, found nothing";
            return;
        }
        char* copy = copy_of(text);
        std::size_t size = text.size();
        if (!only_ascii(text) && !copy_as_utf8(copy, size, text)) {
            problem_ = "not UTF-8";
            return;
        }
        copy[size] = '\0';
        if (std::memchr(copy, 0, size) != nullptr) {
            problem_ = "not JSON: a zero byte";
            return;
        }
        read(copy);
    }

    /// With room for a zero byte at the end.
    char* copy_of(std::string_view text) {
        if (text.size() < sizeof small_) {
            std::copy_n(text.data(), text.size(), small_);
            return small_;
        }
        large_.assign(text);
        return large_.data();
    }

    static bool only_ascii(std::string_view text) {
        std::uint64_t seen = 0;
        std::size_t i = 0;
        for (; i + sizeof seen <= text.size(); i += sizeof seen) {
            std::uint64_t word = 0;
            std::memcpy(&word, text.data() + i, sizeof word);
            seen |= word;
        }
        for (; i < text.size(); ++i) {
            seen |= static_cast<unsigned char>(text[i]) & 0x80U;
        }
        return (seen & 0x8080808080808080U) == 0;
    }

    void read(char* text) {
        rapidjson::GenericInsituStringStream<rapidjson::UTF8<>> stream(text);
        rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, json_pool> reader(&pool_,
                                                                                         256);
        depth_guard guard(tree_);
        rapidjson::ParseResult outcome;
        // Populate's contract: a generator that feeds the document and says whether it went well.
        auto generate = [&](json_tree&) {
            constexpr unsigned how = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                                     rapidjson::kParseNumbersAsStringsFlag;
            outcome = reader.Parse<how>(stream, guard);
            return !outcome.IsError();
        };
        tree_.Populate(generate);
        if (outcome.IsError()) {
            problem_offset_ = outcome.Offset();
            const auto code =
                guard.is_too_large() ? rapidjson::kParseErrorNumberTooBig : outcome.Code();
            problem_ = guard.is_too_deep()
                           ? "deeper than " + std::to_string(depth_limit) + " levels"
                           : "not JSON at byte " + std::to_string(outcome.Offset()) + ": " +
                                 rapidjson::GetParseError_En(code);
        }
    }

    char small_[stack_text_bytes];
    std::string large_;
    alignas(std::max_align_t) char pool_bytes_[stack_pool_bytes];
    json_pool pool_;
    json_tree tree_;
    std::string problem_;
    std::size_t problem_offset_ = 0;
};

} // namespace shaddock::detail
