#include "kept_rooms.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace shaddock::node {
namespace {

std::filesystem::path file_of(const std::filesystem::path& run, std::string_view id) {
    return run / fmt::format("{}.rooms", id);
}

} // namespace

std::string read_kept_rooms(const std::filesystem::path& run, std::string_view id) {
    std::string bytes;
    if (std::ifstream file(file_of(run, id), std::ios::binary); file) {
        bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
}

void forget_kept_rooms(const std::filesystem::path& run, std::string_view id) {
    std::error_code ignored;
    std::filesystem::remove(file_of(run, id), ignored);
}

/// The run folder is its user's alone.
void keep_rooms(const std::filesystem::path& run, std::string_view id, std::string_view bytes) {
    const auto path = file_of(run, id);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
        base::log::error("host", "{}: cannot be written: what plugins know of their rooms is lost",
                         path.string());
        forget_kept_rooms(run, id);
    }
}

} // namespace shaddock::node
