#include "new_project.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view allowed =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
constexpr std::size_t longest_type = 64;

/// Logs and locks of the system's own processes, and targets that every CMake project has.
constexpr std::array taken{"master", "web",     "all",        "clean",         "help",  "install",
                           "test",   "package", "edit_cache", "rebuild_cache", "depend"};

using words = std::vector<std::pair<std::string, std::string>>;

std::string as_identifier(std::string_view type) {
    std::string name(type);
    std::replace(name.begin(), name.end(), '-', '_');
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

/// The command that configures a project: with the prefix of the package where CMake would not
/// look by itself.
std::string configure_command(const fs::path& from, const fs::path& exe) {
    const std::array prefixes{from.parent_path().parent_path().parent_path(),
                              exe.parent_path().parent_path()};
    for (const auto& prefix : prefixes) {
        std::error_code failed;
        if (fs::exists(prefix / SHADDOCK_PACKAGE_FOLDER / "shaddockConfig.cmake", failed) ||
            fs::exists(prefix / "lib/cmake/shaddock/shaddockConfig.cmake", failed)) {
            const bool is_known = prefix == "/usr" || prefix == "/usr/local";
            return is_known ? "cmake -B build"
                            : "cmake -B build -DCMAKE_PREFIX_PATH=" + in_shell(prefix.string());
        }
    }
    return "cmake -B build -DCMAKE_PREFIX_PATH=<where shaddock is installed>";
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

result<void> write_file(const fs::path& from, const fs::path& to, const words& all) {
    std::ifstream in(from, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::error_code ignored;
    fs::create_directories(to.parent_path(), ignored);
    std::ofstream out(to, std::ios::binary);
    out << replaced(text, all);
    out.close();
    if (!in || !out) {
        return error(errc::internal,
                     fmt::format("{} cannot be written from {}", to.string(), from.string()));
    }
    return {};
}

result<void> copy_all(const fs::path& from, const fs::path& to, const words& all) {
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(from, failed)) {
        if (!entry.is_regular_file(failed)) {
            continue;
        }
        const auto name = replaced(entry.path().lexically_relative(from).string(), all);
        if (auto written = write_file(entry.path(), to / name, all); !written) {
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

std::string what_next(const std::string& type, const fs::path& folder,
                      const std::string& configure) {
    return fmt::format(R"({1}: a project of the server type {0}. Build and test it:

  cd {2} && {3}
  cmake --build build
  ctest --test-dir build

Run it: one line in host.yaml, under 'types:',

  {0}: {{modules: ["{1}/build/{0}.so"]}}

and a server of the type in servers.json, in the section of the environment:

  "{0}": [{{"id": "{0}-server-1", "host": "127.0.0.1", "port": 7100}}]

{1}/README.md says more.
)",
                       type, folder.string(), in_shell(folder.string()), configure);
}

} // namespace

result<void> check_new_type(std::string_view type) {
    const auto is_taken = std::find(taken.begin(), taken.end(), type) != taken.end();
    if (is_taken) {
        return error(errc::config, fmt::format("--type: found '{}', which is taken ({}); expected "
                                               "another name, such as 'my-{}'",
                                               type, fmt::join(taken, ", "), type));
    }
    if (type.empty() || type.size() > longest_type ||
        letters.find(type.front()) == std::string_view::npos ||
        type.find_first_not_of(allowed) != std::string_view::npos) {
        return error(errc::config,
                     fmt::format("--type: found '{}', expected 1 to {} letters, digits, '_' or "
                                 "'-', a letter first, such as 'tally'",
                                 type, longest_type));
    }
    return {};
}

result<fs::path> find_template(const fs::path& exe) {
    const auto bin = exe.parent_path();
    std::vector<std::string> looked;
    for (const auto& place : {bin / "../share/shaddock/template", bin / "../../../sdk/template"}) {
        std::error_code failed;
        const auto folder = fs::canonical(place, failed);
        if (!failed && fs::is_regular_file(folder / "CMakeLists.txt", failed)) {
            return {boost::system::in_place_value, folder};
        }
        looked.push_back(place.lexically_normal().string());
    }
    return error(errc::not_found,
                 fmt::format("the template of a project: found no CMakeLists.txt in {}; install "
                             "the SDK (`cmake --install`, or the package shaddock-dev)",
                             fmt::join(looked, " or ")));
}

result<std::string> make_project(const new_command& wanted, const fs::path& exe) {
    if (auto fits = check_new_type(wanted.type); !fits) {
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
    const auto configure = configure_command(*from, exe);
    const words all{{"@type@", wanted.type},
                    {"@name@", as_identifier(wanted.type)},
                    {"@camel@", as_camel(wanted.type)},
                    {"@folder@", folder.string()},
                    {"@configure@", configure},
                    {"@sdk_version@", major_and_minor(SHADDOCK_VERSION)},
                    {"@boost_version@", replaced(BOOST_LIB_VERSION, {{"_", "."}})}};
    if (auto copied = copy_all(*from, folder, all); !copied) {
        return copied.error();
    }
    return what_next(wanted.type, folder, configure);
}

} // namespace shaddock::cli
