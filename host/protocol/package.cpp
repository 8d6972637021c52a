#include <protocol/package.hpp>

#include <fmt/format.h>

namespace shaddock::protocol {

result<void> append_package(std::string& out, package_type type, std::string_view body) {
    if (body.size() > max_package_body_bytes) {
        return error(errc::bad_request,
                     fmt::format("package: the body has {} bytes, a package holds at most {}",
                                 body.size(), max_package_body_bytes));
    }
    out.reserve(out.size() + package_header_bytes + body.size());
    append_package_header(out, type, body.size());
    out.append(body);
    return {};
}

result<std::string> encode_package(package_type type, std::string_view body) {
    std::string out;
    if (auto appended = append_package(out, type, body); !appended) {
        return std::move(appended).error();
    }
    // In place: an error can be made of a string, too, so the plain conversion does not exist.
    return {boost::system::in_place_value, std::move(out)};
}

} // namespace shaddock::protocol
