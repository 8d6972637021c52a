#include "check.hpp"

#include <shaddock/json.hpp>
#include <shaddock/names.hpp>

#include <protocol/utf8.hpp>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

using shaddock::fuzz::check;
namespace json = shaddock::json;

namespace {

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct point {
    double x = 0;
    std::int32_t y = 7;
    static constexpr shaddock::defaults defaults{"y"};
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

/// One member of each kind that a message may have.
struct everything {
    bool yes = false;
    std::uint64_t count = 0;
    std::string text;
    std::optional<std::string> note;
    std::vector<point> points;
    std::array<std::int8_t, 2> pair{};
    std::tuple<std::string, bool> both;
    std::map<std::string, float> scores;
    std::map<std::int32_t, std::string> names;
    std::variant<std::string, std::int64_t, point> key;
    colour tint = colour::red;
    shaddock::raw_json extra;
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (yes, count, text, note, points, pair, both, scores, names, key, tint, extra))

template <class T>
void check_one(std::string_view in) {
    const auto read = json::decode<T>(in);
    const auto kept = json::decode_tolerant<T>(in);
    (void)json::decode_client_body<T>(in);
    check(!read || kept, "who is tolerant reads what is whole");
    if (!read) {
        check(read.error().code() == shaddock::errc::bad_request, "refused as bad_request");
        check(!read.error().text().empty(), "and says why");
        return;
    }
    const auto once = json::encode(*read);
    check(shaddock::protocol::is_utf8(once), "what is written is UTF-8");
    const auto again = json::decode<T>(once);
    check(again.has_value(), "what was written can be read");
    check(json::encode(*again) == once, "and is written in the same way");
}

} // namespace

/// A message of a client, read as several types.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    check_one<everything>(in);
    check_one<std::vector<point>>(in);
    check_one<std::variant<point, std::string, std::vector<std::string>, double>>(in);
    check_one<shaddock::raw_json>(in);
    if (!shaddock::broken_name_rule(in)) {
        check(size > 0 && size <= 256 && shaddock::protocol::is_utf8(in), "a name is short text");
    }
    return 0;
}
