#pragma once

#include "proto_message.hpp"

#include <cstring>

namespace shaddock::protocol {

/// The text of a JSON string without its quotes, escapes untouched but known to be whole.
struct json_text {
    std::string_view raw;
    /// ASCII without escapes: `raw` is the text.
    bool is_plain = true;
};

/// Walks JSON text (RFC 8259) token by token, without a tree. Bytes that are not UTF-8 pass.
/// Every function that answers false leaves the scanner anywhere: the text is not JSON.
class json_scanner {
public:
    explicit json_scanner(std::string_view text)
        : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

    std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

    /// The next character that is no blank; 0 at the end.
    char peek() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
            ++at_;
        }
        return at_ == end_ ? '\0' : *at_;
    }
    /// Whether all has been read.
    bool is_at_end() {
        peek();
        return at_ == end_;
    }
    /// Takes the character if it comes next.
    bool take(char wanted) {
        if (peek() != wanted || at_ == end_) {
            return false;
        }
        ++at_;
        return true;
    }
    bool take_word(std::string_view word) {
        peek();
        if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
            return false;
        }
        at_ += word.size();
        return true;
    }

    bool read_string(json_text& text) {
        if (!take('"')) {
            return false;
        }
        const char* from = at_;
        text.is_plain = true;
        for (;;) {
            skip_plain();
            if (at_ == end_) {
                return false;
            }
            const auto byte = static_cast<unsigned char>(*at_);
            if (byte == '"') {
                text.raw = {from, static_cast<std::size_t>(at_ - from)};
                ++at_;
                return true;
            }
            if (byte < 0x20 || (byte == '\\' && !skip_escape())) {
                return false;
            }
            text.is_plain = false;
            while (at_ != end_ && static_cast<unsigned char>(*at_) >= 0x80) {
                ++at_;
            }
        }
    }

    bool read_number(std::string_view& text) {
        peek();
        const char* from = at_;
        take_one('-');
        if (!take_one('0') && skip_digits() == 0) {
            return false;
        }
        if (take_one('.') && skip_digits() == 0) {
            return false;
        }
        if (take_one('e') || take_one('E')) {
            if (!take_one('+')) {
                take_one('-');
            }
            if (skip_digits() == 0) {
                return false;
            }
        }
        text = {from, static_cast<std::size_t>(at_ - from)};
        return true;
    }

    /// `depth`: of the array or object in which the value stands.
    bool skip_value(int depth) {
        // One bit a level: whether it is an object.
        std::array<bool, max_body_depth + 1> is_object{};
        const int outer = depth;
        for (;;) {
            const char next = peek();
            if (next == '{' || next == '[') {
                if (++depth > max_body_depth) {
                    return false;
                }
                take(next);
                is_object[static_cast<std::size_t>(depth)] = next == '{';
                if (!take(next == '{' ? '}' : ']')) {
                    if (next == '{' && !skip_key()) {
                        return false;
                    }
                    continue;
                }
                --depth;
            } else if (!skip_scalar(next)) {
                return false;
            }
            // What closes after this value.
            while (depth > outer) {
                const bool in_object = is_object[static_cast<std::size_t>(depth)];
                if (take(',')) {
                    if (in_object && !skip_key()) {
                        return false;
                    }
                    break;
                }
                if (!take(in_object ? '}' : ']')) {
                    return false;
                }
                --depth;
            }
            if (depth == outer) {
                return true;
            }
        }
    }

