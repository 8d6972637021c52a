#include "new_project.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view allowed =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
constexpr std::size_t longest_type = 64;
/// Of the servers of a project of several types; the next ones count up.
constexpr std::size_t first_port = 7100;

/// Logs and locks of the system's own processes, and targets that every CMake project has.
constexpr std::array taken{"master", "web",     "all",        "clean",         "help",  "install",
                           "test",   "package", "edit_cache", "rebuild_cache", "depend"};

using words = std::vector<std::pair<std::string, std::string>>;

std::string as_identifier(std::string_view type) {
    std::string name(type);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

/// A folder's name as the name of a CMake project.
std::string as_project(std::string name) {
    std::replace_if(
        name.begin(), name.end(), [](char c) { return allowed.find(c) == std::string_view::npos; },
        '_');
    return name;
}

/// my-game, my_game -> myGame
std::string as_camel(std::string_view type) {
    std::string camel;
    bool is_start = false;
    for (const char c : type) {
        if (c == '-' || c == '_') {
            is_start = !camel.empty();
            continue;
        }
        camel += is_start ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        is_start = false;
    }
    return camel;
}

std::string replaced(std::string text, const words& all) {
    for (const auto& [word, by] : all) {
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
            text.replace(at, word.size(), by);
            at += by.size();
        }
    }
    return text;
}

/// As a shell takes it for one word.
std::string in_shell(const std::string& path) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+:@%,=";
    if (path.find_first_not_of(plain) == std::string::npos) {
        return path;
    }
    return "'" + replaced(path, {{"'", R"('\'')"}}) + "'";
}

/// The prefix of the CMake package; empty where CMake looks by itself. Nothing when it is not
/// found.
std::optional<std::string> package_prefix(const fs::path& from, const fs::path& exe) {
    const std::array prefixes{from.parent_path().parent_path().parent_path(),
                              exe.parent_path().parent_path()};
    for (const auto& prefix : prefixes) {
        std::error_code failed;
        if (fs::exists(prefix / SHADDOCK_PACKAGE_FOLDER / "shaddockConfig.cmake", failed) ||
            fs::exists(prefix / "lib/cmake/shaddock/shaddockConfig.cmake", failed)) {
            const bool is_known = prefix == "/usr" || prefix == "/usr/local";
            return is_known ? "" : prefix.string();
        }
    }
    return std::nullopt;
}

/// Lines between `@system@` and `@end@` stay in a project of several types only; those between
/// `@each type@` and `@end@` stand there once for each type.
std::string with_blocks(const std::string& text, const std::vector<words>& types, bool is_system) {
    std::string out;
    std::string block;
    bool is_each = false;
    bool is_inside = false;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line == "@system@" || line == "@each type@") {
            is_inside = true;
            is_each = line == "@each type@";
        } else if (line == "@end@") {
            for (const auto& type : types) {
                out += is_each ? replaced(block, type) : "";
            }
            out += !is_each && is_system ? block : "";
            is_inside = false;
            block.clear();
        } else {
            (is_inside ? block : out).append(line).append("\n");
        }
    }
    return out;
}

result<void> prepare(const fs::path& folder) {
    std::error_code failed;
    if (fs::exists(folder, failed) && !fs::is_directory(folder, failed)) {
        return error(errc::refused,
                     fmt::format("{} is a file; name a new or an empty folder", folder.string()));
    }
    if (fs::exists(folder, failed) && !fs::is_empty(folder, failed)) {
        return error(errc::refused,
                     fmt::format("{} is not empty; nothing was written: name a new or an empty "
                                 "folder",
                                 folder.string()));
    }
    fs::create_directories(folder, failed);
    if (failed) {
        return error(errc::internal,
                     fmt::format("{} cannot be made: {}", folder.string(), failed.message()));
    }
    return {};
}

/// What is written into a project, or into the folder of one type in it.
struct part {
    words all;
    std::vector<words> types{};
    bool is_system = false;
};

