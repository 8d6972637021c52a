#pragma once

#include <shaddock/detail/json_text.hpp>
#include <shaddock/detail/traits.hpp>

namespace shaddock::detail {

template <class T>
void encode(std::string& out, const T& value);

template <class Range>
void encode_list(std::string& out, const Range& values) {
    out += '[';
    bool first = true;
    for (const auto& value : values) {
        if (!first) {
            out += ',';
        }
        first = false;
        encode<typename Range::value_type>(out, value);
    }
    out += ']';
}

template <class Tuple>
void encode_tuple(std::string& out, const Tuple& values) {
    out += '[';
    std::apply(
        [&](const auto&... value) {
            std::size_t i = 0;
            ((out.append(i++ == 0 ? "" : ","), encode(out, value)), ...);
        },
        values);
    out += ']';
}

/// One field; an empty optional is left out.
template <class T>
void encode_field(std::string& out, bool& first, std::string_view key, const T& value) {
    if constexpr (optional_type<T>) {
        if (value) {
            encode_field(out, first, key, *value);
        }
    } else {
        if (!first) {
            out += ',';
        }
        first = false;
        append_string(out, key);
        out += ':';
        encode(out, value);
    }
}

template <class Map>
void encode_map(std::string& out, const Map& values) {
    out += '{';
    bool first = true;
    check_key<typename Map::key_type>();
    for (const auto& [key, value] : values) {
        if constexpr (std::integral<typename Map::key_type>) {
            std::string text;
            append_integer(text, key);
            encode_field(out, first, text, value);
        } else {
            encode_field(out, first, key, value);
        }
    }
    out += '}';
}

template <class T>
void encode_struct(std::string& out, const T& value) {
    out += '{';
    bool first = true;
    boost::mp11::mp_for_each<members_of<T>>(
        [&](auto member) { encode_field(out, first, member.name, value.*member.pointer); });
    out += '}';
}

template <class T>
void encode_enum(std::string& out, T value) {
    bool found = false;
    boost::mp11::mp_for_each<enumerators_of<T>>([&](auto entry) {
        if (!found && entry.value == value) {
            found = true;
            append_string(out, entry.name);
        }
    });
    if (!found) {
        out += "null";
    }
}

template <class T>
void encode(std::string& out, const T& value) {
    if constexpr (std::same_as<T, bool>) {
        out += value ? "true" : "false";
    } else if constexpr (std::same_as<T, raw_json>) {
        out += value.text;
    } else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullptr_t>) {
        out += "null";
    } else if constexpr (std::is_integral_v<T>) {
        append_integer(out, value);
    } else if constexpr (std::is_floating_point_v<T>) {
        append_number(out, static_cast<double>(value));
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        append_string(out, value);
    } else if constexpr (described_enum<T>) {
        encode_enum(out, value);
    } else if constexpr (std::is_enum_v<T>) {
        append_integer(out, static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (optional_type<T>) {
        if (value) {
            encode(out, *value);
        } else {
            out += "null";
        }
    } else if constexpr (list_type<T> || array_type<T>) {
        encode_list(out, value);
    } else if constexpr (tuple_type<T>) {
        encode_tuple(out, value);
    } else if constexpr (map_type<T>) {
        encode_map(out, value);
    } else if constexpr (variant_type<T>) {
        std::visit([&](const auto& held) { encode(out, held); }, value);
    } else if constexpr (described_struct<T>) {
        encode_struct(out, value);
    } else {
        static_assert(never<T>, "this type cannot stand in a message: describe it with "
                                "BOOST_DESCRIBE_STRUCT (shaddock/message.hpp)");
    }
}

} // namespace shaddock::detail
