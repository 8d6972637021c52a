#pragma once

#include <shaddock/detail/wait.hpp>

#include <concepts>
#include <memory>
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

class state_keeper {
public:
    virtual ~state_keeper() = default;
    virtual std::string save() const = 0;
    virtual result<void> restore(std::string_view bytes, std::string_view version) = 0;
};

template <stateful T>
class state_keeper_of final : public state_keeper {
public:
    explicit state_keeper_of(T& object) : object_(object) {}
    std::string save() const override { return std::as_const(object_).save_state(); }
    result<void> restore(std::string_view bytes, std::string_view version) override {
        if constexpr (std::is_void_v<decltype(object_.restore_state(bytes, version))>) {
            object_.restore_state(bytes, version);
            return {};
        } else {
            return object_.restore_state(bytes, version);
        }
    }

private:
    T& object_;
};

/// The objects of one plugin that have state, by name.
class state_table {
public:
    template <class T>
    void add(std::string name, T& object) {
        static_assert(stateful<T> || !has_part_of_a_state<T>,
                      "this state would be lost over a reload: it needs both save_state() const "
                      "and restore_state(std::string_view bytes, std::string_view version)");
        if constexpr (stateful<T>) {
            if (find(name) != nullptr) {
                throw error(errc::config, "two objects save their state as '" + name + "'");
            }
            entries_.push_back({std::move(name), std::make_unique<state_keeper_of<T>>(object)});
        }
    }

    result<std::vector<door::saved_state>> save() const {
        std::vector<door::saved_state> states;
        for (const auto& each : entries_) {
            try {
                states.push_back({each.name, each.keeper->save()});
            } catch (...) {
                return about(each.name, "could not be saved", current_error());
            }
        }
        return states;
    }
    /// A state that nobody has any more is left behind, an object that is new gets none.
    result<void> restore(std::span<const door::saved_state> states, std::string_view version) {
        for (const auto& state : states) {
            auto* keeper = find(state.name);
            if (keeper == nullptr) {
                continue;
            }
            result<void> taken;
            try {
                taken = keeper->restore(state.bytes, version);
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
        std::unique_ptr<state_keeper> keeper;
    };
    state_keeper* find(std::string_view name) const {
        for (const auto& each : entries_) {
            if (each.name == name) {
                return each.keeper.get();
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
