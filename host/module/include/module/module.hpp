#pragma once

#include <shaddock/door.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Plugin files: find, check, copy, open. What is opened stays mapped for ever (docs/operations.md,
/// reload): closing a module that anything still points into is a crash, and what a mapping costs
/// is little and bounded.
namespace shaddock::module {

/// One method of a plugin.
struct route {
    /// Name of the handler or remote.
    std::string object;
    std::string method;
    bool is_serial = false;
    std::uint64_t contract = 0;
    std::string request_shape;
    std::string reply_shape;
};

/// A contract under which a plugin says that it calls others.
struct called_contract {
    std::string route;
    std::uint64_t contract = 0;
    std::string shape;
};

/// What a plugin registers, read without constructing anything.
struct listing {
    std::string type;
    std::string version;
    std::string build_id;
    std::vector<route> handlers;
    std::vector<route> remotes;
    std::vector<called_contract> calls;
};

/// An opened copy of a plugin's file. It stays mapped for ever, so that an older one can take over
/// again without its file. Thread: any.
class library {
public:
    library(const door::plugin_door& door, std::uint64_t number, std::string build_id)
        : door_(&door), number_(number), build_id_(std::move(build_id)) {}

    const door::plugin_door& door() const { return *door_; }
    std::string_view type() const { return door_->type; }
    std::string_view version() const { return door_->version; }
    /// The plugin's own, or the linker's (hexadecimal), or empty.
    const std::string& build_id() const { return build_id_; }
    /// Counts from 1 within its loader.
    std::uint64_t number() const { return number_; }

private:
    const door::plugin_door* door_;
    std::uint64_t number_;
    std::string build_id_;
};

/// `<folder of the executable>/../plugins`, of a build; where that is not and
/// `<folder of the executable>/../lib/shaddock/plugins` is, that one, of an installation.
std::filesystem::path default_folder(const std::filesystem::path& exe);

/// The file of a module: `name` (`chat.so` or `chat`) in `folder`, or an absolute path. Errors:
/// config, naming the place looked at and the modules that are there.
result<std::filesystem::path> find(const std::filesystem::path& folder, std::string_view name);

/// How many files a loader opens; each stays mapped for the life of the process.
struct limits {
    /// From so many on, and again for every `warn_every` more, a warning is logged.
    std::uint64_t warn_from = 1'000;
    std::uint64_t warn_every = 100;
    /// So many are opened and no more: at five mappings each the kernel's 65,530 come near.
    std::uint64_t most = 10'000;
};

/// Opens plugin files, each from a copy of its own: opening the same path twice gives the old code,
/// and overwriting a mapped file kills the process. A file is read once, checked in memory and
/// written as `<folder>/<owner>@<number>@<file>` without sections and debug information (offsets
/// stay: addr2line with the linked file and its build id reads a stack). The last two copies of a
/// file stay for debuggers, all go with the loader. Pages of older ones that nothing has written
/// leave the memory until something runs there again. All errors are errc::config, "file: found ..,
/// wanted ..: remedy". Thread: any, one at a time.
class loader {
public:
    /// `owner`: the id of the server, alone in using its name; left-overs of an earlier life are
    /// removed.
    loader(std::filesystem::path folder, std::string owner, limits bounds = {});
    loader(const loader&) = delete;
    loader& operator=(const loader&) = delete;
    ~loader();

    /// Opens and checks; constructs nothing. Before it is opened: owner and mode (read_source), an
    /// ELF file for this machine, sealed, SDK, fingerprint, type, fewer than `limits::most` open.
    /// Nothing of the file runs before; its static initializers do when it is opened. An undefined
    /// symbol or missing library is named.
    result<library> load(const std::filesystem::path& file, std::string_view type);
    /// As `load`, then what the plugin registers. Read once per file in a process: the result
    /// should be kept.
    result<listing> list_routes(const std::filesystem::path& file, std::string_view type);
    /// Files opened so far.
    std::uint64_t opened() const { return opened_; }

private:
    struct copy {
        std::filesystem::path of;
        std::filesystem::path path;
        /// Memory that only the file has filled.
        std::vector<std::span<char>> unwritten;
    };
    struct found {
        const door::plugin_door* door = nullptr;
        std::string build_id;
    };
    result<found> open(const std::filesystem::path& file, std::string_view type);
    result<void> may_open_more() const;
    result<std::filesystem::path> write_copy(const std::filesystem::path& file,
                                             std::string_view bytes);
    void keep(copy made);

    std::filesystem::path folder_;
    std::string owner_;
    limits limits_;
    std::uint64_t written_ = 0;
    std::uint64_t opened_ = 0;
    std::uint64_t loaded_ = 0;
    /// Those that stand on disk, oldest first.
    std::vector<copy> copies_;
};

} // namespace shaddock::module
