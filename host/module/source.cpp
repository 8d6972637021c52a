#include "source.hpp"

#include "elf.hpp"
#include "fault.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace shaddock::module {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t file_limit_bytes = 256ULL * 1024 * 1024;
constexpr int most_readings = 3;

class descriptor {
public:
    // O_NONBLOCK: a pipe in the place of a file must not hold the server.
    explicit descriptor(const fs::path& file)
        : value_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (value_ >= 0) {
            ::close(value_);
        }
    }
    int value() const { return value_; }

private:
    int value_;
};

error unreadable(int number) {
    return fault(std::strerror(number), "a file that can be read",
                 "build or copy the module there, or name another under `types:` in host.yaml");
}

result<struct stat> look_at(int file) {
    struct stat found {};
    if (::fstat(file, &found) != 0) {
        return unreadable(errno);
    }
    return found;
}

/// Where the opened file really is. A path read now could already be another file's.
fs::path place_of(int opened, const fs::path& file) {
    std::error_code failed;
    auto place = fs::read_symlink("/proc/self/fd/" + std::to_string(opened), failed);
    return failed ? fs::canonical(file, failed) : place;
}

result<void> check_owner(const fs::path& file, const struct stat& found) {
    if (!S_ISREG(found.st_mode)) {
        return fault(S_ISDIR(found.st_mode) ? "a folder" : "no regular file",
                     "the file of a module", "name the .so file itself");
    }
    if (found.st_uid != 0 && found.st_uid != ::geteuid()) {
        return fault(fmt::format("a file of user {}", found.st_uid),
                     fmt::format("one of user {}, whose server this is, or of root", ::geteuid()),
                     fmt::format("chown it: chown {} {}", ::geteuid(), file.string()));
    }
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fault(fmt::format("mode {:04o}", found.st_mode & 07777U),
                     "a file that nobody but its owner may write",
                     fmt::format("chmod go-w {}", file.string()));
    }
    return {};
}

result<void> check_folder(const fs::path& folder) {
    struct stat found {};
    if (::stat(folder.c_str(), &found) != 0) {
        return unreadable(errno);
    }
    if ((found.st_mode & S_IWOTH) != 0 && (found.st_mode & S_ISVTX) == 0) {
        return fault(fmt::format("it in {}, mode {:04o}", folder.string(), found.st_mode & 07777U),
                     "a folder where not everybody may put another file in its place",
                     fmt::format("chmod o-w {}", folder.string()));
    }
    return {};
}

result<void> check_place(const fs::path& file, const fs::path& place) {
    std::error_code failed;
    const auto folder =
        fs::canonical(file.parent_path().empty() ? "." : file.parent_path(), failed);
    const auto out = place.parent_path().lexically_relative(folder);
    if (failed || out.empty() || *out.begin() == "..") {
        return fault("a link that leads to " + place.string(), "a file in " + folder.string(),
                     "put the file itself there, or its whole path under `types:` in host.yaml");
    }
    if (const auto good = check_folder(place.parent_path()); !good) {
        return good.error();
    }
    return check_folder(folder);
}

/// Appends up to `size` bytes in all; false when the file ends before.
bool read_up_to(int file, std::string& bytes, std::uint64_t size) {
    std::uint64_t have = bytes.size();
    bytes.resize(size);
    while (have < size) {
        const auto got = ::pread(file, bytes.data() + have, size - have, static_cast<off_t>(have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            bytes.resize(have);
            return false;
        }
        have += static_cast<std::uint64_t>(got);
    }
    return true;
}

struct reading {
    std::string bytes;
    bool is_whole = false;
};

result<reading> read_bytes(int file, std::uint64_t size) {
    reading out;
    if (!read_up_to(file, out.bytes, std::min<std::uint64_t>(size, elf_head_bytes))) {
        return out;
    }
    const auto wanted = opened_bytes(out.bytes, size);
    if (!wanted) {
        return wanted.error();
    }
    out.is_whole = *wanted <= out.bytes.size() || read_up_to(file, out.bytes, *wanted);
    out.bytes.resize(std::min<std::uint64_t>(out.bytes.size(), *wanted));
    return out;
}

bool is_same(const struct stat& before, const struct stat& after) {
    const auto times = [](const struct stat& of) {
        return std::pair(std::pair(of.st_mtim.tv_sec, of.st_mtim.tv_nsec),
                         std::pair(of.st_ctim.tv_sec, of.st_ctim.tv_nsec));
    };
    return before.st_size == after.st_size && times(before) == times(after);
}

} // namespace

result<source> read_source(const fs::path& file, const std::function<void()>& after_read) {
    const descriptor in(file);
    if (in.value() < 0) {
        return unreadable(errno);
    }
    if (const auto good = check_place(file, place_of(in.value(), file)); !good) {
        return good.error();
    }
    for (int i = 0; i < most_readings; ++i) {
        const auto before = look_at(in.value());
        if (!before) {
            return before.error();
        }
        if (const auto good = check_owner(file, *before); !good) {
            return good.error();
        }
        const auto size = static_cast<std::uint64_t>(before->st_size);
        if (size > file_limit_bytes) {
            return fault(fmt::format("{} bytes", size), fmt::format("at most {}", file_limit_bytes),
                         "link it without debug information");
        }
        auto read = read_bytes(in.value(), size);
        after_read();
        const auto after = look_at(in.value());
        if (!after || !is_same(*before, *after)) {
            continue;
        }
        if (!read) {
            return read.error();
        }
        if (read->is_whole) {
            return source{std::move(read->bytes), size};
        }
    }
    return fault("a file that changes while it is read", "one that is finished",
                 "link to another name and rename it, as shaddock_add_plugin() does");
}

} // namespace shaddock::module
