#include "vector_cases.hpp"

#include <protocol/dictionary.hpp>
#include <protocol/handshake.hpp>
#include <protocol/protos.hpp>
#include <protocol/signature.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace shaddock::protocol {
namespace {

using namespace testing;

/// The dictionary of which these are the routes by code: as many of the first as stand in order
/// are handlers, the others extra ones.
route_dictionary dictionary_of(const std::vector<std::string>& routes) {
    const auto first_extra =
        std::is_sorted_until(routes.begin(), routes.end(), std::less_equal<>());
    std::vector<std::string> handlers(routes.begin(), first_extra);
    std::ranges::reverse(handlers); // the order in which they are found does not matter
    return route_dictionary::build(std::move(handlers), {first_extra, routes.end()}).value();
}

/// The proto file of a parsed form, whose fields become `<option> <type> <field>` again.
rapidjson::Value source_of(const rapidjson::Value& parsed, rapidjson::Document& owner) {
    rapidjson::Value source(rapidjson::kObjectType);
    auto& pool = owner.GetAllocator();
    const auto add = [&](const std::string& key, rapidjson::Value value) {
        source.AddMember(rapidjson::Value(key.c_str(), pool), value, pool);
    };
    for (const auto& member : parsed.GetObject()) {
        const std::string name = member.name.GetString();
        if (name == "__messages") {
            for (const auto& inner : member.value.GetObject()) {
                add(std::string("message ") + inner.name.GetString(),
                    source_of(inner.value, owner));
            }
        } else if (name != "__tags") {
            add(text_of(member.value, "option") + ' ' + text_of(member.value, "type") + ' ' + name,
                rapidjson::Value(member.value["tag"].GetUint()));
        }
    }
    return source;
}

proto_set protos_of(const rapidjson::Value& parsed) {
    rapidjson::Document source(rapidjson::kObjectType);
    for (const auto& route : parsed.GetObject()) {
        source.AddMember(rapidjson::Value(route.name, source.GetAllocator()),
                         source_of(route.value, source), source.GetAllocator());
    }
    const auto set = proto_set::parse(to_json(source));
    if (!set) {
        throw std::runtime_error("protos: " + set.error().path + ": " + set.error().text);
    }
    EXPECT_EQ(set->parsed_json(), to_json(parsed));
    return *set;
}

std::vector<std::string> routes_of(const rapidjson::Value& code_to_route) {
    std::vector<std::string> routes;
    for (std::size_t code = 1; code <= code_to_route.MemberCount(); ++code) {
        routes.push_back(text_of(code_to_route, std::to_string(code).c_str()));
    }
    return routes;
}

bool is_on(const rapidjson::Value& sys, const char* member) {
    const auto* value = find(sys, member);
    return value != nullptr && value->IsTrue();
}

/// The response as we write it, from the routes, protos and options that are in it.
std::string written_again(const rapidjson::Value& response) {
    if (response["code"].GetInt() != 200) {
        return handshake_failure(response["code"].GetInt());
    }
    const auto& sys = response["sys"];
    handshake_response ours;
    if (const auto* heartbeat = find(sys, "heartbeat")) {
        ours.heartbeat_s = heartbeat->GetUint();
    }
    ours.use_dict = is_on(sys, "useDict");
    ours.use_proto = is_on(sys, "useProto");
    route_dictionary dictionary = dictionary_of({});
    if (const auto* routes = find(sys, "codeToRoute")) {
        dictionary = dictionary_of(routes_of(*routes));
        ours.dictionary = dictionary.parts();
    }
    protos both;
    if (const auto* given = find(sys, "protos")) {
        both.server = protos_of((*given)["server"]);
        both.client = protos_of((*given)["client"]);
        both.version =
            protos_version(both.client, both.server, !text_of(*given, "version").empty());
        ours.protos = both.parts();
    }
    const auto* user = find(response, "user");
    const std::string user_json = user == nullptr ? std::string() : to_json(*user);
    ours.user = user_json;
    return handshake_success(ours);
}

void judge_response(const rapidjson::Value& vector) {
    const std::string json = text_of(vector, "responseJson");
    rapidjson::Document response;
    response.Parse(json.data(), json.size());
    ASSERT_TRUE(response.IsObject() && response.HasMember("code"));
    EXPECT_EQ(written_again(response), json);
    const std::string package = encode_package(package_type::handshake, json).value();
    EXPECT_EQ(to_hex(package), text_of(vector, "hex"));
    expect_same_at_every_split(package, max_package_body_bytes);
}

/// Whether the version of a response in this file is this one.
bool is_observed(std::string_view version) {
    const auto vectors = read_vectors("handshake.json");
    return std::ranges::any_of(vectors.GetArray(), [&](const rapidjson::Value& vector) {
        return text_of(vector, "responseJson").find(version) != std::string::npos;
    });
}

/// The JSON texts that follow each other in `text`.
std::vector<std::string> objects_in(const std::string& text) {
    std::vector<std::string> objects;
    for (std::size_t used = 0; used < text.size();) {
        rapidjson::Document one;
        rapidjson::StringStream stream(text.c_str() + used);
        one.ParseStream<rapidjson::kParseStopWhenDoneFlag>(stream);
        if (one.HasParseError() || !one.IsObject()) {
            throw std::runtime_error("not one JSON object after the other: " + text);
        }
        objects.push_back(text.substr(used, stream.Tell()));
        used += stream.Tell();
    }
    return objects;
}

/// What is hashed to a version: one object of routes and codes, or the client's protos and then the
/// server's.
void judge_version(const rapidjson::Value& vector) {
    const std::string text = text_of(vector, "text");
    const std::string version = text_of(vector, "md5base64");
    const auto objects = objects_in(text);
    ASSERT_TRUE(objects.size() == 1 || objects.size() == 2);
    std::vector<rapidjson::Document> parsed(objects.size());
    for (std::size_t i = 0; i < objects.size(); ++i) {
        parsed[i].Parse(objects[i].data(), objects[i].size());
    }
    if (parsed.size() == 1) {
        std::vector<std::string> routes(parsed[0].MemberCount());
        for (const auto& route : std::as_const(parsed[0]).GetObject()) {
            routes.at(route.value.GetUint() - 1) = route.name.GetString();
        }
        const auto dictionary = dictionary_of(routes);
        EXPECT_EQ(dictionary.parts().route_to_code, text);
        EXPECT_EQ(dictionary.version(), version);
    } else {
        const auto client = protos_of(parsed[0]);
        const auto server = protos_of(parsed[1]);
        EXPECT_EQ(client.parsed_json() + server.parsed_json(), text);
        EXPECT_EQ(protos_version(client, server, true), version);
    }
    if (const auto* was_observed = find(vector, "equalsObserved")) {
        EXPECT_EQ(is_observed(version), was_observed->GetBool());
    }
}

std::string with_signature(std::string text, const std::string& hex) {
    const char* comma = text == "{}" ? "" : ",";
    text.pop_back();
    return text + comma + R"("__crypto__":")" + hex + "\"}";
}

