#pragma once

#include "commands.hpp"
#include "control/status.hpp"
#include "control/targets.hpp"
#include "master/peers.hpp"

#include <shaddock/error.hpp>

#include <string>
#include <vector>

namespace shaddock::master {

/// What a master knows of a machine at one moment.
struct machine_view {
    machine_place place;
    /// As of `host list --all`, each with its machine.
    control::server_rows rows;
    /// Why its master has not said so; empty: it has.
    std::string silent;
};

/// A machine's part of a command: the words that name somebody there, as they were given.
struct command_share {
    std::string machine;
    bool is_here = false;
    std::vector<std::string> words;
};

/// All machines of a system; the first one is this master's. None: it is the only one.
class cluster_view {
public:
    explicit cluster_view(std::vector<machine_view> machines) : machines_(std::move(machines)) {}

    /// No other master is there; nobody was asked then.
    bool is_alone() const { return machines_.empty(); }
    const std::vector<machine_view>& machines() const { return machines_; }
    /// Of all machines, one after the other; a silent one has a row that says so.
    control::server_rows rows(bool with_all) const;
    /// Who has to do what. What is no server is meant on this machine. Errors: not_found, as
    /// control::resolve; it says which machines are silent.
    result<std::vector<command_share>> shares(const std::vector<std::string>& words) const;
    /// As shares; no words: a share without words for every machine.
    result<std::vector<command_share>>
    shares_or_everybody(const std::vector<std::string>& words) const;
    /// For people: each machine with its addresses.
    std::string hosts_text() const;
    /// The rows of those whom a share means.
    control::server_rows meant(const command_share& share) const;
    /// The silent ones on which some of the words may mean servers: types, and `all`.
    std::vector<const machine_view*> unheard(const std::vector<std::string>& words) const;
    /// Null: none has this address.
    const machine_view* machine_of_host(const std::string& host) const;

private:
    std::vector<control::target_name> names_on(const machine_view& one) const;

    std::vector<machine_view> machines_;
};

} // namespace shaddock::master