result<void> write_file(const fs::path& from, const fs::path& to, const part& wanted) {
    std::ifstream in(from, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::error_code ignored;
    fs::create_directories(to.parent_path(), ignored);
    std::ofstream out(to, std::ios::binary);
    out << replaced(with_blocks(text, wanted.types, wanted.is_system), wanted.all);
    out.close();
    if (!in || !out) {
        return error(errc::internal,
                     fmt::format("{} cannot be written from {}", to.string(), from.string()));
    }
    return {};
}

/// `takes` chooses by the file's name in `from`.
template <class F>
result<void> copy_all(const fs::path& from, const fs::path& to, const part& wanted, F takes) {
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(from, failed)) {
        const auto name = entry.path().lexically_relative(from).string();
        if (!entry.is_regular_file(failed) || !takes(name)) {
            continue;
        }
        if (auto written = write_file(entry.path(), to / replaced(name, wanted.all), wanted);
            !written) {
            return written;
        }
    }
    if (failed) {
        return error(errc::internal,
                     fmt::format("{} cannot be read: {}", from.string(), failed.message()));
    }
    return {};
}

std::string major_and_minor(std::string_view version) {
    return std::string(version.substr(0, version.rfind('.')));
}

std::string what_next(const new_command& wanted, const fs::path& folder,
                      const std::string& configure) {
    const bool is_system = wanted.type.empty();
    auto said = fmt::format(
        R"({}: a project of the server type{} {}. Build and test it:

  cd {} && {}
  cmake --build --preset dev
  ctest --preset dev

)",
        folder.string(), is_system ? "s" : "",
        is_system ? fmt::format("{}", fmt::join(wanted.types, ", ")) : wanted.type,
        in_shell(folder.string()), configure);
    if (is_system) {
        said += fmt::format(R"(Run it, with the gate and connector of this host:

  host start --config {}

)",
                            in_shell((folder / "config").string()));
    } else {
        said += fmt::format(R"(Run it: one line in host.yaml, under 'types:',

  {0}: {{modules: ["{1}/build/dev/{0}.so"]}}

and a server of the type in servers.json, in the section of the environment:

  "{0}": [{{"id": "{0}-server-1", "host": "127.0.0.1", "port": 7100}}]

)",
                            wanted.type, folder.string());
    }
    return said +
           fmt::format(
               R"(While it runs, change a file and build again; the next request gets the new code:

  cmake --build --preset dev --target {0}      # then `host reload {0}`, where reload is not `watch`

{1}/README.md says more.
)",
               is_system ? wanted.types.front() : wanted.type, folder.string());
}

words words_of(const std::string& type, const std::string& next, std::size_t index) {
    return {{"@type@", type},
            {"@name@", as_identifier(type)},
            {"@camel@", as_camel(type)},
            {"@next_type@", next},
            {"@next_name@", as_identifier(next)},
            {"@port@", std::to_string(first_port + index)}};
}

/// The files of the project itself, which a type's folder in a project of several does not have.
bool is_of_project(const std::string& name) {
    return name == "CMakeLists.txt" || name == "CMakePresets.json" || name == "README.md" ||
           name == ".gitignore" || name == "@name@_api.hpp";
}

result<void> copy_type(const fs::path& from, const fs::path& to, words all, const words& type) {
    all.insert(all.end(), type.begin(), type.end());
    all.emplace_back("@contracts@", as_identifier(type.front().second) + "_api.hpp");
    return copy_all(from / "type", to, {.all = std::move(all)}, [](const auto&) { return true; });
}

result<void> copy_system(const fs::path& from, const fs::path& to, words all,
                         const std::vector<words>& types) {
    all.emplace_back("@contracts@", "contracts.hpp");
    for (const auto& type : types) {
        part folder{.all = all, .types = types, .is_system = true};
        folder.all.insert(folder.all.end(), type.begin(), type.end());
        if (auto copied = copy_all(from / "type", to / type.front().second, folder,
                                   [](const auto& name) { return !is_of_project(name); });
            !copied) {
            return copied;
        }
    }
    // The texts of the whole name the first type as an example.
    all.insert(all.end(), types.front().begin(), types.front().end());
    const part whole{.all = std::move(all), .types = types, .is_system = true};
    if (auto copied = copy_all(from / "system", to, whole, [](const auto&) { return true; });
        !copied) {
        return copied;
    }
    return copy_all(from / "type", to, whole, [](const auto& name) {
        return name == "CMakePresets.json" || name == ".gitignore";
    });
}

} // namespace