void judge_signature(const rapidjson::Value& vector) {
    const std::string text = text_of(vector, "text");
    const std::string hex = text_of(vector, "signatureHex");
    const std::string head = R"({"rsa_n":")" + text_of(vector, "rsa_n") + R"(","rsa_e":)";
    const std::string e = std::to_string(vector["rsa_e"].GetUint());
    const auto key = client_key::parse(head + e + "}");
    ASSERT_TRUE(key);
    const auto is_taken = [&](const std::string& body) {
        const auto checked = key->checked_body(body);
        EXPECT_TRUE(!checked || *checked == text) << *checked;
        return checked.has_value();
    };
    EXPECT_EQ(is_taken(with_signature(text, hex)), vector["npmVerify"].GetBool());

    const bool takes_tampered = vector["npmVerifyTampered"].GetBool();
    std::string more = text;
    more.insert(1, text == "{}" ? R"("tampered":1)" : R"("tampered":1,)");
    EXPECT_EQ(is_taken(with_signature(more, hex)), takes_tampered);
    std::string other = hex;
    other.back() = other.back() == '0' ? '1' : '0';
    EXPECT_EQ(is_taken(with_signature(text, other)), takes_tampered);

    const auto text_key = client_key::parse(head + '"' + e + "\"}");
    EXPECT_EQ(text_key.has_value(), vector["npmVerifyWithStringE"].GetBool());
}

bool judge(const rapidjson::Value& vector) {
    if (find(vector, "responseJson") != nullptr) {
        judge_response(vector);
    } else if (find(vector, "md5base64") != nullptr) {
        judge_version(vector);
    } else if (find(vector, "signatureHex") != nullptr) {
        judge_signature(vector);
    } else {
        return false;
    }
    return true;
}

TEST(vector, handshake) {
    each_case("handshake.json", judge);
}

} // namespace
} // namespace shaddock::protocol
