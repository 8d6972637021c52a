#include "proto_replies.hpp"

#include "server/message_shape.hpp"

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace shaddock::cli {
namespace {

using server::message_shape;
using kind = message_shape::kind;

std::string text_of_field(const rapidjson::Value& field, const char* key) {
    const auto at = field.FindMember(key);
    return at != field.MemberEnd() && at->value.IsString() ? at->value.GetString() : "";
}

/// What a value is when it is there; nothing: that is not known.
const message_shape* value_of(const message_shape& of) {
    if (of.what == kind::nullable) {
        return value_of(of.parts.front());
    }
    const bool is_open =
        of.what == kind::anything || of.what == kind::itself || of.what == kind::one_of;
    return is_open ? nullptr : &of;
}

/// The replies of one route.
class comparison {
public:
    comparison(const rapidjson::Value& protos, std::vector<std::string>& into)
        : protos_(protos), into_(into) {}

    void compare(const rapidjson::Value& proto, const message_shape& reply,
                 const std::string& path) {
        for (const auto& field : proto.GetObject()) {
            const std::string name = field.name.GetString();
            if (!field.value.IsObject() || name.starts_with("__")) {
                continue;
            }
            const auto at = path.empty() ? name : fmt::format("{}.{}", path, name);
            const auto member = std::ranges::find(reply.parts, name, &message_shape::name);
            const bool is_required = text_of_field(field.value, "option") == "required";
            if (member == reply.parts.end()) {
                if (is_required) {
                    into_.push_back(fmt::format("found no member '{}' in its replies, expected "
                                                "one: the field is required",
                                                at));
                }
                continue;
            }
            const bool may_lack =
                member->when == message_shape::presence::optional || member->what == kind::nullable;
            if (is_required && may_lack) {
                into_.push_back(fmt::format("found the member '{}', which its replies may lack, "
                                            "expected one that is always there: the field is "
                                            "required",
                                            at));
            }
            compare_value(proto, field.value, *member, at);
        }
    }

private:
    void compare_value(const rapidjson::Value& proto, const rapidjson::Value& field,
                       const message_shape& member, const std::string& at) {
        const auto* value = value_of(member);
        if (value != nullptr && text_of_field(field, "option") == "repeated") {
            if (value->what == kind::list || value->what == kind::array) {
                value = value_of(value->parts.front());
            } else if (value->what != kind::tuple) {
                return unfit(at, "a list: the field is repeated");
            }
        }
        if (value == nullptr || value->what == kind::tuple) {
            return;
        }
        const auto type = text_of_field(field, "type");
        if (const auto* message = message_of(proto, type)) {
            if (value->what == kind::object) {
                compare(*message, *value, at);
            } else if (value->what != kind::map) {
                unfit(at, fmt::format("an object: the field is of type {}", type));
            }
        } else if (type == "string") {
            if (value->what != kind::text && value->what != kind::names) {
                unfit(at, "a text: the field is of type string");
            }
        } else if (value->what != kind::number) {
            unfit(at, fmt::format("a number: the field is of type {}", type));
        }
    }

    const rapidjson::Value* message_of(const rapidjson::Value& around,
                                       const std::string& type) const {
        const auto find = [](const rapidjson::Value& in, const std::string& name) {
            const auto at = in.FindMember(name.c_str());
            return at != in.MemberEnd() && at->value.IsObject() ? &at->value : nullptr;
        };
        const auto* own = find(around, "__messages");
        own = own != nullptr ? find(*own, type) : nullptr;
        return own != nullptr ? own : find(protos_, "message " + type);
    }

    void unfit(const std::string& at, const std::string& wanted) {
        into_.push_back(fmt::format(
            "found a member '{}' of another kind in its replies, expected {}", at, wanted));
    }

    const rapidjson::Value& protos_;
    std::vector<std::string>& into_;
};

} // namespace

std::vector<unfit_reply> unfit_replies(const protocol::proto_set& protos,
                                       const std::map<std::string, std::string>& replies) {
    std::vector<unfit_reply> found;
    rapidjson::Document all;
    all.Parse<rapidjson::kParseIterativeFlag>(protos.parsed_json().c_str());
    if (all.HasParseError() || !all.IsObject()) {
        return found;
    }
    const rapidjson::Value& root = all;
    for (const auto& [route, shape] : replies) {
        const auto proto = root.FindMember(route.c_str());
        const auto reply = server::read_shape(shape);
        if (proto == root.MemberEnd() || !reply) {
            continue;
        }
        std::vector<std::string> texts;
        if (const auto* object = value_of(*reply); object != nullptr) {
            if (object->what == kind::object) {
                comparison(root, texts).compare(proto->value, *object, "");
            } else if (object->what != kind::map) {
                texts.emplace_back("found replies that are no objects, expected what has the "
                                   "fields of its proto");
            }
        }
        for (auto& text : texts) {
            found.push_back({route, std::move(text)});
        }
    }
    return found;
}

} // namespace shaddock::cli
