#pragma once

#include <shaddock/detail/json_encode.hpp>
#include <shaddock/error.hpp>

// Halves the time to parse a chat message. It reads whole aligned 16 bytes, also past the end of a
// text: harmless, but sanitizers object.
#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&        \
    !defined(RAPIDJSON_SSE2)
#define RAPIDJSON_SSE2
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wclass-memaccess"
#endif
#endif
#include <rapidjson/document.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include <charconv>
#include <limits>

namespace shaddock::detail {

using json_pool = rapidjson::MemoryPoolAllocator<>;
using json_value = rapidjson::GenericValue<rapidjson::UTF8<>, json_pool>;
using json_tree = rapidjson::GenericDocument<rapidjson::UTF8<>, json_pool, json_pool>;

/// Where in a value we are: a chain through the callers' frames, turned into text only for an
/// error.
struct path {
    const path* up = nullptr;
    std::string_view key;
    std::size_t index = 0;

    void append_to(std::string& out) const {
        if (up != nullptr) {
            up->append_to(out);
        }
        if (key.data() == nullptr) {
            out += '[';
            append_integer(out, index);
            out += ']';
        } else {
            if (!out.empty()) {
                out += '.';
            }
            out += key;
        }
    }
};

inline std::string to_text(const path* at) {
    std::string text;
    if (at != nullptr) {
        at->append_to(text);
    }
    return text;
}

enum class absent_members { are_refused, keep_initialisers };

/// Says no: the path and what is wrong there. Also how a member that is not there is taken.
struct refusal {
    std::string where{};
    std::string what{};
    absent_members members = absent_members::are_refused;

