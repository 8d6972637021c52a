#include "check.hpp"

#include <config/load.hpp>
#include <protocol/dictionary.hpp>
#include <protocol/utf8.hpp>

#include <rapidjson/document.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

namespace {

rapidjson::Document object_of(std::string_view json) {
    rapidjson::Document document;
    document.Parse(json.data(), json.size());
    check(!document.HasParseError() && document.IsObject(), "a part is a JSON object");
    return document;
}

std::string_view text_of(const rapidjson::Value& value) {
    return {value.GetString(), value.GetStringLength()};
}

/// Every code has its route and every route its last code, in both parts as in the questions.
void check_agreement(const route_dictionary& dictionary) {
    const auto routes = object_of(dictionary.parts().code_to_route);
    check(routes.MemberCount() == dictionary.size(), "every code has a route");
    std::size_t code = 0;
    for (const auto& member : routes.GetObject()) {
        ++code;
        check(text_of(member.name) == std::to_string(code), "codes ascend from 1");
        const std::string_view route = text_of(member.value);
        check(dictionary.route_of(static_cast<std::uint16_t>(code)) == route, "the same route");
        check(dictionary.code_of(route) >= code, "its route has this code, or a later one");
    }
    check(dictionary.route_of(static_cast<std::uint16_t>(code + 1)).empty(), "no code after it");
    const auto codes = object_of(dictionary.parts().route_to_code);
    for (const auto& member : codes.GetObject()) {
        const std::uint16_t own = dictionary.code_of(text_of(member.name));
        check(own != 0 && member.value.GetUint() == own, "the same code");
        check(dictionary.route_of(own) == text_of(member.name), "a route's code leads back to it");
    }
    check(dictionary.version().size() == 24, "a version");
}

void check_routes(std::vector<std::string> handlers, const std::vector<std::string>& extra) {
    const auto first = route_dictionary::build(handlers, extra);
    if (!first) {
        check(first.error().code() == shaddock::errc::config, "refused as config");
        return;
    }
    check_agreement(*first);
    std::vector<std::string> backwards(handlers.rbegin(), handlers.rend());
    backwards.insert(backwards.end(), handlers.begin(), handlers.end());
    const auto second = route_dictionary::build(std::move(backwards), extra);
    check(second && second->version() == first->version() &&
              second->parts().code_to_route == first->parts().code_to_route,
          "neither the order of handlers nor doubles matter");
}

/// The folder with the file; gone at the end of the program.
class temporary_folder {
public:
    temporary_folder()
        : path_((std::filesystem::temp_directory_path() / "fuzz_dictionary_XXXXXX").string()) {
        check(mkdtemp(path_.data()) != nullptr, "a folder for the file");
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::filesystem::path path() const { return path_; }

private:
    std::string path_;
};

void check_file(std::string_view text) {
    static const temporary_folder folder;
    std::ofstream(folder.path() / "dictionary.json", std::ios::binary) << text;
    const auto routes = shaddock::config::read_dictionary(folder.path(), "development");
    if (!routes) {
        check(routes.error().code() == shaddock::errc::config, "refused as config");
        return;
    }
    check_routes({"chat.chatHandler.send", "gate.gateHandler.queryEntry"}, *routes);
    const auto is_text = [](const std::string& route) { return is_utf8(route); };
    // Half of a surrogate pair, which JSON can write, is refused: no client could be told that
    // route.
    check(std::ranges::all_of(*routes, is_text), "what the file may say is text");
    check(route_dictionary::build({}, *routes).has_value(), "what the file may say can be built");
}

void check_lines(std::string_view text) {
    std::vector<std::string> handlers;
    std::vector<std::string> extra;
    bool is_extra = false;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.empty() && !is_extra) {
            is_extra = true;
        } else {
            (is_extra ? extra : handlers).emplace_back(line);
        }
    }
    check_routes(std::move(handlers), extra);
}

} // namespace

/// The input as lines: handlers and, after an empty one, extra routes; and as the text of the file
/// dictionary.json.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    check_lines(in);
    // Files are slow; what begins otherwise is refused at its first byte.
    const std::size_t first = in.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && (in[first] == '[' || in[first] == '{')) {
        check_file(in);
    }
    return 0;
}
