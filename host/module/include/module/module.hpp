#pragma once

#include <shaddock/door.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Plugin files: find, check, copy, open. What is opened stays mapped for ever (docs/operations.md,
/// reload): closing a module that anything still points into is a crash, and 38 KiB are cheap.
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

/// What a plugin registers, read without constructing anything.
struct listing {
    std::string type;
    std::string version;
    std::string build_id;
    std::vector<route> handlers;
    std::vector<route> remotes;
};

/// One life of a plugin: an opened copy of its file and, between `create` and `destroy`, its
/// object. Thread: the loop. Lifetime: `destroy` (or the destructor) must come after the last use
/// of anything that `create` registered.
class generation {
public:
    generation(const door::plugin_door& door, std::uint64_t number, std::string build_id);
    generation(const generation&) = delete;
    generation& operator=(const generation&) = delete;
    ~generation();

    /// Constructs the plugin, which registers into `into`. Once. Errors: internal, with what the
    /// plugin threw.
    result<void> create(door::host& host, door::registration& into);
    /// Destroys the plugin's objects. Nothing when there are none.
    void destroy() noexcept;
    bool is_created() const { return plugin_ != nullptr; }

    const door::plugin_door& door() const { return door_; }
    std::string_view type() const { return door_.type; }
    std::string_view version() const { return door_.version; }
    /// The plugin's own, or the linker's (hexadecimal), or empty.
    const std::string& build_id() const { return build_id_; }
    /// Counts from 1 within its loader.
    std::uint64_t number() const { return number_; }

private:
    const door::plugin_door& door_;
    std::uint64_t number_;
    std::string build_id_;
    door::plugin* plugin_ = nullptr;
};

/// `<folder of the executable>/../plugins`.
std::filesystem::path default_folder(const std::filesystem::path& exe);

/// The file of a module: `name` (`chat.so` or `chat`) in `folder`, or an absolute path. Errors:
/// config, naming the place looked at and the modules that are there.
result<std::filesystem::path> find(const std::filesystem::path& folder, std::string_view name);

/// Opens plugin files, each from a copy of its own: opening the same path twice gives the old code,
/// and overwriting a mapped file kills the process. Copies stand in `folder` as
/// `<owner>@<number>@<file>` and go with the loader. All errors are errc::config and name file,
/// what was found, what was wanted and the remedy. Thread: any, one at a time.
class loader {
public:
    /// `owner`: the id of the server, alone in using its name; left-overs of an earlier life are
    /// removed.
    loader(std::filesystem::path folder, std::string owner);
    loader(const loader&) = delete;
    loader& operator=(const loader&) = delete;
    ~loader();

    /// Opens and checks: sealed, SDK, fingerprint, type. Constructs nothing.
    result<std::unique_ptr<generation>> load(const std::filesystem::path& file,
                                             std::string_view type);
    /// As `load`, then what the plugin registers. Read once per file in a process: the result
    /// should be kept.
    result<listing> list_routes(const std::filesystem::path& file, std::string_view type);

private:
    result<const door::plugin_door*> open(const std::filesystem::path& file, std::string_view type);
    result<std::filesystem::path> copy(const std::filesystem::path& file);

    std::filesystem::path folder_;
    std::string owner_;
    std::uint64_t copies_ = 0;
    std::uint64_t generations_ = 0;
    std::vector<std::filesystem::path> made_;
    std::string build_id_;
};

} // namespace shaddock::module
