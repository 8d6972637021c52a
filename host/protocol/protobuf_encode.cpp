#include <protocol/protobuf.hpp>

#include "json_scanner.hpp"
#include "proto_message.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

namespace shaddock::protocol {

namespace {

/// A whole number; `size` is at most 2^53 + 1, which then stands for all above.
struct whole_number {
    bool is_negative = false;
    std::uint64_t size = 0;
};

constexpr std::uint64_t too_large = max_safe_integer + 1;

/// The digits at the front of `text`; nothing when there are none.
std::optional<std::uint64_t> leading_digits(std::string_view text, unsigned base) {
    std::optional<std::uint64_t> size;
    for (const char c : text) {
        unsigned digit = base;
        if (c >= '0' && c <= '9') {
            digit = static_cast<unsigned>(c - '0');
        } else if (const auto letter = static_cast<unsigned>(c | 0x20); letter >= 'a') {
            digit = letter - 'a' + 10;
        }
        if (digit >= base) {
            break;
        }
        size = std::min(size.value_or(0) * base + digit, too_large);
    }
    return size;
}

std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\v\f\r";
    const std::size_t first = text.find_first_not_of(blanks);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// As JavaScript's parseInt reads a text: blanks, sign, digits, then anything; `0x` for base 16.
std::optional<whole_number> parse_int(std::string_view text) {
    text = without_blanks(text);
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
    const auto size = is_hex ? leading_digits(text.substr(2), 16) : leading_digits(text, 10);
    return size ? std::optional(whole_number{is_negative, *size}) : std::nullopt;
}

/// The whole of `text`, a number of JSON; beyond the range of double an infinity, as in JavaScript.
double to_double(std::string_view text) {
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc::result_out_of_range
               ? std::strtod(std::string(text).c_str(), nullptr)
               : number;
}

/// As parseInt reads a number: by the text that JavaScript writes for it, so 1e21 (`1e+21`) is 1.
std::optional<whole_number> truncate(std::string_view number) {
    const std::string_view digits = number.substr(number.starts_with('-') ? 1 : 0);
    if (digits.size() <= 15 && digits.find_first_of(".eE") == std::string_view::npos) {
        return parse_int(number);
    }
    std::string text;
    shaddock::detail::append_number(text, to_double(number));
    return parse_int(text);
}

/// As JavaScript's Number reads a text: NaN for anything but one number or nothing.
double number_of(std::string_view text) {
    text = without_blanks(text);
    if (text.empty()) {
        return 0;
    }
    const std::string_view digits = text.substr(text.find_first_of("+-") == 0 ? 1 : 0);
    double number = std::numeric_limits<double>::quiet_NaN();
    if (digits == "Infinity") {
        number = std::numeric_limits<double>::infinity();
    } else if (text.starts_with("0x") || text.starts_with("0X")) {
        std::uint64_t whole = 0;
        const auto read = std::from_chars(text.data() + 2, text.data() + text.size(), whole, 16);
        return read.ec == std::errc{} && read.ptr == text.data() + text.size()
                   ? static_cast<double>(whole)
                   : number;
    } else if (!digits.empty() &&
               digits.find_first_not_of("0123456789.eE+-") == std::string_view::npos) {
        double read_number = 0;
        const auto read =
            std::from_chars(digits.data(), digits.data() + digits.size(), read_number);
        if (read.ptr == digits.data() + digits.size() && digits.front() != '-') {
            number = to_double(digits);
        }
    }
    return text.front() == '-' ? -number : number;
}

/// A byte kept free for a number that is known later: a length or a count.
class count_slot {
public:
    explicit count_slot(std::string& out) : out_(out), at_(out.size()) { out_ += '\0'; }

    /// Bytes written since.
    std::size_t bytes() const { return out_.size() - at_ - 1; }
    void fill(std::size_t count) {
        if (count < 0x80) {
            out_[at_] = static_cast<char>(count);
            return;
        }
        std::string number;
        append_varint(number, count);
        out_.replace(at_, 1, number);
    }

private:
    std::string& out_;
    std::size_t at_;
};

template <class Bits>
void append_little_endian(std::string& out, Bits bits) {
    for (std::size_t i = 0; i < sizeof(Bits); ++i) {
        out += static_cast<char>(static_cast<unsigned char>(bits >> (8 * i) & 0xff));
    }
}

/// Writes the object that the scanner comes to, message by message. False: see error_text().
class encoder {
public:
    encoder(std::string& out, std::string_view json) : out_(out), in_(json) {}

