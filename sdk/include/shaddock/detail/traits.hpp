#pragma once

#include <shaddock/message.hpp>

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// What kinds of types a message may be made of.
namespace shaddock::detail {

template <class T, template <class...> class Template>
inline constexpr bool is_instance = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_instance<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

template <class T>
concept optional_type = is_instance<T, std::optional>;
template <class T>
concept variant_type = is_instance<T, std::variant>;
template <class T>
concept tuple_type = is_instance<T, std::tuple> || is_instance<T, std::pair>;
template <class T>
concept array_type = is_std_array<T>;
template <class T>
concept list_type = is_instance<T, std::vector>;
/// std::map and std::unordered_map. Keys are text, or integers, which travel as text.
template <class T>
concept map_type = requires {
    typename T::key_type;
    typename T::mapped_type;
};
template <class Key>
constexpr void check_key() {
    static_assert(std::same_as<Key, std::string> ||
                      (std::integral<Key> && !std::same_as<Key, bool> && sizeof(Key) > 1),
                  "the keys of a map in a message are std::string or integers of 16 to 64 bits: "
                  "JSON has no others (shaddock/message.hpp)");
}

template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept described_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public |
                                                            boost::describe::mod_inherited>;
/// The members that T itself marks, not those that it inherits a mark of.
template <class T>
concept has_defaults = requires {
    T::defaults.names.size();
};
template <class T>
constexpr bool marks(std::string_view name) {
    if constexpr (has_defaults<T>) {
        return std::ranges::find(T::defaults.names, name) != T::defaults.names.end();
    }
    return false;
}
template <class Class, class Field>
Class& class_of(Field Class::*);

/// Whether a reader of T does without the member; the class that has it marks it, or T.
template <class T, class Member>
constexpr bool is_defaulted(Member member) {
    return marks<T>(member.name) ||
           marks<std::remove_reference_t<decltype(class_of(member.pointer))>>(member.name);
}

/// Whether all that T marks are members of it.
template <class T>
constexpr bool has_what_it_marks() {
    bool has_all = true;
    if constexpr (has_defaults<T>) {
        for (const auto name : T::defaults.names) {
            bool is_member = false;
            boost::mp11::mp_for_each<members_of<T>>(
                [&](auto member) { is_member = is_member || name == member.name; });
            has_all = has_all && is_member;
        }
    }
    return has_all;
}

template <class T>
using enumerators_of = boost::describe::describe_enumerators<T>;

template <class>
inline constexpr bool never = false;

} // namespace shaddock::detail
