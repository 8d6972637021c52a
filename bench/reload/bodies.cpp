#include "bodies.hpp"

#include <rapidjson/document.h>

#include <array>

namespace shaddock::reload {
namespace {

using json = rapidjson::Value;

const json& find(const json& object, const char* key) {
    static const json absent;
    if (!object.IsObject()) {
        return absent;
    }
    const auto found = object.FindMember(key);
    return found == object.MemberEnd() ? absent : found->value;
}

std::string text(const json& value) {
    return value.IsString() ? std::string(value.GetString(), value.GetStringLength())
                            : std::string();
}

std::uint64_t number(const json& value) {
    return value.IsUint64() ? value.GetUint64() : 0;
}

std::uint32_t small(const json& value) {
    return value.IsUint() ? value.GetUint() : none;
}

/// A document whose values live on the stack: no allocation for small bodies.
class parsed {
public:
    explicit parsed(std::string_view text)
        : pool_(memory_.data(), memory_.size()), document_(&pool_) {
        document_.Parse(text.data(), text.size());
    }
    bool is_good() const { return !document_.HasParseError(); }
    const json& root() const { return document_; }

private:
    std::array<char, 4096> memory_{};
    rapidjson::MemoryPoolAllocator<> pool_;
    rapidjson::Document document_;
};

bool is_stamp(const json& value) {
    return find(value, "generation").IsUint64() && find(value, "proof").IsUint() &&
           find(value, "version").IsString() && find(value, "server").IsString();
}

read_stamp stamp_of(const json& value) {
    read_stamp made;
    made.by = {text(find(value, "server")), text(find(value, "life")), text(find(value, "version")),
               number(find(value, "generation"))};
    made.proof = small(find(value, "proof"));
    return made;
}

swap swap_of(const json& one) {
    swap made;
    made.server = text(find(one, "id"));
    made.is_ok = find(one, "ok").IsTrue();
    made.reason = text(find(one, "reason"));
    made.from_version = text(find(find(one, "from"), "version"));
    made.from_generation = number(find(find(one, "from"), "generation"));
    made.to_version = text(find(find(one, "to"), "version"));
    made.to_generation = number(find(find(one, "to"), "generation"));
    made.ms = find(one, "ms").IsNumber() ? find(one, "ms").GetDouble() : 0;
    return made;
}

} // namespace

std::optional<read_reply> parse_reply(std::string_view body) {
    const parsed tree(body);
    if (!tree.is_good() || !tree.root().IsObject()) {
        return std::nullopt;
    }
    read_reply made;
    if (find(tree.root(), "code").IsInt()) {
        made.refusal = body;
        return made;
    }
    if (is_stamp(tree.root())) {
        made.taken = made.given = stamp_of(tree.root());
        return made;
    }
    const auto& taken = find(tree.root(), "taken");
    const auto& given = find(tree.root(), "given");
    if (!is_stamp(taken) || !is_stamp(given)) {
        return std::nullopt;
    }
    made.taken = stamp_of(taken);
    made.given = stamp_of(given);
    made.seq = small(find(tree.root(), "seq"));
    if (const auto& asked = find(tree.root(), "asked"); is_stamp(asked)) {
        made.asked = stamp_of(asked);
    }
    return made;
}

std::optional<read_push> parse_push(std::string_view body) {
    const parsed tree(body);
    if (!tree.is_good() || !is_stamp(find(tree.root(), "by"))) {
        return std::nullopt;
    }
    return read_push{text(find(tree.root(), "from")), small(find(tree.root(), "n")),
                     small(find(tree.root(), "seq")), stamp_of(find(tree.root(), "by"))};
}

std::optional<std::vector<swap>> parse_swaps(std::string_view said) {
    const parsed tree(said);
    const auto& results = tree.root().IsArray() ? tree.root() : find(tree.root(), "results");
    if (!tree.is_good() || !results.IsArray()) {
        return std::nullopt;
    }
    std::vector<swap> swaps;
    for (const auto& one : results.GetArray()) {
        swaps.push_back(swap_of(one));
    }
    return swaps;
}

std::optional<std::vector<listed_server>> parse_list(std::string_view said) {
    const parsed tree(said);
    const auto& servers = tree.root().IsArray() ? tree.root() : find(tree.root(), "servers");
    if (!tree.is_good() || !servers.IsArray()) {
        return std::nullopt;
    }
    std::vector<listed_server> found;
    for (const auto& one : servers.GetArray()) {
        if (const auto& pid = find(one, "pid"); pid.IsInt()) {
            found.push_back({text(find(one, "id")), text(find(one, "type")), pid.GetInt(),
                             number(find(one, "generation")), number(find(one, "ending")),
                             number(find(one, "kept"))});
        }
    }
    return found;
}

} // namespace shaddock::reload
