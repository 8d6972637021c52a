#pragma once

#include "control/masters.hpp"

#include <map>
#include <string>

/// What a master makes of what the others say of themselves.
namespace shaddock::master {

/// Whether it may be believed: the machine is part of a subject, and people see the name. An id has
/// 32 hexadecimal digits (bus::machine_id), a name 1 to 255 printable characters of ASCII.
bool is_sound(const control::master_presence& said);

/// What people call each machine: its name, and where two have the same name, as many digits of the
/// machine's id behind it as it takes, at least four. `named`: machine, name. Returns the same
/// machines.
std::map<std::string, std::string> unique_names(const std::map<std::string, std::string>& named);

} // namespace shaddock::master
