#include "master/page_server.hpp"

#include "http.hpp"
#include "pages.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace shaddock::master {

namespace fs = std::filesystem;

namespace {

/// Where the host's own pages may be.
std::vector<fs::path> web_folders(const fs::path& config_folder, const fs::path& exe) {
    const auto bin = exe.parent_path();
    return {config_folder.parent_path() / "web", bin / "../web", bin / "../share/shaddock/web",
            bin / "../../../web"};
}

result<fs::path> find_index(const std::vector<fs::path>& places, std::string_view what) {
    std::vector<std::string> looked;
    for (const auto& place : places) {
        std::error_code failed;
        const auto folder = fs::canonical(place, failed);
        if (!failed && fs::is_regular_file(folder / "index.html", failed)) {
            return {boost::system::in_place_value, folder};
        }
        looked.push_back(fs::absolute(place).lexically_normal().string());
    }
    return error(errc::not_found,
                 fmt::format("{}: no index.html in {}", what, fmt::join(looked, ", ")));
}

} // namespace

result<fs::path> find_page_folder(const std::optional<fs::path>& wanted,
                                  const fs::path& config_folder, const fs::path& exe) {
    const auto places =
        wanted && !wanted->empty() ? std::vector{*wanted} : web_folders(config_folder, exe);
    return find_index(places, "the page");
}

result<fs::path> find_admin_folder(const fs::path& config_folder, const fs::path& exe) {
    auto places = web_folders(config_folder, exe);
    for (auto& place : places) {
        place /= "admin";
    }
    return find_index(places, "the admin page");
}

struct page_server::state {
    state(const boost::asio::any_io_executor& executor, base::clock& clock, fs::path folder)
        : root(std::move(folder)),
          server(executor, clock, {}, [this](const http_request& request, http_reply reply) {
              reply(serve_file(root, request));
          }) {}
    fs::path root;
    http_server server;
};

page_server::page_server(const boost::asio::any_io_executor& executor, base::clock& clock,
                         const fs::path& folder)
    : state_(std::make_unique<state>(executor, clock, fs::canonical(folder))) {}
page_server::~page_server() = default;

result<void> page_server::start(const std::string& host, std::uint16_t port) {
    auto listening = state_->server.start(host, port);
    if (!listening) {
        return error(errc::config, fmt::format("the page: {}", listening.error().text()));
    }
    return {};
}

std::uint16_t page_server::port() const {
    return state_->server.port();
}
std::size_t page_server::connections() const {
    return state_->server.connections();
}
void page_server::stop() {
    state_->server.stop();
}

} // namespace shaddock::master
