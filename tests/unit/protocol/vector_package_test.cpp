#include "vector_cases.hpp"

#include <gtest/gtest.h>

#include <charconv>

namespace shaddock::protocol {
namespace {

using namespace testing;

/// `<count> x 0x<hex digit><hex digit>`
std::string noted_body(std::string_view note) {
    std::size_t count = 0;
    const auto read = std::from_chars(note.data(), note.data() + note.size(), count);
    note.remove_prefix(static_cast<std::size_t>(read.ptr - note.data()));
    if (note.size() != 7 || !note.starts_with(" x 0x")) {
        throw std::runtime_error("not a count and a byte");
    }
    return std::string(count, from_hex(note.substr(5)).front());
}

std::string body_of(const rapidjson::Value& package) {
    if (const auto* repeat = find(package, "bodyRepeat")) {
        return std::string((*repeat)["count"].GetUint(),
                           from_hex(text_of(*repeat, "byte")).front());
    }
    if (find(package, "bodyNote") != nullptr) {
        return noted_body(text_of(package, "bodyNote"));
    }
    return from_hex(text_of(package, "bodyHex"));
}

/// Names as the vectors have them.
std::string_view name_of(package_type type) {
    switch (type) {
    case package_type::handshake:
        return "handshake";
    case package_type::handshake_ack:
        return "ack"; // or handshake ack, ...
    case package_type::heartbeat:
        return "heartbeat";
    case package_type::data:
        return "data";
    case package_type::kick:
        return "kick";
    }
    return "";
}

std::vector<plain_package> packages_of(const rapidjson::Value& vector) {
    std::vector<plain_package> packages;
    for (const auto& package : vector["packages"].GetArray()) {
        const auto type = static_cast<package_type>(package["type"].GetUint());
        packages.push_back({type, body_of(package)});
        if (package.HasMember("typeName")) {
            const std::string name = text_of(package, "typeName");
            EXPECT_TRUE(type == package_type::handshake_ack ? name.ends_with("ack")
                                                            : name == name_of(type));
        }
    }
    return packages;
}

bool is_known(const plain_package& package) {
    return package.type >= package_type::handshake && package.type <= package_type::kick;
}

void expect_written(const rapidjson::Value& vector, const std::string& bytes) {
    if (const auto* length = find(vector, "length")) {
        EXPECT_EQ(bytes.size(), length->GetUint());
    }
    if (const auto* head = find(vector, "headHex")) {
        const std::string expected = from_hex(head->GetString());
        EXPECT_EQ(to_hex(bytes.substr(0, expected.size())), to_hex(expected));
    }
    if (const auto* sha256 = find(vector, "sha256")) {
        EXPECT_EQ(sha256_hex(bytes), sha256->GetString());
    }
    if (const auto* hex = find(vector, "hex")) {
        EXPECT_TRUE(bytes == from_hex(hex->GetString())) << "written: " << to_hex(bytes);
    }
}

void expect_read(const rapidjson::Value& vector, const std::string& bytes,
                 const std::vector<plain_package>& packages) {
    const auto first_unknown = std::find_if_not(packages.begin(), packages.end(), is_known);
    const std::vector<plain_package> expected(packages.begin(), first_unknown);
    const auto [read, end] = cut_all(bytes, max_package_body_bytes);
    EXPECT_TRUE(read == expected) << read.size() << " packages, expected " << expected.size();
    // The original takes any type here and closes afterwards.
    EXPECT_EQ(end, first_unknown == packages.end() ? cut_status::need_more : cut_status::bad_type);
    if (const auto* shape = find(vector, "decodesTo")) {
        EXPECT_EQ(std::string(shape->GetString()),
                  packages.size() == 1 ? "single object" : "array");
    }
    expect_same_at_every_split(bytes, max_package_body_bytes);
}

bool judge(const rapidjson::Value& vector) {
    const bool has_bytes = find(vector, "hex") != nullptr || find(vector, "sha256") != nullptr ||
                           (find(vector, "roundtrip") != nullptr && !vector["roundtrip"].GetBool());
    if (!has_bytes || find(vector, "packages") == nullptr) {
        return false;
    }
    const auto packages = packages_of(vector);
    std::string bytes;
    result<void> appended;
    for (const auto& package : packages) {
        appended = append_package(bytes, package.type, package.body);
        if (!appended) {
            break;
        }
    }
    if (!vector["roundtrip"].GetBool()) {
        // The original writes what it cannot read back; we refuse.
        EXPECT_FALSE(appended);
        EXPECT_TRUE(appended || appended.error().code() == errc::bad_request);
        return true;
    }
    EXPECT_TRUE(appended);
    expect_written(vector, bytes);
    expect_read(vector, bytes, packages);
    return true;
}

TEST(vector, package) {
    each_case("package.json", judge);
}

} // namespace
} // namespace shaddock::protocol
