#pragma once

// The second build: every answer is a coroutine that is suspended once; its memory is a sorted
// vector behind a base class.
#include "hot_api.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <memory>
#include <vector>

namespace hot {

/// As in the first build, and of another type.
inline const std::vector<std::uint32_t>& table() {
    static const std::vector<std::uint32_t> numbers{2, 7, 1, 8, 2, 8, 1, 8};
    return numbers;
}

inline std::uint32_t proof(std::uint32_t n) {
    return std::rotl(n ^ 0x9e3779b9U, 7) + table()[n % table().size()];
}

class remembering {
public:
    remembering() = default;
    remembering(const remembering&) = delete;
    remembering& operator=(const remembering&) = delete;
    virtual ~remembering() = default;
    virtual std::uint64_t generation() const { return generation_; }

protected:
    /// Makes every member stand elsewhere than in the other builds.
    std::uint64_t unused_[16] = {};
    std::uint32_t generation_ = 1;
};

class memory final : public remembering {
public:
    static constexpr std::string_view state_name = "memory";

    std::uint64_t next(const std::string& room) { return ++at(room); }
    std::string save_state() const {
        std::string text = std::to_string(generation_);
        for (const auto& one : rooms_) {
            text += ' ' + one->name + ' ' + std::to_string(one->count);
        }
        return text;
    }
    shaddock::result<void> restore_state(std::string_view bytes, std::string_view version) {
        std::uint64_t known = 0;
        if (!number(word(bytes), known)) {
            return shaddock::error(shaddock::errc::internal,
                                   "memory of version " + std::string(version));
        }
        generation_ = static_cast<std::uint32_t>(known) + 1;
        while (!bytes.empty()) {
            const auto room = word(bytes);
            if (!number(word(bytes), at(std::string(room)))) {
                return shaddock::error(shaddock::errc::internal, "a count that is none");
            }
        }
        return {};
    }

private:
    struct one_room {
        std::uint64_t count = 0;
        std::string name;
    };

    static std::string_view word(std::string_view& rest) {
        const auto found = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(rest.size(), found.size() + 1));
        return found;
    }
    static bool number(std::string_view text, std::uint64_t& value) {
        const auto end = text.data() + text.size();
        return std::from_chars(text.data(), end, value).ptr == end && !text.empty();
    }
    std::uint64_t& at(const std::string& room) {
        auto found = std::lower_bound(
            rooms_.begin(), rooms_.end(), room,
            [](const auto& one, const std::string& name) { return one->name < name; });
        if (found == rooms_.end() || (*found)->name != room) {
            auto made = std::make_unique<one_room>();
            made->name = room;
            found = rooms_.insert(found, std::move(made));
        }
        return (*found)->count;
    }

    std::vector<std::unique_ptr<one_room>> rooms_;
};

template <class Mark>
shaddock::awaitable<stamp> give(shaddock::app& app, Mark mark) {
    co_await app.sleep({});
    co_return mark();
}
template <class Mark>
shaddock::awaitable<reply> give(shaddock::app& app, stamp taken, std::uint64_t seq, Mark mark) {
    co_await app.sleep({});
    reply made;
    made.taken = std::move(taken);
    made.given = mark();
    made.seq = seq;
    co_return made;
}

/// In two steps.
inline shaddock::awaitable<void> rest(shaddock::app& app, std::chrono::milliseconds time) {
    co_await app.sleep(time / 2);
    co_await app.sleep(time - time / 2);
}

} // namespace hot