    bool at(const path* place, std::string text) {
        where = to_text(place);
        what = std::move(text);
        return false;
    }
};

inline std::string_view text_of(const json_value& string) {
    return {string.GetString(), string.GetStringLength()};
}

inline void encode_tree(std::string& out, const json_value& value) {
    switch (value.GetType()) {
    case rapidjson::kNullType:
        out += "null";
        break;
    case rapidjson::kFalseType:
        out += "false";
        break;
    case rapidjson::kTrueType:
        out += "true";
        break;
    case rapidjson::kStringType:
        append_string(out, text_of(value));
        break;
    case rapidjson::kNumberType:
        if (value.IsUint64()) {
            append_integer(out, value.GetUint64());
        } else if (value.IsInt64()) {
            append_integer(out, value.GetInt64());
        } else {
            append_number(out, value.GetDouble());
        }
        break;
    case rapidjson::kArrayType: {
        out += '[';
        const char* comma = "";
        for (const auto& element : value.GetArray()) {
            out += comma;
            comma = ",";
            encode_tree(out, element);
        }
        out += ']';
        break;
    }
    case rapidjson::kObjectType: {
        out += '{';
        const char* comma = "";
        for (const auto& member : value.GetObject()) {
            out += comma;
            comma = ",";
            append_string(out, text_of(member.name));
            out += ':';
            encode_tree(out, member.value);
        }
        out += '}';
        break;
    }
    }
}

/// What stands there, for an error: `number 3`, `string "abc"`, `object`.
inline std::string describe_found(const json_value& value) {
    if (value.IsObject()) {
        return "object";
    }
    if (value.IsArray()) {
        return "array";
    }
    std::string text;
    if (value.IsString()) {
        constexpr std::size_t shown = 32;
        text = "string ";
        const auto whole = text_of(value);
        append_string(text, whole.substr(0, shown));
        if (whole.size() > shown) {
            text += "...";
        }
        return text;
    }
    text = value.IsNumber() ? "number " : "";
    encode_tree(text, value);
    return text;
}

inline bool expected(std::string_view what, const json_value& found, const path* at, refusal& no) {
    return no.at(at, "expected " + std::string(what) + ", found " + describe_found(found));
}

template <class T>
bool decode(T& into, const json_value& from, const path* at, refusal& no);

template <class T>
bool decode_integer(T& into, const json_value& from, const path* at, refusal& no) {
    if (!from.IsNumber()) {
        return expected("integer", from, at, no);
    }
    const auto fits = [&](auto number) {
        if (!std::in_range<T>(number)) {
            return expected("integer from " + std::to_string(std::numeric_limits<T>::min()) +
                                " to " + std::to_string(std::numeric_limits<T>::max()),
                            from, at, no);
        }
        into = static_cast<T>(number);
        return true;
    };
    if (from.IsInt64()) {
        return fits(from.GetInt64());
    }
    if (from.IsUint64()) {
        return fits(from.GetUint64());
    }
    const double number = from.GetDouble();
    if (number != std::trunc(number) || std::abs(number) > 9007199254740992.0) {
        return expected("integer", from, at, no);
    }
    return fits(static_cast<std::int64_t>(number));
}

template <class T>
bool decode_enum(T& into, const json_value& from, const path* at, refusal& no) {
    if (!from.IsString()) {
        return expected("string", from, at, no);
    }
    const auto text = text_of(from);
    bool found = false;
    std::string names;
    boost::mp11::mp_for_each<enumerators_of<T>>([&](auto entry) {
        if (text == entry.name) {
            into = entry.value;
            found = true;
        }
        if (!found) {
            names += (names.empty() ? "" : ", ") + std::string(entry.name);
        }
    });
    return found || expected("one of " + names, from, at, no);
}

template <class T>
bool decode_list(T& into, const json_value& from, const path* at, refusal& no) {
    if (!from.IsArray()) {
        return expected("array", from, at, no);
    }
    into.clear();
    into.reserve(from.Size());
    for (rapidjson::SizeType i = 0; i < from.Size(); ++i) {
        const path here{at, {}, i};
        typename T::value_type element{};
        if (!decode(element, from[i], &here, no)) {
            return false;
        }
        into.push_back(std::move(element));
    }
    return true;
}

/// An array of a fixed number of elements: std::tuple, std::pair, std::array, the arguments of a
/// remote.
template <class T>
bool decode_tuple(T& into, const json_value& from, const path* at, refusal& no) {
    constexpr std::size_t size = std::tuple_size_v<T>;
    if (!from.IsArray()) {
        return expected("array", from, at, no);
    }
    if (from.Size() != size) {
        return no.at(at, "expected array of " + std::to_string(size) + ", found array of " +
                             std::to_string(from.Size()));
    }
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return ([&] {
            const path here{at, {}, I};
            return decode(std::get<I>(into), from[static_cast<rapidjson::SizeType>(I)], &here, no);
        }() && ...);
    }
    (std::make_index_sequence<size>());
}

template <class Key>
bool decode_key(Key& into, std::string_view text, const path* at, refusal& no) {
    if constexpr (std::same_as<Key, std::string>) {
        into = text;
        return true;
    } else {
        const auto* end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, into);
        return (read.ec == std::errc() && read.ptr == end) ||
               no.at(at, "expected integer from " +
                             std::to_string(std::numeric_limits<Key>::min()) + " to " +
                             std::to_string(std::numeric_limits<Key>::max()) + " as key");
    }
}

template <class T>
bool decode_map(T& into, const json_value& from, const path* at, refusal& no) {
    check_key<typename T::key_type>();
    if (!from.IsObject()) {
        return expected("object", from, at, no);
    }
    into.clear();
    for (const auto& member : from.GetObject()) {
        const auto text = text_of(member.name);
        const path here{at, text};
        typename T::key_type key{};
        typename T::mapped_type value{};
        if (!decode_key(key, text, &here, no) || !decode(value, member.value, &here, no)) {
            return false;
        }
        into.insert_or_assign(std::move(key), std::move(value));
    }
    return true;
}

