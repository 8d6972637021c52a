#pragma once

#include <protocol/handshake.hpp>

#include <shaddock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace shaddock::protocol {

/// Codes 1 to 65535 in place of routes, as told to clients in the handshake.
///
/// Built once when a frontend starts; every frontend of a system computes the same one. Codes count
/// from 1 over the handler routes of all types in the order of their UTF-16 code units, then over
/// the extra routes in their order. An extra route that has a code already gets a second one: the
/// new code counts from route to code, both from code to route. Thread: any, unchanging.
/// Source: Pomelo lib/components/dictionary.js.
class route_dictionary {
public:
    /// `handlers`: routes `type.handler.method` in any order; doubles count once. `extra`: the
    /// application's dictionary.json. Errors: config when there are more than 65535, or when one is
    /// empty or not UTF-8.
    static result<route_dictionary> build(std::vector<std::string> handlers,
                                          const std::vector<std::string>& extra);

    /// 0: the route has none.
    std::uint16_t code_of(std::string_view route) const;
    /// Empty: no route has the code. A view into the dictionary.
    std::string_view route_of(std::uint16_t code) const;
    std::size_t size() const { return routes_.size(); }

    /// base64(MD5(route_to_code as JSON.stringify writes it)): over the original's bytes, in which
    /// characters beyond U+FFFF stand for themselves.
    const std::string& version() const { return version_; }
    /// The three parts of a handshake; views into the dictionary. Key order is JavaScript's: keys
    /// that are array indexes first, in ascending order; the others as they were inserted.
    /// Characters beyond U+FFFF are escaped (`\uXXXX` pairs), which every client reads.
    handshake_dictionary parts() const { return {route_to_code_, code_to_route_, version_}; }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    /// Fills the parts and the version; `order`: code - 1 of every key of route_to_code.
    void write(const std::vector<std::size_t>& order);

    /// By code - 1.
    std::vector<std::string> routes_;
    std::unordered_map<std::string, std::uint16_t, text_hash, std::equal_to<>> codes_;
    std::string route_to_code_;
    std::string code_to_route_;
    std::string version_;
};

} // namespace shaddock::protocol
