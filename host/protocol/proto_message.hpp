#pragma once

#include <shaddock/detail/json_text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shaddock::protocol {

class proto_message;

/// How deep messages may nest, the body itself counted; and arrays and objects in JSON.
inline constexpr int max_body_depth = 64;

/// The largest integer that JavaScript, and so the original, holds exactly.
inline constexpr std::uint64_t max_safe_integer = std::uint64_t{1} << 53;

enum class proto_option : std::uint8_t { required, optional, repeated };

/// What the bytes of a value look like; int32 and sInt32 are both zig-zag.
/// No `switch` over it has a default, so that the compiler finds what a new form needs.
enum class proto_form : std::uint8_t { varint, zigzag, float32, float64, text, message };

/// How a repeated field of this form is written: true = each value behind a head of its own, false
/// = one head, the count, all values.
inline bool has_head_each(proto_form form) {
    switch (form) {
    case proto_form::varint:
    case proto_form::zigzag:
    case proto_form::float32:
    case proto_form::float64:
        return false;
    case proto_form::text:
    case proto_form::message:
        break;
    }
    return true;
}

/// Appends 7 bits a byte, the lowest first.
inline void append_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        out += static_cast<char>(static_cast<unsigned char>((value & 0x7f) | 0x80));
    }
    out += static_cast<char>(static_cast<unsigned char>(value));
}

/// One field, with all that is written for it prepared.
struct proto_field {
    std::string name;
    std::uint32_t tag = 0;
    proto_option option = proto_option::optional;
    proto_form form = proto_form::text;
    /// Of the form `message` only.
    const proto_message* message = nullptr;
    /// Which field of its message; set by proto_message.
    std::uint32_t index = 0;
    /// The bytes of the tag; set by proto_message.
    std::string head;
    /// `,"name":`; set by proto_message.
    std::string key;

    bool is_repeated() const { return option == proto_option::repeated; }
};

/// The fields of one message. Built once, then unchanging; stays where it is, as fields point at
/// messages and messages at their fields.
class proto_message {
public:
    proto_message() = default;
    proto_message(const proto_message&) = delete;
    proto_message& operator=(const proto_message&) = delete;
    ~proto_message() = default;

    /// `tags`: index of a field by each tag; more than fields when a name has been given twice.
    void set_fields(std::vector<proto_field> fields,
                    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& tags) {
        fields_ = std::move(fields);
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            proto_field& field = fields_[i];
            field.index = static_cast<std::uint32_t>(i);
            append_varint(field.head, std::uint64_t{field.tag} << 3U | wire_of(field.form));
            field.key = ",";
            shaddock::detail::append_string(field.key, field.name);
            field.key += ':';
            by_name_.push_back(&field);
            if (field.option == proto_option::required) {
                required_.push_back(&field);
            }
        }
        std::sort(by_name_.begin(), by_name_.end(),
                  [](const auto* a, const auto* b) { return a->name < b->name; });
        for (const auto& [tag, index] : tags) {
            if (tag < low_tags_.size()) {
                low_tags_[tag] = &fields_[index];
            } else {
                high_tags_.emplace_back(tag, &fields_[index]);
            }
        }
        std::sort(high_tags_.begin(), high_tags_.end());
    }

    const std::vector<proto_field>& fields() const { return fields_; }
    const std::vector<const proto_field*>& required() const { return required_; }

    /// Null when there is none.
    const proto_field* find_tag(std::uint64_t tag) const {
        if (tag < low_tags_.size()) {
            return low_tags_[tag];
        }
        const auto found = std::lower_bound(
            high_tags_.begin(), high_tags_.end(), tag,
            [](const auto& entry, std::uint64_t wanted) { return entry.first < wanted; });
        return found != high_tags_.end() && found->first == tag ? found->second : nullptr;
    }

    /// Null when there is none. `expected`: which field is looked at first, as bodies mostly have
    /// them in the order of the proto file.
    const proto_field* find_name(std::string_view name, std::size_t expected) const {
        if (expected < fields_.size() && fields_[expected].name == name) {
            return &fields_[expected];
        }
        const auto found = std::lower_bound(
            by_name_.begin(), by_name_.end(), name,
            [](const auto* field, std::string_view wanted) { return field->name < wanted; });
        return found != by_name_.end() && (*found)->name == name ? *found : nullptr;
    }

private:
    static unsigned wire_of(proto_form form) {
        switch (form) {
        case proto_form::varint:
        case proto_form::zigzag:
            return 0;
        case proto_form::float64:
            return 1;
        case proto_form::float32:
            return 5;
        case proto_form::text:
        case proto_form::message:
            break;
        }
        return 2;
    }

    std::vector<proto_field> fields_;
    std::vector<const proto_field*> required_;
    std::vector<const proto_field*> by_name_;
    std::array<const proto_field*, 32> low_tags_{};
    std::vector<std::pair<std::uint32_t, const proto_field*>> high_tags_;
};

/// Where in the output each field of one message begins, in the order in which they came.
class field_places {
public:
    struct place {
        const proto_field* field;
        std::size_t begin;
    };

    explicit field_places(const proto_message& proto) {
        if (proto.fields().size() > 64) {
            more_.resize((proto.fields().size() - 1) / 64);
        }
    }

    void add(const proto_field& field, std::size_t begin) {
        std::uint64_t& word = field.index < 64 ? first_ : more_[field.index / 64 - 1];
        const std::uint64_t bit = std::uint64_t{1} << (field.index % 64);
        has_doubles_ |= (word & bit) != 0;
        word |= bit;
        if (count_ < few_.size()) {
            few_[count_] = {&field, begin};
        } else {
            many_.push_back({&field, begin});
        }
        ++count_;
    }

    bool has(const proto_field& field) const {
        const std::uint64_t word = field.index < 64 ? first_ : more_[field.index / 64 - 1];
        return (word >> (field.index % 64) & 1) != 0;
    }
    /// Whether a field came more than once.
    bool has_doubles() const { return has_doubles_; }
    std::size_t size() const { return count_; }
    const place& operator[](std::size_t i) const {
        return i < few_.size() ? few_[i] : many_[i - few_.size()];
    }

private:
    std::uint64_t first_ = 0;
    bool has_doubles_ = false;
    std::size_t count_ = 0;
    std::vector<std::uint64_t> more_;
    std::array<place, 8> few_;
    std::vector<place> many_;
};

} // namespace shaddock::protocol