    bool body(const proto_message& proto) {
        const std::size_t begin = out_.size();
        if (!message(proto, 1)) {
            return false;
        }
        if (!in_.is_at_end()) {
            return fail_syntax();
        }
        return out_.size() > begin || fail("there is nothing to write");
    }

    std::string error_text() const {
        return path_.empty() ? fmt::format("protobuf: {}", problem_)
                             : fmt::format("protobuf: `{}`: {}", path_, problem_);
    }

private:
    bool fail(std::string problem) {
        problem_ = std::move(problem);
        return false;
    }
    bool fail_in(const proto_field& field) {
        path_ = path_.empty() ? field.name : field.name + '.' + path_;
        return false;
    }
    bool fail_syntax() {
        return fail(fmt::format("not JSON, or nested over {} levels, at byte {}", max_body_depth,
                                in_.offset()));
    }
    /// The value that comes next is none of what is expected.
    bool fail_value(std::string_view expected) {
        const char next = in_.peek();
        const std::string_view found = next == '{'   ? "an object"
                                       : next == '[' ? "an array"
                                       : next == '"' ? "a text"
                                       : next == 'n' ? "null"
                                       : next == 't' ? "true"
                                       : next == 'f' ? "false"
                                                     : "a number";
        return fail(fmt::format("found {}, expected {}", found, expected));
    }

    bool message(const proto_message& proto, int depth) {
        if (depth > max_body_depth) {
            return fail_syntax();
        }
        if (!in_.take('{')) {
            return fail_value("an object");
        }
        const std::size_t begin = out_.size();
        field_places places(proto);
        if (!in_.take('}')) {
            std::size_t expected = 0;
            do {
                if (!member(proto, places, expected, depth)) {
                    return false;
                }
            } while (in_.take(','));
            if (!in_.take('}')) {
                return fail_syntax();
            }
        }
        for (const proto_field* field : proto.required()) {
            if (!places.has(*field)) {
                fail("the required field is missing");
                return fail_in(*field);
            }
        }
        if (places.has_doubles()) {
            keep_last(proto, places, begin);
        }
        return true;
    }

    bool member(const proto_message& proto, field_places& places, std::size_t& expected,
                int depth) {
        json_text key;
        if (!in_.read_string(key) || !in_.take(':')) {
            return fail_syntax();
        }
        const proto_field* field = find(proto, key, expected);
        if (field == nullptr) {
            return in_.skip_value(depth) || fail_syntax();
        }
        expected = field->index + 1;
        places.add(*field, out_.size());
        return (field->is_repeated() ? array(*field, depth) : single(*field, depth)) ||
               fail_in(*field);
    }

    static const proto_field* find(const proto_message& proto, const json_text& key,
                                   std::size_t expected) {
        if (key.is_plain) {
            return proto.find_name(key.raw, expected);
        }
        std::string name;
        append_json_text(name, key);
        return proto.find_name(name, expected);
    }

    bool single(const proto_field& field, int depth) {
        out_ += field.head;
        return value(field, depth);
    }

    bool array(const proto_field& field, int depth) {
        if (in_.peek() == 'n' && in_.take_word("null")) {
            return true;
        }
        if (!in_.take('[')) {
            return fail_value("an array");
        }
        if (in_.take(']')) {
            return true;
        }
        return (has_head_each(field.form) ? elements(field, depth) : numbers(field, depth)) &&
               (in_.take(']') || fail_syntax());
    }

    bool elements(const proto_field& field, int depth) {
        do {
            if (!single(field, depth)) {
                return false;
            }
        } while (in_.take(','));
        return true;
    }

    bool numbers(const proto_field& field, int depth) {
        out_ += field.head;
        count_slot slot(out_);
        std::size_t count = 0;
        do {
            if (!value(field, depth)) {
                return false;
            }
            ++count;
        } while (in_.take(','));
        slot.fill(count);
        return true;
    }

