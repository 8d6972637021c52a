#include "module/module.hpp"

#include "elf.hpp"
#include "fault.hpp"
#include "source.hpp"

#include "base/log.hpp"
#include <shaddock/fingerprint.hpp>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>

namespace shaddock::module {

namespace {

namespace fs = std::filesystem;

/// Of each file, on disk.
constexpr std::ptrdiff_t copies_kept = 2;

/// A symbol's name as in the source.
std::string readable(const std::string& symbol) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
    return name ? std::string(name.get()) : symbol;
}

std::string in_quotes(std::string_view text) {
    std::string out = "'";
    out.append(text).append("'");
    return out;
}

error about(const fs::path& file, const error& failed) {
    return error(errc::config, file.string() + ": " + std::string(failed.text()));
}

constexpr std::string_view rebuild =
    "rebuild the plugin with this host's SDK and compiler settings";

result<void> check_sealed(const elf_facts& facts) {
    if (!facts.door) {
        return fault("no symbol shaddock_plugin_door", "the door of a plugin",
                     "write SHADDOCK_PLUGIN(...) in one of its files");
    }
    if (!facts.unique_symbol.empty()) {
        return fault(
            "the shared object " + readable(facts.unique_symbol), "a sealed plugin",
            "a later version would read this one's data; build it with shaddock_add_plugin()");
    }
    if (facts.imports_thread_atexit) {
        return fault(
            "a thread_local object with a destructor", "a sealed plugin",
            "it would pin the file for good; keep such state in a component or registrar.state");
    }
    if (facts.has_text_relocations) {
        return fault("code that is written to when it is opened", "position-independent code",
                     "build it with shaddock_add_plugin()");
    }
    return {};
}

/// Field by field: nothing after `struct_size` and `abi` means anything before they fit. A text
/// that is not known yet passes.
result<void> check_door(const door_facts& door, std::string_view type) {
    if (door.abi != door::sdk_abi) {
        return fault("SDK " + std::to_string(door.abi), "SDK " + std::to_string(door::sdk_abi),
                     rebuild);
    }
    if (door.struct_size != sizeof(door::plugin_door)) {
        return fault("a door of " + std::to_string(door.struct_size) + " bytes",
                     std::to_string(sizeof(door::plugin_door)), rebuild);
    }
    if (door.fingerprint.value_or(fingerprint) != fingerprint) {
        return fault("build " + in_quotes(*door.fingerprint), in_quotes(fingerprint), rebuild);
    }
    if (door.type && *door.type != type) {
        return fault("server type " + in_quotes(*door.type), in_quotes(type),
                     "name the right module under `types:` in host.yaml");
    }
    return {};
}

result<void> check(const elf_facts& facts, std::string_view type) {
    if (const auto sealed = check_sealed(facts); !sealed) {
        return sealed.error();
    }
    return check_door(*facts.door, type);
}

/// What the system's loader says of the copy, for the reader of a log: the symbol's name as in the
/// source, nothing of the copy's path.
error not_opened(const fs::path& copy, std::string_view said) {
    const std::string path = copy.string() + ": ";
    if (said.starts_with(path)) {
        said.remove_prefix(path.size());
    }
    constexpr std::string_view undefined = "undefined symbol: ";
    if (const auto at = said.find(undefined); at != std::string_view::npos) {
        auto name = said.substr(at + undefined.size());
        name = name.substr(0, name.find_first_of(", \t"));
        return fault("the undefined symbol " + readable(std::string(name)),
                     "a module that is complete",
                     "name the library that has it: shaddock_add_plugin(... LINK ...)");
    }
    return fault(in_quotes(said), "a module that the system can open",
                 "see that its libraries are installed here (ldd FILE)");
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
    void call(std::string_view route, std::uint64_t contract,
              std::string_view shape) noexcept override {
        into_.calls.push_back({std::string(route), contract, std::string(shape)});
    }

private:
    static void add(std::vector<module::route>& to, const door::method_info& info) {
        to.push_back({std::string(info.object), std::string(info.method), info.is_serial,
                      info.contract, std::string(info.request_shape),
                      std::string(info.reply_shape)});
    }
    listing& into_;
};

void take_away(const fs::path& file) {
    std::error_code ignored;
    fs::remove(file, ignored);
}

error not_written(const fs::path& copy, int number) {
    return fault(fmt::format("no way to copy it to {}: {}", copy.string(), std::strerror(number)),
                 "a copy in the run folder", "make room there");
}

/// 0, or errno.
int write_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(to, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return 0;
}

/// The pages of the segments that are not writable: what stands there is the file's and comes back
/// from it. Empty when the system does not say where they lie.
std::vector<std::span<char>> unwritten_pages(void* opened, const elf_facts& facts) {
    link_map* map = nullptr;
    if (::dlinfo(opened, RTLD_DI_LINKMAP, &map) != 0) {
        return {};
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto first = [page](const segment& of) { return of.address / page; };
    const auto end = [page](const segment& of) { return (of.address + of.size + page - 1) / page; };
    std::vector<std::span<char>> out;
    for (const auto& one : facts.segments) {
        const bool is_shared = std::ranges::any_of(facts.segments, [&](const segment& other) {
            return other.is_writable && first(other) < end(one) && first(one) < end(other);
        });
        if (!is_shared) {
            // NOLINTNEXTLINE(performance-no-int-to-ptr): the system's loader tells a number
            auto* begin = reinterpret_cast<char*>(map->l_addr + first(one) * page);
            out.emplace_back(begin, (end(one) - first(one)) * page);
        }
    }
    return out;
}

} // namespace

fs::path default_folder(const fs::path& exe) {
    const auto beside = (exe.parent_path() / ".." / "plugins").lexically_normal();
    const auto installed = (exe.parent_path() / "../lib/shaddock/plugins").lexically_normal();
    std::error_code ignored;
    return !fs::exists(beside, ignored) && fs::exists(installed, ignored) ? installed : beside;
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

loader::loader(fs::path folder, std::string owner, limits bounds)
    : folder_(std::move(folder)), owner_(std::move(owner)), limits_(bounds) {
    std::error_code failed;
    fs::create_directories(folder_, failed);
    for (const auto& entry : fs::directory_iterator(folder_, failed)) {
        if (entry.path().filename().string().starts_with(owner_ + "@")) {
            take_away(entry.path());
        }
    }
}

loader::~loader() {
    for (const auto& one : copies_) {
        take_away(one.path);
    }
}

result<void> loader::may_open_more() const {
    if (opened_ >= limits_.most) {
        return fault(fmt::format("{} modules opened since the start", opened_),
                     fmt::format("fewer than {}, since what is opened stays mapped", limits_.most),
                     "restart the server; what serves now goes on");
    }
    const auto next = opened_ + 1;
    if (next >= limits_.warn_from && (next - limits_.warn_from) % limits_.warn_every == 0) {
        base::log::warn("module",
                        "{} modules opened since the start; each stays mapped, at {} no more are "
                        "opened: restart the server when it suits",
                        next, limits_.most);
    }
    return {};
}

result<fs::path> loader::write_copy(const fs::path& file, std::string_view bytes) {
    auto path = folder_ / fmt::format("{}@{}@{}", owner_, ++written_, file.filename().string());
    take_away(path);
    const int to = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IXUSR);
    if (to < 0) {
        return not_written(path, errno);
    }
    const int failed = write_all(to, bytes);
    const int not_closed = ::close(to) == 0 ? 0 : errno;
    if (failed != 0 || not_closed != 0) {
        take_away(path);
        return not_written(path, failed != 0 ? failed : not_closed);
    }
    return path;
}

void loader::keep(copy made) {
    const auto is_of_same_file = [&made](const copy& other) { return other.of == made.of; };
    const auto before = std::ranges::count_if(copies_, is_of_same_file);
    if (before >= copies_kept) {
        const auto oldest = std::ranges::find_if(copies_, is_of_same_file);
        take_away(oldest->path);
        for (const auto& part : oldest->unwritten) {
            ::madvise(part.data(), part.size(), MADV_DONTNEED);
        }
        copies_.erase(oldest);
    }
    copies_.push_back(std::move(made));
}

result<loader::found> loader::open(const fs::path& file, std::string_view type) {
    auto source = read_source(file);
    if (!source) {
        return about(file, source.error());
    }
    auto facts = read_elf(source->bytes, source->file_size);
    if (!facts) {
        return about(file, facts.error());
    }
    if (const auto good = check(*facts, type); !good) {
        return about(file, good.error());
    }
    if (const auto room = may_open_more(); !room) {
        return about(file, room.error());
    }
    forget_sections(source->bytes);
    const auto path = write_copy(file, source->bytes);
    if (!path) {
        return about(file, path.error());
    }
    std::error_code failed;
    boost::dll::shared_library library;
    // RTLD_NODELETE: whatever is closed, the mapping stays.
    constexpr auto stays = static_cast<boost::dll::load_mode::type>(RTLD_NODELETE);
    library.load(*path, failed,
                 boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local | stays);
    if (failed) {
        const auto* said = ::dlerror();
        take_away(*path);
        return about(file, not_opened(*path, said != nullptr ? said : failed.message()));
    }
    ++opened_;
    keep({file, *path, unwritten_pages(library.native(), *facts)});
    const auto& door = library.get<const door::plugin_door>(door::door_symbol);
    facts->door->fingerprint = door.fingerprint;
    facts->door->type = door.type;
    if (const auto good = check(*facts, type); !good) {
        return about(file, good.error());
    }
    return found{&door, *door.build_id != '\0' ? door.build_id : facts->build_id};
}

result<library> loader::load(const fs::path& file, std::string_view type) {
    const auto opened = open(file, type);
    if (!opened) {
        return opened.error();
    }
    return library(*opened->door, ++loaded_, opened->build_id);
}

result<listing> loader::list_routes(const fs::path& file, std::string_view type) {
    const auto opened = open(file, type);
    if (!opened) {
        return opened.error();
    }
    const auto& door = *opened->door;
    listing listed{door.type, door.version, opened->build_id, {}, {}, {}};
    lister into(listed);
    try {
        door.describe(into);
    } catch (const std::exception& failed) {
        return error(errc::config, file.string() + ": could not list its routes: " + failed.what());
    }
    return listed;
}

} // namespace shaddock::module