result<void> check_new_type(std::string_view type, std::string_view option) {
    const auto is_taken = std::find(taken.begin(), taken.end(), type) != taken.end();
    if (is_taken) {
        return error(errc::config, fmt::format("{}: found '{}', which is taken ({}); expected "
                                               "another name, such as 'my-{}'",
                                               option, type, fmt::join(taken, ", "), type));
    }
    if (type.empty() || type.size() > longest_type ||
        letters.find(type.front()) == std::string_view::npos ||
        type.find_first_not_of(allowed) != std::string_view::npos) {
        return error(errc::config,
                     fmt::format("{}: found '{}', expected 1 to {} letters, digits, '_' or '-', a "
                                 "letter first, such as 'tally'",
                                 option, type, longest_type));
    }
    return {};
}

result<void> check_types(const new_command& wanted) {
    if (wanted.types.empty()) {
        return check_new_type(wanted.type);
    }
    for (auto one = wanted.types.begin(); one != wanted.types.end(); ++one) {
        if (auto fits = check_new_type(*one, "--types"); !fits) {
            return fits;
        }
        if (*one == "gate" || *one == "connector" || *one == "contracts" || *one == "config" ||
            *one == "build") {
            return error(errc::config,
                         fmt::format("--types: found '{}', which the project has "
                                     "already; expected another name, such as 'my-{}'",
                                     *one, *one));
        }
        const auto same = std::find_if(wanted.types.begin(), one, [&](const auto& before) {
            return as_identifier(before) == as_identifier(*one);
        });
        if (same != one) {
            return error(errc::config,
                         fmt::format("--types: found '{}' and '{}', expected names that differ",
                                     *same, *one));
        }
    }
    return {};
}

result<fs::path> find_template(const fs::path& exe) {
    const auto bin = exe.parent_path();
    std::vector<std::string> looked;
    for (const auto& place : {bin / "../share/shaddock/template", bin / "../../../sdk/template"}) {
        std::error_code failed;
        const auto folder = fs::canonical(place, failed);
        if (!failed && fs::is_regular_file(folder / "type/CMakeLists.txt", failed)) {
            return {boost::system::in_place_value, folder};
        }
        looked.push_back(place.lexically_normal().string());
    }
    return error(
        errc::not_found,
        fmt::format("the template of a project: found no type/CMakeLists.txt in {}; install "
                    "the SDK (`cmake --install`, or the package shaddock-dev)",
                    fmt::join(looked, " or ")));
}

result<std::string> make_project(const new_command& wanted, const fs::path& exe) {
    if (auto fits = check_types(wanted); !fits) {
        return fits.error();
    }
    const auto from = find_template(exe);
    if (!from) {
        return from.error();
    }
    // Without the slash that a shell's completion leaves behind.
    auto folder = fs::absolute(wanted.folder).lexically_normal();
    folder = folder.has_filename() ? folder : folder.parent_path();
    if (auto ready = prepare(folder); !ready) {
        return ready.error();
    }
    const auto prefix = package_prefix(*from, exe);
    const std::string configure =
        prefix ? "cmake --preset dev"
               : "cmake --preset dev -DCMAKE_PREFIX_PATH=<where shaddock is installed>";
    words all{{"@folder@", folder.string()},
              {"@configure@", configure},
              {"@prefix@", replaced(prefix.value_or(""), {{"\\", R"(\\)"}, {"\"", R"(\")"}})},
              {"@project@", as_project(folder.filename().string())},
              {"@types@", fmt::format("{}", fmt::join(wanted.types, " "))},
              {"@sdk_version@", major_and_minor(SHADDOCK_VERSION)},
              {"@boost_version@", replaced(BOOST_LIB_VERSION, {{"_", "."}})}};
    std::vector<words> types;
    for (std::size_t i = 0; i < wanted.types.size(); ++i) {
        types.push_back(words_of(wanted.types[i], wanted.types[(i + 1) % wanted.types.size()], i));
    }
    auto copied = types.empty()
                      ? copy_type(*from, folder, std::move(all), words_of(wanted.type, "", 0))
                      : copy_system(*from, folder, std::move(all), types);
    if (!copied) {
        return copied.error();
    }
    return what_next(wanted, folder, configure);
}

} // namespace shaddock::cli
