#include "control/codec.hpp"
#include "metrics.hpp"
#include "rows.hpp"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <gmock/gmock.h>
#include <rapidjson/document.h>

#include <fmt/format.h>

namespace shaddock::master {
namespace {

using testing::HasSubstr;

/// A value that no other member has.
template <class Value>
void mark(Value& value, int number) {
    if constexpr (std::is_same_v<Value, std::string>) {
        value = fmt::format("text {}", number);
    } else if constexpr (std::is_same_v<Value, std::optional<control::rooms_left>>) {
        value = control::rooms_left{2000, 3000};
    } else {
        value = static_cast<Value>(1000 + number);
    }
}

/// Reads the member under its name, and compares it.
template <class Value>
bool is_in(const rapidjson::Value& object, const char* name, const Value& value) {
    const auto at = object.FindMember(name);
    if (at == object.MemberEnd()) {
        return false;
    }
    if constexpr (std::is_same_v<Value, std::string>) {
        return at->value.IsString() && value == at->value.GetString();
    } else if constexpr (std::is_same_v<Value, std::optional<control::rooms_left>>) {
        return at->value.IsObject() && is_in(at->value, "rooms", value->rooms) &&
               is_in(at->value, "members", value->members);
    } else {
        return at->value.IsUint64() && value == at->value.GetUint64();
    }
}

/// Whoever adds a member to control::server_status adds it nowhere else.
TEST(one_status, is_seen_with_every_member_in_the_list_the_api_and_the_metrics) {
    using members =
        boost::describe::describe_members<control::server_status, boost::describe::mod_public>;
    control::server_status said;
    int number = 0;
    boost::mp11::mp_for_each<members>([&](auto member) { mark(said.*member.pointer, ++number); });
    said.state = "ready"; // what the master says itself

    // Over the line to the master, which keeps it.
    const auto heard = control::from_json<control::server_status>(control::to_json(said));
    ASSERT_TRUE(heard);
    child_report child;
    static_cast<control::server_status&>(child) = *heard;
    child.id = "chat-1";
    child.type = "chat";

    // `host list --json` prints what `GET /api/servers` answers.
    rapidjson::Document list;
    const auto rows = control::to_json(control::server_rows{row_of(child, false, false, false)});
    list.Parse(rows.c_str());
    const auto families = process_families(child, base::process_usage{}, true);
    const auto metrics = prometheus_text({{"chat-1", "chat", families}});
    boost::mp11::mp_for_each<members>([&](auto member) {
        const auto& value = said.*member.pointer;
        EXPECT_TRUE(is_in(list[0], member.name, value)) << member.name << " in " << rows;
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
            EXPECT_THAT(metrics, HasSubstr(fmt::format("{}=\"{}\"", member.name, value)));
        } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>,
                                            std::optional<control::rooms_left>>) {
            EXPECT_THAT(metrics,
                        HasSubstr(fmt::format("member=\"{}.rooms\"}} 2000\n", member.name)));
        } else {
            EXPECT_THAT(metrics,
                        HasSubstr(fmt::format("member=\"{}\"}} {}\n", member.name, value)));
        }
    });
}

} // namespace
} // namespace shaddock::master
