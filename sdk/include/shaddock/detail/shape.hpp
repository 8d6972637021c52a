#pragma once

#include <shaddock/detail/traits.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The shape of a type: what travels, not what it is called here. Two builds whose shapes of a
/// remote differ talk only where the host finds that they fit. `host routes` shows shapes to people
/// and reads them for programs.
///
/// Form: `null`, `bool`, `string`, `int8` to `int64`, `uint8` to `uint64`, `float32`, `float64`,
/// `any` (raw JSON); `{name: T, optional?: T, other: T = default}`, `{*: T}` (a map), `{*int32: T}`
/// (one by numbers), `T[]`, `T[3]`, `[T, U]` (a tuple), `(T | U)`, `("red" | "green")` (an enum),
/// `T?` (or null), `...` (a type inside itself), `...1` (with one struct between).
namespace shaddock::detail {

/// Collects a shape as FNV-1a 64; usable at compile time.
struct shape_hash {
    std::uint64_t value = 0xcbf29ce484222325U;
    constexpr void add(std::string_view text) {
        for (const char c : text) {
            value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
        }
    }
};

/// Collects a shape for people.
struct shape_text {
    std::string value;
    void add(std::string_view text) { value += text; }
};

template <class T, class... Outer, class Sink>
constexpr void add_shape(Sink& sink);

template <class Enum, class Sink>
constexpr void add_enum_shape(Sink& sink) {
    sink.add("(");
    bool first = true;
    boost::mp11::mp_for_each<enumerators_of<Enum>>([&](auto entry) {
        sink.add(first ? "\"" : " | \"");
        first = false;
        sink.add(entry.name);
        sink.add("\"");
    });
    sink.add(")");
}

template <class T, class... Outer, class Sink>
constexpr void add_struct_shape(Sink& sink) {
    static_assert(has_what_it_marks<T>(),
                  "`defaults` of this struct names what is no described member of it");
    sink.add("{");
    bool first = true;
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
        using field = std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
        sink.add(first ? "" : ", ");
        first = false;
        sink.add(member.name);
        if constexpr (optional_type<field>) {
            sink.add("?: ");
            add_shape<typename field::value_type, Outer..., T>(sink);
        } else {
            sink.add(": ");
            add_shape<field, Outer..., T>(sink);
            sink.add(is_defaulted<T>(member) ? " = default" : "");
        }
    });
    sink.add("}");
}

template <class Sink, class... Ts, class... Outer>
constexpr void add_each_shape(Sink& sink, boost::mp11::mp_list<Ts...>,
                              boost::mp11::mp_list<Outer...>,
                              [[maybe_unused]] std::string_view between) {
    [[maybe_unused]] bool first = true;
    ((sink.add(first ? "" : between), first = false, add_shape<Ts, Outer...>(sink)), ...);
}

template <class T, class... Outer, class Sink>
constexpr void add_number_shape(Sink& sink) {
    sink.add(std::is_floating_point_v<T> ? "float" : std::is_signed_v<T> ? "int" : "uint");
    sink.add(sizeof(T) == 1 ? "8" : sizeof(T) == 2 ? "16" : sizeof(T) == 4 ? "32" : "64");
}

template <class Sink>
constexpr void add_count(Sink& sink, std::size_t count) {
    if (count >= 10) {
        add_count(sink, count / 10);
    }
    sink.add(std::string_view("0123456789").substr(count % 10, 1));
}

/// `Outer`: the structs we are inside of, so that a type that contains itself ends.
template <class T, class... Outer, class Sink>
constexpr void add_shape(Sink& sink) {
    if constexpr ((std::same_as<T, Outer> || ...)) {
        sink.add("...");
        constexpr auto between =
            sizeof...(Outer) - 1 - boost::mp11::mp_find<boost::mp11::mp_list<Outer...>, T>::value;
        if constexpr (between != 0) {
            add_count(sink, between);
        }
    } else if constexpr (std::is_void_v<T> || std::same_as<T, std::monostate>) {
        sink.add("null");
    } else if constexpr (std::same_as<T, bool>) {
        sink.add("bool");
    } else if constexpr (std::same_as<T, std::string>) {
        sink.add("string");
    } else if constexpr (std::same_as<T, raw_json>) {
        sink.add("any");
    } else if constexpr (std::is_arithmetic_v<T>) {
        add_number_shape<T>(sink);
    } else if constexpr (described_enum<T>) {
        add_enum_shape<T>(sink);
    } else if constexpr (std::is_enum_v<T>) {
        add_number_shape<std::underlying_type_t<T>>(sink);
    } else if constexpr (optional_type<T>) {
        add_shape<typename T::value_type, Outer...>(sink);
        sink.add("?");
    } else if constexpr (list_type<T>) {
        add_shape<typename T::value_type, Outer...>(sink);
        sink.add("[]");
    } else if constexpr (array_type<T>) {
        add_shape<typename T::value_type, Outer...>(sink);
        sink.add("[");
        add_count(sink, std::tuple_size_v<T>);
        sink.add("]");
    } else if constexpr (map_type<T>) {
        check_key<typename T::key_type>();
        sink.add("{*");
        if constexpr (std::integral<typename T::key_type>) {
            add_number_shape<typename T::key_type>(sink);
        }
        sink.add(": ");
        add_shape<typename T::mapped_type, Outer...>(sink);
        sink.add("}");
    } else if constexpr (tuple_type<T>) {
        sink.add("[");
        add_each_shape(sink, boost::mp11::mp_rename<T, boost::mp11::mp_list>(),
                       boost::mp11::mp_list<Outer...>(), ", ");
        sink.add("]");
    } else if constexpr (variant_type<T>) {
        sink.add("(");
        add_each_shape(sink, boost::mp11::mp_rename<T, boost::mp11::mp_list>(),
                       boost::mp11::mp_list<Outer...>(), " | ");
        sink.add(")");
    } else if constexpr (described_struct<T>) {
        add_struct_shape<T, Outer...>(sink);
    } else {
        static_assert(never<T>, "this type cannot stand in a message: describe it with "
                                "BOOST_DESCRIBE_STRUCT (shaddock/message.hpp)");
    }
}

/// `{content: string, target?: string}`.
template <class T>
std::string shape_of() {
    shape_text text;
    add_shape<T>(text);
    return text.value;
}
/// Of what a method answers: nothing is `{}`.
template <class R>
std::string reply_shape() {
    return std::is_void_v<R> ? "{}" : shape_of<R>();
}

/// The types of a remote method: `[string, bool] -> {users: string[]}`.
template <class R, class... Args>
std::string contract_shape() noexcept {
    return shape_of<std::tuple<Args...>>() + " -> " + reply_shape<R>();
}

} // namespace shaddock::detail
