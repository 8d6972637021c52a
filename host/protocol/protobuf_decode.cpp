#include <protocol/protobuf.hpp>

#include "proto_message.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace shaddock::protocol {

namespace {

/// 8 bytes carry 56 bits: more than any value that is taken.
constexpr std::size_t max_varint_bytes = 8;

template <class Float, class Bits>
double read_little_endian(const char* bytes) {
    Bits bits = 0;
    for (std::size_t i = sizeof(Bits); i > 0;) {
        bits = static_cast<Bits>(bits << 8U | static_cast<unsigned char>(bytes[--i]));
    }
    return std::bit_cast<Float>(bits);
}

/// Writes what `bytes` hold, message by message. False: see error_text().
class decoder {
public:
    explicit decoder(std::string& out) : out_(out) {}

    bool message(const proto_message& proto, std::string_view bytes, int depth) {
        if (depth > max_body_depth) {
            return fail("nested over 64 levels");
        }
        out_ += '{';
        const std::size_t begin = out_.size();
        field_places places(proto);
        while (!bytes.empty()) {
            std::uint64_t head = 0;
            if (!varint(bytes, head)) {
                return false;
            }
            const proto_field* field = proto.find_tag(head >> 3U);
            if (field == nullptr) {
                return fail(fmt::format("the tag {} is unknown", head >> 3U));
            }
            const bool is_first = places.size() == 0;
            places.add(*field, out_.size() + (is_first ? 0 : 1));
            out_.append(field->key, is_first ? 1 : 0);
            if (!(field->is_repeated() ? array(*field, head, bytes, depth)
                                       : value(*field, bytes, depth))) {
                return fail_in(*field);
            }
        }
        if (places.has_doubles()) {
            gather(proto, places, begin);
        }
        out_ += '}';
        return true;
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

    bool varint(std::string_view& bytes, std::uint64_t& value) {
        for (std::size_t i = 0; i < bytes.size() && i < max_varint_bytes; ++i) {
            const auto byte = static_cast<unsigned char>(bytes[i]);
            value |= std::uint64_t{byte & 0x7fU} << (7 * i);
            if (byte < 0x80) {
                bytes.remove_prefix(i + 1);
                return true;
            }
        }
        return fail(bytes.size() < max_varint_bytes ? "a number is cut off"
                                                    : "a number is over 8 bytes");
    }

    /// The bytes that a length in front of them counts.
    bool counted(std::string_view& bytes, std::string_view& taken) {
        std::uint64_t length = 0;
        if (!varint(bytes, length)) {
            return false;
        }
        if (length > bytes.size()) {
            return fail(
                fmt::format("the length is {}, but {} bytes are left", length, bytes.size()));
        }
        taken = bytes.substr(0, length);
        bytes.remove_prefix(length);
        return true;
    }

    bool value(const proto_field& field, std::string_view& bytes, int depth) {
        std::string_view taken;
        switch (field.form) {
        case proto_form::text:
            if (!counted(bytes, taken)) {
                return false;
            }
            shaddock::detail::append_string(out_, taken);
            return true;
        case proto_form::message:
            return counted(bytes, taken) && message(*field.message, taken, depth + 1);
        case proto_form::varint:
        case proto_form::zigzag:
        case proto_form::float32:
        case proto_form::float64:
            break;
        }
        return number(field.form, bytes);
    }

    bool number(proto_form form, std::string_view& bytes) {
        switch (form) {
        case proto_form::varint:
        case proto_form::zigzag:
            return integer(form, bytes);
        case proto_form::float32:
            return real<float, std::uint32_t>(bytes);
        case proto_form::float64:
            return real<double, std::uint64_t>(bytes);
        case proto_form::text:
        case proto_form::message:
            break;
        }
        return fail("a value is no number");
    }

    template <class Float, class Bits>
    bool real(std::string_view& bytes) {
        if (bytes.size() < sizeof(Bits)) {
            return fail("a number is cut off");
        }
        shaddock::detail::append_number(out_, read_little_endian<Float, Bits>(bytes.data()));
        bytes.remove_prefix(sizeof(Bits));
        return true;
    }

    bool integer(proto_form form, std::string_view& bytes) {
        std::uint64_t bits = 0;
        if (!varint(bytes, bits)) {
            return false;
        }
        // Also of a zig-zag number: clients cannot tell which sign a larger one has.
        if (bits > max_safe_integer) {
            return fail("a number is over 2^53");
        }
        const bool is_negative = form == proto_form::zigzag && (bits & 1U) != 0;
        const std::uint64_t size = form == proto_form::zigzag ? bits / 2 + (bits & 1U) : bits;
        if (is_negative) {
            out_ += '-';
        }
        shaddock::detail::append_integer(out_, size);
        return true;
    }

    /// All elements that stand together.
    bool array(const proto_field& field, std::uint64_t head, std::string_view& bytes, int depth) {
        out_ += '[';
        if (!has_head_each(field.form)) {
            if (!numbers(field, bytes)) {
                return false;
            }
        } else {
            do {
                if (!value(field, bytes, depth)) {
                    return false;
                }
                out_ += ',';
            } while (take_head(head, bytes));
            out_.pop_back();
        }
        out_ += ']';
        return true;
    }

    bool numbers(const proto_field& field, std::string_view& bytes) {
        std::uint64_t count = 0;
        if (!varint(bytes, count)) {
            return false;
        }
        if (count > bytes.size()) {
            return fail(fmt::format("the count is {}, but {} bytes are left", count, bytes.size()));
        }
        for (; count > 0; --count) {
            if (!number(field.form, bytes)) {
                return false;
            }
            if (count > 1) {
                out_ += ',';
            }
        }
        return true;
    }

    /// Takes the head of one more element of the same field, if that comes next.
    static bool take_head(std::uint64_t head, std::string_view& bytes) {
        if (head < 0x80) {
            if (bytes.empty() || static_cast<unsigned char>(bytes.front()) != head) {
                return false;
            }
            bytes.remove_prefix(1);
            return true;
        }
        std::string wanted;
        append_varint(wanted, head);
        if (!bytes.starts_with(wanted)) {
            return false;
        }
        bytes.remove_prefix(wanted.size());
        return true;
    }

    /// Writes the members behind `begin` once more, each field once: of a scalar its last, of a
    /// repeated one all elements, at the place of the first.
    void gather(const proto_message& proto, const field_places& places, std::size_t begin) {
        const std::string members = out_.substr(begin);
        out_.resize(begin);
        const auto text_at = [&](std::size_t i) {
            const std::size_t from = places[i].begin - begin;
            // The comma before the next one is not part of it.
            const std::size_t to =
                i + 1 < places.size() ? places[i + 1].begin - 1 - begin : members.size();
            return std::string_view(members).substr(from, to - from);
        };
        constexpr std::size_t none = ~std::size_t{0};
        std::vector<std::size_t> last(proto.fields().size(), none);
        std::vector<std::size_t> next(places.size(), none);
        std::vector<bool> is_first(places.size());
        for (std::size_t i = 0; i < places.size(); ++i) {
            std::size_t& before = last[places[i].field->index];
            is_first[i] = before == none;
            if (before != none) {
                next[before] = i;
            }
            before = i;
        }
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (!is_first[i]) {
                continue;
            }
            const proto_field& field = *places[i].field;
            if (out_.size() > begin) {
                out_ += ',';
            }
            if (!field.is_repeated()) {
                out_ += text_at(last[field.index]);
                continue;
            }
            const std::size_t key_size = field.key.size() - 1;
            out_.append(field.key, 1).append(1, '[');
            for (std::size_t at = i; at != none; at = next[at]) {
                // Without the key and the brackets.
                const auto elements = text_at(at).substr(key_size + 1);
                if (elements.size() > 1) {
                    if (out_.back() != '[') {
                        out_ += ',';
                    }
                    out_ += elements.substr(0, elements.size() - 1);
                }
            }
            out_ += ']';
        }
    }

    std::string& out_;
    std::string path_;
    std::string problem_;
};

} // namespace

result<void> protobuf_to_json(std::string& out, const proto_message& proto,
                              std::string_view bytes) {
    const std::size_t begin = out.size();
    out.reserve(begin + 2 * bytes.size());
    decoder decode(out);
    if (!decode.message(proto, bytes, 1)) {
        out.resize(begin);
        return error(errc::bad_request, decode.error_text());
    }
    return {};
}

} // namespace shaddock::protocol
