#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::server {

/// A type of a message as the SDK writes it (shaddock/detail/shape.hpp), read.
struct message_shape {
    enum class kind : std::uint8_t {
        null,
        boolean,
        text,
        /// `word`: int8 to uint64, float32, float64.
        number,
        anything,
        /// `parts`: the members.
        object,
        /// `parts`: the value. `word`: the number that keys are; empty: text.
        map,
        /// `parts`: the element.
        list,
        /// As a list; `word`: how many.
        array,
        /// `parts`: the elements.
        tuple,
        /// `parts`: the alternatives.
        one_of,
        /// `parts`: the names of an enum.
        names,
        /// `parts`: what it is when it is not null.
        nullable,
        /// A type inside itself. `word`: how many objects are between; empty: none.
        itself,
    };
    enum class presence : std::uint8_t { required, optional, defaulted };

    kind what = kind::null;
    std::string word{};
    std::vector<message_shape> parts{};
    /// Of a member or an enum's value.
    std::string name{};
    /// Of a member: whether its reader takes a message without it.
    presence when = presence::required;
};

/// Nothing where the text is not in the form. Limits: 64 levels.
std::optional<message_shape> read_shape(std::string_view text);

/// The types of one remote method: `[int32, {rid: string}] -> {users: string[]}`, an array of the
/// arguments, and the result. Source: shaddock/detail/shape.hpp, contract_shape.
struct contract_types {
    std::string_view request;
    std::string_view reply;
};
contract_types types_of_contract(std::string_view shape);

/// Why a caller built with the types `there` may not call a callee built with the types `here`, a
/// line for each reason; empty: it may. The callee reads the arguments, the caller the result.
///
/// The types are to be equal, except that members that are optional or have a default may be more
/// or fewer on either side, that a reader may do without what a writer always writes, and that raw
/// JSON reads anything.
///
/// Form: `argument 2: member 'rid' is a number there, a text here`, `result: member 'users[].name'
/// is required here, unknown there`.
std::vector<std::string> contract_differences(contract_types there, contract_types here);

/// A contract under which a server or module calls others or serves them.
struct contract_row {
    enum class role : std::uint8_t { called = 0, served = 1 };
    role as{};
    std::string route;
    std::uint64_t hash = 0;
    /// Form: as types_of_contract() takes it.
    std::string shape;
};
using contract_rows = std::vector<contract_row>;

/// Calls of one server or module that another one refuses.
struct refused_calls {
    std::string route;
    /// As in_one_line() has it: `there` is the caller.
    std::string why;
};
/// Of a route that is called twice the last row counts; one that is not served is passed over.
std::vector<refused_calls> refused_between(const contract_rows& caller,
                                           const contract_rows& callee);

/// In one line; of many the first ones.
std::string in_one_line(const std::vector<std::string>& differences);

} // namespace shaddock::server
