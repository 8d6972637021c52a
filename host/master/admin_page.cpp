#include "admin_page.hpp"

#include "pages.hpp"

#include <fmt/format.h>

namespace shaddock::master {
namespace {

constexpr std::string_view prefix = "/admin";

} // namespace

bool is_of_admin_page(std::string_view target) {
    const auto path = target.substr(0, target.find('?'));
    return path == prefix || path.starts_with("/admin/");
}

http_response serve_admin_page(const std::filesystem::path& folder, const http_request& request) {
    http_request inside = request;
    inside.target = request.target.substr(prefix.size());
    if (inside.target.empty() || inside.target.front() != '/') {
        inside.target = fmt::format("/{}", inside.target);
    }
    return serve_file(folder, inside, page_kind::admin);
}

} // namespace shaddock::master
