#pragma once

#include <shaddock/detail/wait.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// State that crosses a reload: what registrar.hpp says of `save_state` and `restore_state`.
namespace shaddock::detail {

template <class T>
concept stateful = requires(const T& old, T& made, std::string_view text) {
    { old.save_state() } -> std::convertible_to<std::string>;
    made.restore_state(text, text);
};

template <class T>
inline constexpr bool has_part_of_a_state = requires {
    &T::save_state;
}
|| requires {
    &T::restore_state;
};

template <class T>
concept keeps_rooms = requires(T& object, std::string_view text) {
    { object.save_room(text) } -> std::convertible_to<std::string>;
    { object.restore_room(text, text) } -> std::same_as<void>;
};

template <class T>
inline constexpr bool has_part_of_a_room = requires {
    &T::save_room;
}
|| requires {
    &T::restore_room;
};

/// The objects of one plugin that know something of rooms, by name.
class room_table {
public:
    template <class T>
    void add(std::string name, T& object) {
        static_assert(keeps_rooms<T> || !has_part_of_a_room<T>,
                      "what it knows of a room would be lost when the room moves: it needs both "
                      "std::string save_room(std::string_view channel) and void "
                      "restore_room(std::string_view channel, std::string_view bytes)");
        if constexpr (keeps_rooms<T>) {
            entries_.push_back({std::move(name),
                                [&object](std::string_view channel) -> std::string {
                                    return object.save_room(channel);
                                },
                                [&object](std::string_view channel, std::string_view bytes) {
                                    object.restore_room(channel, bytes);
                                }});
        }
    }
    struct entry {
        std::string name;
        std::function<std::string(std::string_view)> save;
        std::function<void(std::string_view, std::string_view)> restore;
    };
    const std::vector<entry>& entries() const { return entries_; }

private:
    std::vector<entry> entries_;
};

/// An object with state, whatever its type. Lifetime: the object's.
struct state_keeper {
    void* object;
    std::string (*save)(const void* object);
    result<void> (*restore)(void* object, std::string_view bytes, std::string_view version);
};

template <stateful T>
state_keeper keeper_of(T& object) {
    using returned = decltype(object.restore_state(std::string_view(), std::string_view()));
    static_assert(std::is_void_v<returned> || std::is_same_v<returned, result<void>>,
                  "restore_state returns void or result<void>: nobody awaits a coroutine, and "
                  "nobody looks at another value");
    return {
        &object,
        [](const void* from) -> std::string { return static_cast<const T*>(from)->save_state(); },
        [](void* into, std::string_view bytes, std::string_view version) -> result<void> {
            if constexpr (std::is_void_v<returned>) {
                static_cast<T*>(into)->restore_state(bytes, version);
                return {};
            } else {
                return static_cast<T*>(into)->restore_state(bytes, version);
            }
        }};
}

/// The objects of one plugin that have state, by name.
class state_table {
public:
    /// `kind` and `name` together are the state's name.
    template <class T>
    void add(std::string_view kind, std::string_view name, T& object) {
        static_assert(stateful<T> || !has_part_of_a_state<T>,
                      "this state would be lost over a reload: it needs both save_state() const "
                      "and restore_state(std::string_view bytes, std::string_view version)");
        if constexpr (stateful<T>) {
            add(std::string(kind).append(name), keeper_of(object));
        }
    }

    result<std::vector<door::saved_state>> save() const {
        std::vector<door::saved_state> states;
        for (const auto& each : entries_) {
            try {
                states.push_back({each.name, each.keeper.save(each.keeper.object)});
            } catch (...) {
                return about(each.name, "could not be saved", current_error());
            }
        }
        return states;
    }
    /// A state that nobody has any more is left behind, an object that is new gets none.
    result<void> restore(std::span<const door::saved_state> states, std::string_view version) {
        for (const auto& state : states) {
            const auto* keeper = find(state.name);
            if (keeper == nullptr) {
                continue;
            }
            result<void> taken;
            try {
                taken = keeper->restore(keeper->object, state.bytes, version);
            } catch (...) {
                taken = current_error();
            }
            if (!taken) {
                return about(state.name, "could not be restored", taken.error());
            }
        }
        return {};
    }

private:
    struct entry {
        std::string name;
        state_keeper keeper;
    };
    void add(std::string name, state_keeper keeper) {
        if (find(name) != nullptr) {
            throw error(errc::config, "two objects save their state as '" + name + "'");
        }
        entries_.push_back({std::move(name), keeper});
    }
    const state_keeper* find(std::string_view name) const {
        for (const auto& each : entries_) {
            if (each.name == name) {
                return &each.keeper;
            }
        }
        return nullptr;
    }
    static error about(std::string_view name, std::string_view what, const error& why) {
        return error(why.code(), "the state of '" + std::string(name) + "' " + std::string(what) +
                                     ": " + why.text());
    }

    std::vector<entry> entries_;
};

} // namespace shaddock::detail
