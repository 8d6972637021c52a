#include "vectors.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace shaddock::protocol::testing {

namespace {

std::filesystem::path vectors_folder() {
    if (const char* named = std::getenv("SHADDOCK_VECTORS")) {
        return named;
    }
    return std::filesystem::path(SHADDOCK_TEST_SOURCE_DIR) / "tests" / "vectors";
}

unsigned hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<unsigned>(c - 'a' + 10);
    }
    throw std::runtime_error("vectors: not a hex digit: " + std::string(1, c));
}

} // namespace

rapidjson::Document read_vectors(std::string_view file_name) {
    const auto path = vectors_folder() / file_name;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("vectors: cannot read " + path.string());
    }
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    rapidjson::Document document;
    document.Parse<rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
    if (document.HasParseError() || !document.IsArray() || document.Empty()) {
        throw std::runtime_error("vectors: not a JSON array with cases: " + path.string());
    }
    return document;
}

std::string from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) {
        throw std::runtime_error("vectors: an odd number of hex digits");
    }
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes.push_back(static_cast<char>(hex_digit(hex[i]) << 4 | hex_digit(hex[i + 1])));
    }
    return bytes;
}

std::string text_of(const rapidjson::Value& object, const char* member) {
    const auto found = object.FindMember(member);
    if (found == object.MemberEnd() || !found->value.IsString()) {
        return {};
    }
    return {found->value.GetString(), found->value.GetStringLength()};
}

} // namespace shaddock::protocol::testing
