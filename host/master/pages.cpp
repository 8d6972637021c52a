#include "pages.hpp"

#include <fmt/format.h>

#include <array>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace shaddock::master {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t file_limit_bytes = std::uintmax_t{16} * 1024 * 1024;

constexpr const char* chat_policy =
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
constexpr const char* admin_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct file_type {
    std::string_view extension;
    std::string_view content_type;
};
constexpr std::array file_types{
    file_type{".html", "text/html; charset=utf-8"},
    file_type{".js", "text/javascript; charset=utf-8"},
    file_type{".mjs", "text/javascript; charset=utf-8"},
    file_type{".css", "text/css; charset=utf-8"},
    file_type{".json", "application/json"},
    file_type{".webmanifest", "application/manifest+json"},
    file_type{".svg", "image/svg+xml"},
    file_type{".png", "image/png"},
    file_type{".jpg", "image/jpeg"},
    file_type{".ico", "image/x-icon"},
    file_type{".webp", "image/webp"},
    file_type{".woff2", "font/woff2"},
    file_type{".txt", "text/plain; charset=utf-8"},
    file_type{".md", "text/markdown; charset=utf-8"},
};

std::string_view content_type(const fs::path& file) {
    const auto extension = file.extension().string();
    for (const auto& known : file_types) {
        if (known.extension == extension) {
            return known.content_type;
        }
    }
    return "application/octet-stream";
}

http_response plain(unsigned status, std::string text) {
    http_response answer;
    answer.status = status;
    answer.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
    answer.body = std::move(text);
    return answer;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The path of a target, decoded; nothing when it is not one.
std::optional<std::string> decode_path(std::string_view target) {
    target = target.substr(0, target.find_first_of("?#"));
    if (target.empty() || target.front() != '/') {
        return std::nullopt;
    }
    std::string path;
    for (std::size_t i = 0; i < target.size(); ++i) {
        char c = target[i];
        if (c == '%') {
            const int high = i + 2 < target.size() ? hex_digit(target[i + 1]) : -1;
            const int low = i + 2 < target.size() ? hex_digit(target[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return std::nullopt;
            }
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || c == '\\') {
            return std::nullopt;
        }
        path.push_back(c);
    }
    return path;
}

/// False for `..`, `.`, hidden names: none of them is part of a page.
bool has_plain_segments(std::string_view path) {
    for (std::size_t at = 0; at != std::string_view::npos; at = path.find('/', at)) {
        ++at;
        if (at < path.size() && path[at] == '.') {
            return false;
        }
    }
    return true;
}

bool is_inside(const fs::path& root, const fs::path& file) {
    const auto [end, ignored] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
    return end == root.end();
}

/// The file that a target names, or nothing.
std::optional<fs::path> find_file(const fs::path& root, std::string_view target, page_kind kind) {
    const auto path = decode_path(target);
    if (!path || !has_plain_segments(*path)) {
        return std::nullopt;
    }
    std::error_code failed;
    auto file = root / fs::path(path->substr(std::min(path->find_first_not_of('/'), path->size())));
    if (fs::is_directory(file, failed)) {
        file /= "index.html";
    }
    file = fs::canonical(file, failed);
    if (failed || !is_inside(root, file) || !fs::is_regular_file(file, failed) || failed) {
        return std::nullopt;
    }
    if (kind == page_kind::chat && is_inside(root / "admin", file)) {
        return std::nullopt;
    }
    return file;
}

struct open_file {
    explicit open_file(const fs::path& path)
        : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() {
        if (fd >= 0) {
            close(fd);
        }
    }
    int fd;
};

std::optional<std::string> read_all(int fd, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
        const auto n = read(fd, bytes.data() + got, size - got);
        if (n <= 0) {
            return std::nullopt;
        }
        got += static_cast<std::size_t>(n);
    }
    return bytes;
}

http_response answer_file(const fs::path& root, const http_request& request, page_kind kind) {
    if (request.method != "GET" && request.method != "HEAD") {
        auto answer = plain(405, "only GET and HEAD\n");
        answer.headers.emplace_back("Allow", "GET, HEAD");
        return answer;
    }
    const auto path = find_file(root, request.target, kind);
    if (!path) {
        return plain(404, "no such page\n");
    }
    const open_file file(*path);
    struct stat info {};
    if (file.fd < 0 || fstat(file.fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        static_cast<std::uintmax_t>(info.st_size) > file_limit_bytes) {
        return plain(404, "no such page\n");
    }
    http_response answer;
    const auto tag =
        fmt::format("\"{:x}-{:x}-{:x}\"", info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size);
    answer.headers = {{"ETag", tag}, {"Cache-Control", "no-cache"}};
    if (request.if_none_match == "*" || request.if_none_match.find(tag) != std::string::npos) {
        answer.status = 304;
        return answer;
    }
    auto bytes = read_all(file.fd, static_cast<std::size_t>(info.st_size));
    if (!bytes) {
        return plain(503, "the page is being changed\n");
    }
    answer.headers.emplace_back("Content-Type", content_type(*path));
    answer.body = std::move(*bytes);
    return answer;
}

} // namespace

http_response serve_file(const fs::path& root, const http_request& request, page_kind kind) {
    auto answer = answer_file(root, request, kind);
    answer.headers.emplace_back("Content-Security-Policy",
                                kind == page_kind::chat ? chat_policy : admin_policy);
    return answer;
}

} // namespace shaddock::master
