#pragma once

#include "cli/arguments.hpp"

#include <shaddock/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace shaddock::cli {

/// Whether a plugin project may have this name: a type as servers.json has them that is a name for
/// C++ and CMake too. Form: 1 to 64 letters, digits, `_` or `-`, a letter first. Errors: config,
/// also for names that the system or CMake has taken; `option` is what it names.
result<void> check_new_type(std::string_view type, std::string_view option = "--type");

/// The same for what `host new` is given. Several types differ from each other, and from what their
/// project has besides.
result<void> check_types(const new_command& wanted);

/// The folder that `host new` copies: `<exe dir>/../share/shaddock/template`, or `sdk/template` of
/// the source tree that the build lies in. Errors: not_found, naming all places.
result<std::filesystem::path> find_template(const std::filesystem::path& exe);

/// Makes a plugin project in `wanted.folder`, which is absent or empty, and gives what to do next,
/// for the terminal. One type: the files of the template's folder `type`. Several: those of
/// `system`, and for each a folder with those of `type`. In names and texts are replaced: `@type@`,
/// `@name@` (the type as a word of C++), `@camel@` (as Pomelo spells routes), `@next_type@`,
/// `@next_name@`, `@port@`, `@types@`, `@project@`, `@contracts@` (the header), `@folder@`,
/// `@prefix@`, `@configure@`, `@sdk_version@`, `@boost_version@`; lines between `@system@` or
/// `@each type@` and `@end@` stay for several types, once or for each. Errors: config (the types),
/// refused (the folder is in use), not_found, internal (a file cannot be written). Blocks on the
/// disk.
result<std::string> make_project(const new_command& wanted, const std::filesystem::path& exe);

} // namespace shaddock::cli