    bool value(const proto_field& field, int depth) {
        switch (field.form) {
        case proto_form::text:
            return text();
        case proto_form::message: {
            count_slot slot(out_);
            if (!message(*field.message, depth + 1)) {
                return false;
            }
            slot.fill(slot.bytes());
            return true;
        }
        case proto_form::varint:
        case proto_form::zigzag:
            return integer(field.form);
        case proto_form::float32:
            return real([](double number) {
                return std::bit_cast<std::uint32_t>(static_cast<float>(number));
            });
        case proto_form::float64:
            return real([](double number) { return std::bit_cast<std::uint64_t>(number); });
        }
        return fail("found a form that nobody writes");
    }

    bool text() {
        if (in_.peek() != '"') {
            return fail_value("a text");
        }
        json_text read;
        if (!in_.read_string(read)) {
            return fail_syntax();
        }
        if (read.is_plain) {
            append_varint(out_, read.raw.size());
            out_ += read.raw;
            return true;
        }
        count_slot slot(out_);
        append_json_text(out_, read);
        slot.fill(slot.bytes());
        return true;
    }

    bool integer(proto_form form) {
        std::optional<whole_number> number;
        const char next = in_.peek();
        if (next == '"') {
            json_text read;
            std::string digits;
            if (!in_.read_string(read)) {
                return fail_syntax();
            }
            append_json_text(digits, read);
            number = parse_int(digits);
        } else if (is_number(next)) {
            std::string_view read;
            if (!in_.read_number(read)) {
                return fail_syntax();
            }
            number = truncate(read);
        } else {
            return fail_value("a number");
        }
        if (!number || number->size == too_large) {
            return fail("found no whole number up to 2^53");
        }
        const bool is_negative = number->is_negative && number->size != 0;
        if (form == proto_form::zigzag) {
            // Clients hold the zig-zag number itself in a double, so it must fit, too.
            const std::uint64_t folded = number->size * 2 - (is_negative ? 1 : 0);
            if (folded > max_safe_integer) {
                return fail("found no whole number from -2^52 to 2^52");
            }
            append_varint(out_, folded);
            return true;
        }
        if (is_negative) {
            return fail(fmt::format("found -{}, expected no negative number", number->size));
        }
        append_varint(out_, number->size);
        return true;
    }

    /// `bits_of`: what is written for the number, 4 or 8 bytes.
    template <class BitsOf>
    bool real(BitsOf bits_of) {
        double number = 0;
        const char next = in_.peek();
        if (next == '"') {
            json_text read;
            std::string all;
            if (!in_.read_string(read)) {
                return fail_syntax();
            }
            append_json_text(all, read);
            number = number_of(all);
        } else if (is_number(next)) {
            std::string_view read;
            if (!in_.read_number(read)) {
                return fail_syntax();
            }
            number = to_double(read);
        } else if (in_.take_word("true")) {
            number = 1;
        } else if (!in_.take_word("false")) {
            return fail_value("a number");
        }
        append_little_endian(out_, bits_of(number));
        return true;
    }

    static bool is_number(char first) { return first == '-' || (first >= '0' && first <= '9'); }

    /// Writes the fields behind `begin` once more: each at the place of its first, with the value
    /// of its last.
    void keep_last(const proto_message& proto, const field_places& places, std::size_t begin) {
        const std::string written = out_.substr(begin);
        out_.resize(begin);
        std::vector<std::size_t> last(proto.fields().size());
        for (std::size_t i = 0; i < places.size(); ++i) {
            last[places[i].field->index] = i + 1;
        }
        for (std::size_t i = 0; i < places.size(); ++i) {
            std::size_t& at = last[places[i].field->index];
            if (at == 0) {
                continue;
            }
            const std::size_t from = places[at - 1].begin - begin;
            const std::size_t to = at < places.size() ? places[at].begin - begin : written.size();
            out_.append(written, from, to - from);
            at = 0;
        }
    }

    std::string& out_;
    json_scanner in_;
    std::string path_;
    std::string problem_;
};

} // namespace

result<void> json_to_protobuf(std::string& out, const proto_message& proto, std::string_view json) {
    const std::size_t begin = out.size();
    out.reserve(begin + json.size());
    encoder encode(out, json);
    if (!encode.body(proto)) {
        out.resize(begin);
        return error(errc::bad_request, encode.error_text());
    }
    return {};
}

} // namespace shaddock::protocol