private:
    bool skip_key() {
        json_text key;
        return read_string(key) && take(':');
    }

    bool skip_scalar(char next) {
        json_text text;
        std::string_view number;
        switch (next) {
        case '"':
            return read_string(text);
        case 't':
            return take_word("true");
        case 'f':
            return take_word("false");
        case 'n':
            return take_word("null");
        default:
            return read_number(number);
        }
    }

    bool take_one(char wanted) {
        if (at_ == end_ || *at_ != wanted) {
            return false;
        }
        ++at_;
        return true;
    }

    std::size_t skip_digits() {
        const char* from = at_;
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9') {
            ++at_;
        }
        return static_cast<std::size_t>(at_ - from);
    }

    /// Over ASCII that stands for itself, 8 bytes at a time.
    void skip_plain() {
        constexpr std::uint64_t ones = 0x0101010101010101;
        constexpr std::uint64_t highs = 0x8080808080808080;
        while (end_ - at_ >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, at_, 8);
            const auto has_zero = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes; };
            const std::uint64_t stops = (word | has_zero(word ^ (ones * '"')) |
                                         has_zero(word ^ (ones * '\\')) | (word - ones * 0x20)) &
                                        highs;
            if (stops != 0) {
                break;
            }
            at_ += 8;
        }
        while (at_ != end_) {
            const auto byte = static_cast<unsigned char>(*at_);
            if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') {
                return;
            }
            ++at_;
        }
    }

    bool skip_escape() {
        ++at_;
        if (at_ == end_) {
            return false;
        }
        const char kind = *at_++;
        if (kind != 'u') {
            return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
        }
        for (int i = 0; i < 4; ++i) {
            if (at_ == end_ ||
                std::string_view("0123456789abcdefABCDEF").find(*at_) == std::string_view::npos) {
                return false;
            }
            ++at_;
        }
        return true;
    }

    const char* begin_;
    const char* at_;
    const char* end_;
};

/// One UTF-16 unit or character at the front of a string's raw text, escaped or not.
inline shaddock::detail::character next_json_character(std::string_view raw) {
    if (raw.front() != '\\') {
        const auto at = shaddock::detail::next_character(raw);
        return {at.code.value_or(shaddock::detail::replacement), at.size};
    }
    switch (raw[1]) {
    case 'b':
        return {U'\b', 2};
    case 'f':
        return {U'\f', 2};
    case 'n':
        return {U'\n', 2};
    case 'r':
        return {U'\r', 2};
    case 't':
        return {U'\t', 2};
    case 'u': {
        unsigned unit = 0;
        std::from_chars(raw.data() + 2, raw.data() + 6, unit, 16);
        return {unit, 6};
    }
    default:
        return {static_cast<unsigned char>(raw[1]), 2};
    }
}

/// How many bytes at the front of a string's raw text stand for themselves.
inline std::size_t plain_run(std::string_view raw) {
    std::size_t size = 0;
    while (size < raw.size() && raw[size] != '\\') {
        if (static_cast<unsigned char>(raw[size]) < 0x80) {
            ++size;
            continue;
        }
        const auto at = shaddock::detail::next_character(raw.substr(size));
        if (!at.code || (*at.code >= 0xd800 && *at.code < 0xe000)) {
            break;
        }
        size += at.size;
    }
    return size;
}

/// Appends the text as UTF-8: surrogate pairs put together however they were written (escapes or
/// CESU-8), lone ones and stray bytes as U+FFFD.
inline void append_json_text(std::string& out, const json_text& text) {
    using namespace shaddock::detail;
    if (text.is_plain) {
        out += text.raw;
        return;
    }
    char32_t high = 0;
    for (std::string_view raw = text.raw; !raw.empty();) {
        if (const std::size_t run = high == 0 ? plain_run(raw) : 0; run != 0) {
            out += raw.substr(0, run);
            raw.remove_prefix(run);
            continue;
        }
        const auto at = next_json_character(raw);
        raw.remove_prefix(at.size);
        char32_t code = *at.code;
        if (high != 0 && is_low_surrogate(code)) {
            code = 0x10000 + ((high - 0xd800) << 10U) + (code - 0xdc00);
            high = 0;
        } else if (high != 0) {
            append_utf8(out, replacement);
            high = 0;
        }
        if (is_high_surrogate(code)) {
            high = code;
        } else {
            append_utf8(out, is_low_surrogate(code) ? replacement : code);
        }
    }
    if (high != 0) {
        append_utf8(out, replacement);
    }
}

} // namespace shaddock::protocol
