#include "module/module.hpp"

#include "elf.hpp"

#include <shaddock/fingerprint.hpp>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cassert>
#include <system_error>

namespace shaddock::module {

namespace {

namespace fs = std::filesystem;

std::string quoted(std::string_view text) {
    std::string out = "'";
    out.append(text).append("'");
    return out;
}

error refuse(const fs::path& file, std::string_view found, std::string_view wanted,
             std::string_view remedy) {
    std::string text = file.string();
    text.append(": found ")
        .append(found)
        .append(", wanted ")
        .append(wanted)
        .append(": ")
        .append(remedy);
    return error(errc::config, std::move(text));
}

constexpr std::string_view rebuild =
    "rebuild the plugin with this host's SDK and compiler settings";

result<void> check_sealed(const fs::path& file, const elf_facts& facts) {
    if (!facts.has_door) {
        return refuse(file, "no symbol shaddock_plugin_door", "the door of a plugin",
                      "write SHADDOCK_PLUGIN(...) in one of its files");
    }
    if (!facts.unique_symbol.empty()) {
        return refuse(
            file, "the shared object " + facts.unique_symbol, "a sealed plugin",
            "a later version would read this one's data; build it with shaddock_add_plugin()");
    }
    if (facts.imports_thread_atexit) {
        return refuse(
            file, "a thread_local object with a destructor", "a sealed plugin",
            "it would pin the file for good; keep such state in a component or registrar.state");
    }
    return {};
}

/// Field by field: nothing after `struct_size` and `abi` is read before they fit.
result<void> check_door(const fs::path& file, const door::plugin_door& door,
                        std::string_view type) {
    if (door.abi != door::sdk_abi) {
        return refuse(file, "SDK " + std::to_string(door.abi),
                      "SDK " + std::to_string(door::sdk_abi), rebuild);
    }
    if (door.struct_size != sizeof(door::plugin_door)) {
        return refuse(file, "a door of " + std::to_string(door.struct_size) + " bytes",
                      std::to_string(sizeof(door::plugin_door)), rebuild);
    }
    if (std::string_view(door.fingerprint) != fingerprint) {
        return refuse(file, "build " + quoted(door.fingerprint), quoted(fingerprint), rebuild);
    }
    if (type != door.type) {
        return refuse(file, "server type " + quoted(door.type), quoted(type),
                      "name the right module under `types:` in host.yaml");
    }
    return {};
}

class lister final : public door::registration {
public:
    explicit lister(listing& into) : into_(into) {}
    void handler(const door::method_info& info, door::callable*) noexcept override {
        add(into_.handlers, info);
    }
    void remote(const door::method_info& info, door::callable*) noexcept override {
        add(into_.remotes, info);
    }
    void route(std::string_view, door::router*) noexcept override {}
    void filter(door::global_filter*) noexcept override {}
    void hook(door::hooks*) noexcept override {}
    void part(door::component*) noexcept override {}
    void handshake(door::handshake_hook*) noexcept override {}

private:
    static void add(std::vector<module::route>& to, const door::method_info& info) {
        to.push_back({std::string(info.object), std::string(info.method), info.is_serial,
                      info.contract, std::string(info.request_shape),
                      std::string(info.reply_shape)});
    }
    listing& into_;
};

} // namespace

generation::generation(const door::plugin_door& door, std::uint64_t number, std::string build_id)
    : door_(door), number_(number), build_id_(std::move(build_id)) {}

generation::~generation() {
    destroy();
}

result<void> generation::create(door::host& host, door::registration& into) {
    assert(plugin_ == nullptr);
    std::string failed;
    plugin_ = door_.create(host, into, &failed);
    if (plugin_ == nullptr) {
        return error(errc::internal, "plugin " + std::string(type()) + " " +
                                         std::string(version()) +
                                         " could not be created: " + failed);
    }
    return {};
}

void generation::destroy() noexcept {
    if (auto* made = std::exchange(plugin_, nullptr); made != nullptr) {
        door_.destroy(made);
    }
}

fs::path default_folder(const fs::path& exe) {
    return (exe.parent_path() / ".." / "plugins").lexically_normal();
}

result<fs::path> find(const fs::path& folder, std::string_view name) {
    fs::path file = folder / name; // an absolute name replaces the folder
    if (file.extension() != ".so") {
        file += ".so";
    }
    std::error_code failed;
    if (fs::is_regular_file(file, failed)) {
        return file;
    }
    std::vector<std::string> there;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        if (entry.path().extension() == ".so") {
            there.push_back(entry.path().filename().string());
        }
    }
    std::ranges::sort(there);
    std::string text = file.string() + ": no such module; ";
    text += there.empty() ? "there are none in " + folder.string() : "there are:";
    for (const auto& one : there) {
        text += " " + one;
    }
    return error(errc::config, text);
}

loader::loader(fs::path folder, std::string owner)
    : folder_(std::move(folder)), owner_(std::move(owner)) {
    std::error_code failed;
    fs::create_directories(folder_, failed);
    for (const auto& entry : fs::directory_iterator(folder_, failed)) {
        if (entry.path().filename().string().starts_with(owner_ + "@")) {
            std::error_code ignored;
            fs::remove(entry.path(), ignored);
        }
    }
}

loader::~loader() {
    for (const auto& copy : made_) {
        std::error_code ignored;
        fs::remove(copy, ignored);
    }
}

result<fs::path> loader::copy(const fs::path& file) {
    const auto to =
        folder_ / (owner_ + "@" + std::to_string(++copies_) + "@" + file.filename().string());
    std::error_code failed;
    fs::copy_file(file, to, fs::copy_options::overwrite_existing, failed);
    if (failed) {
        return error(errc::config, file.string() + ": cannot be copied to " + to.string() + ": " +
                                       failed.message());
    }
    made_.push_back(to);
    return to;
}

result<const door::plugin_door*> loader::open(const fs::path& file, std::string_view type) {
    const auto copied = copy(file);
    if (!copied) {
        return copied.error();
    }
    // The copy is checked, not the file: what is looked at is what is opened.
    const auto facts = read_elf(*copied);
    if (!facts) {
        return facts.error();
    }
    if (const auto sealed = check_sealed(file, *facts); !sealed) {
        return sealed.error();
    }
    std::error_code failed;
    boost::dll::shared_library library;
    // RTLD_NODELETE: whatever is closed, the mapping stays.
    constexpr auto stays = static_cast<boost::dll::load_mode::type>(RTLD_NODELETE);
    library.load(*copied, failed,
                 boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local | stays);
    if (failed) {
        return error(errc::config, file.string() + ": cannot be opened: " + failed.message());
    }
    const auto& door = library.get<const door::plugin_door>(door::door_symbol);
    if (const auto fits = check_door(file, door, type); !fits) {
        return fits.error();
    }
    build_id_ = *door.build_id != '\0' ? door.build_id : facts->build_id;
    return &door;
}

result<std::unique_ptr<generation>> loader::load(const fs::path& file, std::string_view type) {
    const auto door = open(file, type);
    if (!door) {
        return door.error();
    }
    return std::make_unique<generation>(**door, ++generations_, build_id_);
}

result<listing> loader::list_routes(const fs::path& file, std::string_view type) {
    const auto opened = open(file, type);
    if (!opened) {
        return opened.error();
    }
    const auto& door = **opened;
    listing found{door.type, door.version, build_id_, {}, {}};
    lister into(found);
    try {
        door.describe(into);
    } catch (const std::exception& failed) {
        return error(errc::config, file.string() + ": could not list its routes: " + failed.what());
    }
    return found;
}

} // namespace shaddock::module
