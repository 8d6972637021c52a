#pragma once

#include <shaddock/message.hpp>

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <concepts>
#include <optional>
#include <string>
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
/// std::map and std::unordered_map with text keys.
template <class T>
concept map_type = requires {
    typename T::mapped_type;
}
&&std::same_as<typename T::key_type, std::string>;

template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept described_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public |
                                                            boost::describe::mod_inherited>;
template <class T>
using enumerators_of = boost::describe::describe_enumerators<T>;

template <class>
inline constexpr bool never = false;

} // namespace shaddock::detail