/// `is_defaulted`: it may be absent, and then stays as it is.
template <class T>
bool decode_field(T& into, const json_value& object, std::string_view key, bool is_defaulted,
                  const path* at, refusal& no) {
    const path here{at, key};
    // From the back: as in JavaScript, the last of equal keys counts.
    for (auto member = object.MemberEnd(); member != object.MemberBegin();) {
        --member;
        if (key == text_of(member->name)) {
            return decode(into, member->value, &here, no);
        }
    }
    if constexpr (optional_type<T>) {
        into.reset(); // as an empty one is written
        return true;
    } else {
        return is_defaulted || no.members == absent_members::keep_initialisers ||
               no.at(&here, "missing");
    }
}

template <class T>
bool decode_struct(T& into, const json_value& from, const path* at, refusal& no) {
    if (!from.IsObject()) {
        return expected("object", from, at, no);
    }
    static_assert(has_what_it_marks<T>(),
                  "`defaults` of this struct names what is no described member of it");
    bool ok = true;
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
        ok = ok &&
             decode_field(into.*member.pointer, from, member.name, is_defaulted<T>(member), at, no);
    });
    return ok;
}

template <class T>
bool decode_alternative(T& into, const json_value& from, absent_members members, const path* at) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return ([&] {
            std::variant_alternative_t<I, T> held{};
            refusal ignored{.members = members};
            if (!decode(held, from, at, ignored)) {
                return false;
            }
            into.template emplace<I>(std::move(held));
            return true;
        }() || ...);
    }
    (std::make_index_sequence<std::variant_size_v<T>>());
}

template <class T>
bool decode_variant(T& into, const json_value& from, const path* at, refusal& no) {
    // Where all members may be absent every object fits the first struct: what fits whole is first.
    const bool found = decode_alternative(into, from, absent_members::are_refused, at) ||
                       (no.members != absent_members::are_refused &&
                        decode_alternative(into, from, no.members, at));
    return found || expected("one of " + std::to_string(std::variant_size_v<T>) + " alternatives",
                             from, at, no);
}

template <class T>
bool decode(T& into, const json_value& from, const path* at, refusal& no) {
    if constexpr (std::same_as<T, bool>) {
        if (!from.IsBool()) {
            return expected("true or false", from, at, no);
        }
        into = from.GetBool();
        return true;
    } else if constexpr (std::same_as<T, std::string>) {
        if (!from.IsString()) {
            return expected("string", from, at, no);
        }
        into.assign(from.GetString(), from.GetStringLength());
        return true;
    } else if constexpr (std::same_as<T, raw_json>) {
        into.text.clear();
        encode_tree(into.text, from);
        return true;
    } else if constexpr (std::same_as<T, std::monostate>) {
        return from.IsNull() || expected("null", from, at, no);
    } else if constexpr (std::is_integral_v<T>) {
        return decode_integer(into, from, at, no);
    } else if constexpr (std::is_floating_point_v<T>) {
        if (!from.IsNumber()) {
            return expected("number", from, at, no);
        }
        into = static_cast<T>(from.GetDouble());
        return true;
    } else if constexpr (described_enum<T>) {
        return decode_enum(into, from, at, no);
    } else if constexpr (std::is_enum_v<T>) {
        std::underlying_type_t<T> number{};
        const bool ok = decode_integer(number, from, at, no);
        into = static_cast<T>(number);
        return ok;
    } else if constexpr (optional_type<T>) {
        if (from.IsNull()) {
            into.reset();
            return true;
        }
        return decode(into.emplace(), from, at, no);
    } else if constexpr (list_type<T>) {
        return decode_list(into, from, at, no);
    } else if constexpr (tuple_type<T> || array_type<T>) {
        return decode_tuple(into, from, at, no);
    } else if constexpr (map_type<T>) {
        return decode_map(into, from, at, no);
    } else if constexpr (variant_type<T>) {
        return decode_variant(into, from, at, no);
    } else if constexpr (described_struct<T>) {
        return decode_struct(into, from, at, no);
    } else {
        static_assert(never<T>, "this type cannot stand in a message: describe it with "
                                "BOOST_DESCRIBE_STRUCT (shaddock/message.hpp)");
    }
}

} // namespace shaddock::detail
