#include "private_file.hpp"

#include "base/random.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

namespace shaddock::master {
namespace {

namespace fs = std::filesystem;

std::string system_text() {
    return std::generic_category().message(errno);
}

error cannot_write(const fs::path& file) {
    return {errc::config, fmt::format("cannot write {}: {}", file.string(), system_text())};
}

} // namespace

result<void> write_private_file(const fs::path& file, std::string_view text) {
    const auto fresh = fs::path(fmt::format("{}.{}.new", file.string(), getpid()));
    unlink(fresh.c_str());
    const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return cannot_write(fresh);
    }
    errno = ENOSPC; // of a write that was cut short
    const bool is_whole = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int failed = errno;
    close(fd);
    errno = failed;
    if (!is_whole || rename(fresh.c_str(), file.c_str()) != 0) {
        const auto why = cannot_write(file);
        unlink(fresh.c_str());
        return why;
    }
    return {};
}

result<std::string> read_small_file(const fs::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error(errc::not_found, fmt::format("{}: {}", file.string(), system_text()));
    }
    std::string text(std::size_t{64} * 1024, '\0');
    const auto got = read(fd, text.data(), text.size());
    close(fd);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return {boost::system::in_place_value, std::move(text)};
}

std::string random_token() {
    std::string token;
    for (const char byte : base::random_bytes(32)) {
        token += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    return token;
}

} // namespace shaddock::master
