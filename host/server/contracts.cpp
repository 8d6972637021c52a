#include "contracts.hpp"

#include "base/log.hpp"
#include "generation.hpp"
#include "wire.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::server {

namespace {

/// Nothing of it is constructed. A module that cannot list what it has is refused elsewhere.
contract_rows listed(std::string_view type, std::span<const plugin_source> plugins) {
    tables found{std::string(type)};
    for (const auto& each : plugins) {
        try {
            each.door->describe(found);
        } catch (...) {
            continue;
        }
    }
    return found.contracts();
}

/// Routes of `type` that the caller has and the callee has not.
std::vector<std::string> not_served(const contract_rows& caller, const contract_rows& callee,
                                    std::string_view type) {
    std::vector<std::string> missing;
    for (const auto& call : caller) {
        const bool is_its = call.as == contract_row::role::called && call.route.starts_with(type) &&
                            call.route[type.size()] == '.';
        const bool is_served = std::ranges::any_of(callee, [&](const contract_row& row) {
            return row.as == contract_row::role::served && row.route == call.route;
        });
        if (is_its && !is_served && std::ranges::find(missing, call.route) == missing.end()) {
            missing.push_back(call.route);
        }
    }
    return missing;
}

} // namespace

void contracts::note_new_call(std::string_view route, std::uint64_t hash,
                              std::string (*shape)() noexcept) {
    auto& known = called_[std::string(route)];
    const auto at = std::ranges::find(known, hash, &known_call::hash);
    if (at == known.end()) {
        known.push_back({hash, shape()});
    } else {
        std::rotate(at, at + 1, known.end());
    }
}

contract_rows contracts::of_routes(std::string_view prefix, const tables& served) const {
    contract_rows rows;
    for (const auto& [route, known] : called_) {
        for (const auto& each : known) {
            rows.push_back({contract_row::role::called, route, each.hash, each.shape});
        }
    }
    // Last: what the build of now says that it calls counts more than what earlier ones have
    // called.
    std::ranges::move(served.contracts(), std::back_inserter(rows));
    std::erase_if(rows, [&](const auto& row) { return !row.route.starts_with(prefix); });
    return rows;
}

const std::string* contracts::between(std::uint64_t caller, const method_entry& own) {
    auto key = std::tuple(own.route, caller, own.contract);
    if (const auto at = verdicts_.find(key); at != verdicts_.end()) {
        return &at->second;
    }
    const auto its = shapes_.find({own.route, caller});
    if (its == shapes_.end()) {
        return nullptr;
    }
    auto why = in_one_line(
        contract_differences(types_of_contract(its->second), types_of_contract(own.shape)));
    return &verdicts_.emplace(std::move(key), std::move(why)).first->second;
}

void contracts::fetch(const bus::peer& caller, std::string_view route, std::uint64_t hash,
                      base::unique_function<void(result<void>)> done) {
    ask_(caller, route,
         alive_.guard([this, route = std::string(route), hash,
                       done = std::move(done)](result<std::string> answered) mutable {
             contract_rows rows;
             if (!answered) {
                 return done(error(errc::contract, "its types are not the same, and cannot be "
                                                   "compared: " +
                                                       answered.error().text()));
             }
             if (wire::decode(*answered, rows)) {
                 for (auto& row : rows) {
                     if (row.as == contract_row::role::called && row.hash == hash &&
                         row.route == route) {
                         shapes_.insert_or_assign({route, hash}, std::move(row.shape));
                         return done({});
                     }
                 }
             }
             done(error(errc::contract, "its types are not the same, and the caller does not tell "
                                        "them"));
         }));
}

void contracts::warn(const bus::peer& caller, std::string_view route, std::string_view why) {
    if (const auto end = complaints_.due(fmt::format("{} {}", caller.id, route))) {
        base::log::warn("server", "calls of {} are refused: {}{}", caller.id, why, *end);
    }
}

void contracts::look_ahead(std::string_view type, std::span<const plugin_source> next,
                           const std::vector<bus::peer>& others,
                           base::unique_function<void(std::vector<std::string>)> done) {
    struct looking {
        std::string type;
        contract_rows mine;
        std::vector<std::string> found{};
        std::size_t waits = 1;
        base::unique_function<void(std::vector<std::string>)> done;
        void end_one() {
            if (--waits == 0) {
                std::ranges::sort(found);
                done(std::move(found));
            }
        }
    };
    auto look = std::make_shared<looking>(
        looking{std::string(type), listed(type, next), {}, 1, std::move(done)});
    for (const auto& each : others) {
        ++look->waits;
        ask_(each, "", [look, id = each.id](result<std::string> answered) {
            contract_rows its;
            if (answered && wire::decode(*answered, its)) {
                for (const auto& one : refused_between(its, look->mine)) {
                    look->found.push_back(fmt::format(
                        "cuts off calls of {0}: {1}: {2}; there is {0}, here the new build", id,
                        one.route, one.why));
                }
                for (const auto& route : not_served(its, look->mine, look->type)) {
                    look->found.push_back(fmt::format(
                        "cuts off calls of {}: {}: the new build does not serve it", id, route));
                }
                for (const auto& one : refused_between(look->mine, its)) {
                    look->found.push_back(fmt::format(
                        "cuts off its calls to {0}: {1}: {2}; there is the new build, here {0}", id,
                        one.route, one.why));
                }
            }
            look->end_one();
        });
    }
    look->end_one();
}

} // namespace shaddock::server
