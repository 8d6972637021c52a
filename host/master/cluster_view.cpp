#include "cluster_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace shaddock::master {

control::server_rows cluster_view::rows(bool with_all) const {
    control::server_rows all;
    for (const auto& one : machines_) {
        if (!one.silent.empty()) {
            all.push_back(control::silent_row(one.place.name, one.silent));
        }
        const auto names = control::names_of(one.rows);
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (with_all || names[i].is_server) {
                all.push_back(one.rows[i]);
            }
        }
    }
    return all;
}

std::vector<control::target_name> cluster_view::names_on(const machine_view& one) const {
    auto names = control::names_of(one.rows);
    if (&one == &machines_.front()) {
        names.push_back({"master", "master", false});
    } else {
        std::erase_if(names, [](const auto& name) { return !name.is_server; });
    }
    return names;
}

result<std::vector<command_share>>
cluster_view::shares(const std::vector<std::string>& words) const {
    std::vector<control::target_name> there;
    std::string silent;
    for (const auto& one : machines_) {
        const auto names = names_on(one);
        there.insert(there.end(), names.begin(), names.end());
        if (!one.silent.empty()) {
            silent += fmt::format("\nthe master of {} is silent: {}; what runs there is not known",
                                  one.place.name, one.silent);
        }
    }
    const auto known = control::resolve(words, there, control::target_words::anything);
    if (!known) {
        return error(known.error().code(), known.error().text() + silent);
    }
    std::vector<command_share> shares;
    for (const auto& one : machines_) {
        command_share share{one.place.name, &one == &machines_.front(), {}};
        const auto names = names_on(one);
        for (const auto& word : words) {
            if (one.silent.empty() &&
                control::resolve({word}, names, control::target_words::anything)) {
                share.words.push_back(word);
            }
        }
        if (!share.words.empty()) {
            shares.push_back(std::move(share));
        }
    }
    return {boost::system::in_place_value, std::move(shares)};
}

result<std::vector<command_share>>
cluster_view::shares_or_everybody(const std::vector<std::string>& words) const {
    if (!words.empty()) {
        return shares(words);
    }
    std::vector<command_share> shares;
    for (const auto& one : machines_) {
        if (one.silent.empty()) {
            shares.push_back({one.place.name, &one == &machines_.front(), {}});
        }
    }
    return {boost::system::in_place_value, std::move(shares)};
}

std::string cluster_view::hosts_text() const {
    std::string text;
    for (const auto& one : machines_) {
        text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", one.place.name,
                            one.silent.empty() ? fmt::format("{}", fmt::join(one.place.hosts, ", "))
                                               : "silent: " + one.silent);
    }
    return text;
}

control::server_rows cluster_view::meant(const command_share& share) const {
    const auto at =
        std::ranges::find(machines_, share.machine, [](const auto& one) { return one.place.name; });
    control::server_rows rows;
    if (at == machines_.end()) {
        return rows;
    }
    const auto ids = control::resolve(share.words, names_on(*at), control::target_words::anything);
    for (const auto& row : at->rows) {
        if (ids && std::ranges::find(*ids, row.id) != ids->end()) {
            rows.push_back(row);
        }
    }
    return rows;
}

std::vector<const machine_view*>
cluster_view::unheard(const std::vector<std::string>& words) const {
    const bool is_broad = std::ranges::any_of(words, [this](const auto& word) {
        return word == "all" || std::ranges::any_of(machines_, [&](const auto& one) {
                   const auto names = control::names_of(one.rows);
                   return std::ranges::any_of(names, [&](const auto& name) {
                       return name.is_server && name.type == word;
                   });
               });
    });
    std::vector<const machine_view*> silent;
    for (const auto& one : machines_) {
        if (is_broad && !one.silent.empty()) {
            silent.push_back(&one);
        }
    }
    return silent;
}

const machine_view* cluster_view::machine_of_host(const std::string& host) const {
    const auto at = std::ranges::find_if(machines_, [&](const auto& one) {
        return std::ranges::find(one.place.hosts, host) != one.place.hosts.end();
    });
    return at == machines_.end() ? nullptr : &*at;
}

} // namespace shaddock::master
