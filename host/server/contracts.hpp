#pragma once

#include "base/alive.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/rare_lines.hpp"
#include "bus/bus.hpp"
#include "server/message_shape.hpp"
#include "server/server.hpp"

#include <shaddock/door.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace shaddock::server {

class tables;
struct method_entry;

/// Contracts of which caller and callee have different builds. A hash says whether the types are
/// equal; where it differs the callee asks the caller for the types as text, once for each hash,
/// and compares. Thread: the loop.
class contracts {
public:
    /// Asks a server for its rows as bytes (wire::kind::contracts); ends once, never inline.
    using question = base::unique_function<void(const bus::peer& to, std::string_view routes,
                                                base::unique_function<void(result<std::string>)>)>;

    explicit contracts(const base::clock& clock) : clock_(clock) {}
    void ask_by(question ask) { ask_ = std::move(ask); }

    // ---- as the caller
    /// A call under this contract is made. `shape` is called for a hash that is new.
    void note_call(std::string_view route, std::uint64_t hash, std::string (*shape)() noexcept) {
        const auto at = called_.find(route);
        if (at == called_.end() || at->second.back().hash != hash) {
            note_new_call(route, hash, shape);
        }
    }
    /// What this server calls and serves under routes that begin so. Of a route that it calls in
    /// several builds the one used last comes last.
    contract_rows of_routes(std::string_view prefix, const tables& served) const;

    // ---- as the callee
    /// Why `caller`'s types do not fit, in one line; empty: they fit. Null: they are not known yet.
    const std::string* between(std::uint64_t caller, const method_entry& own);
    /// Fetches the types of the caller. `done` once, never inline. Errors: contract, when they are
    /// not to be had.
    void fetch(const bus::peer& caller, std::string_view route, std::uint64_t hash,
               base::unique_function<void(result<void>)> done);
    /// Writes that calls of `caller` are refused: a line a minute for each pair and route.
    void warn(const bus::peer& caller, std::string_view route, std::string_view why);

    // ---- before a reload
    /// Whom plugins that are to serve next as `type` would cut off: a line for each route and each
    /// of `others`, which are asked for what they call and serve. Constructs nothing. `done` once,
    /// by post unless there is nobody to ask.
    void look_ahead(std::string_view type, std::span<const plugin_source> next,
                    const std::vector<bus::peer>& others,
                    base::unique_function<void(std::vector<std::string>)> done);

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    struct known_call {
        std::uint64_t hash;
        std::string shape;
    };
    void note_new_call(std::string_view route, std::uint64_t hash, std::string (*shape)() noexcept);

    const base::clock& clock_;
    question ask_;
    std::unordered_map<std::string, std::vector<known_call>, text_hash, std::equal_to<>> called_;
    /// Of callers, by route and hash.
    std::map<std::pair<std::string, std::uint64_t>, std::string> shapes_;
    /// By route, the caller's hash and the own one.
    std::map<std::tuple<std::string, std::uint64_t, std::uint64_t>, std::string> verdicts_;
    base::rare_lines complaints_{clock_};
    base::alive alive_;
};

} // namespace shaddock::server
