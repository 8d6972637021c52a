#include <protocol/protos.hpp>

#include "digest.hpp"
#include "javascript.hpp"
#include "proto_message.hpp"

#include <shaddock/detail/json_decode.hpp>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>

#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <unordered_map>

namespace shaddock::protocol {

struct proto_set::contents {
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };

    /// Routes point into it; nothing moves.
    std::deque<proto_message> messages;
    std::unordered_map<std::string, const proto_message*, text_hash, std::equal_to<>> routes;
    std::string parsed_json = "{}";
    std::vector<proto_complaint> dropped;
};

namespace {

using json_value = rapidjson::Value;

constexpr std::uint32_t max_tag = (std::uint32_t{1} << 29) - 1;

/// Members as a JavaScript object keeps them: of a key twice the place of the first, the value of
/// the last.
template <class T>
class object {
public:
    struct member {
        std::string_view key;
        T value;
    };

    void put(std::string_view key, T value) {
        const auto [at, is_new] = index_.try_emplace(key, members_.size());
        if (is_new) {
            members_.push_back({key, std::move(value)});
        } else {
            members_[at->second].value = std::move(value);
        }
    }
    const T* find(std::string_view key) const {
        const auto found = index_.find(key);
        return found == index_.end() ? nullptr : &members_[found->second].value;
    }
    std::size_t index_of(std::string_view key) const { return index_.at(key); }
    const std::vector<member>& members() const { return members_; }

    /// In the order in which JavaScript walks them: keys that are array indices ascending, then
    /// the others as they came.
    std::vector<const member*> in_order() const {
        std::vector<const member*> all;
        for (const member& one : members_) {
            all.push_back(&one);
        }
        std::stable_sort(all.begin(), all.end(), [](const member* a, const member* b) {
            return rank(a->key) < rank(b->key);
        });
        return all;
    }

private:
    static std::uint64_t rank(std::string_view key) {
        return array_index(key).value_or(std::numeric_limits<std::uint32_t>::max());
    }

    std::vector<member> members_;
    std::unordered_map<std::string_view, std::size_t> index_;
};

struct field_draft {
    std::string_view option;
    std::string_view type;
    std::uint32_t tag = 0;
    std::string path;
};

/// One message as the file has it; texts view into the file's tree.
struct message_draft {
    object<field_draft> fields;
    object<const message_draft*> messages;
    /// Names by tag.
    std::vector<std::pair<std::uint32_t, std::string_view>> tags;
    proto_message* made = nullptr;
};

std::string child_path(const std::string& parent, std::string_view key) {
    std::string path = parent + '/';
    for (const char c : key) {
        if (c == '~') {
            path += "~0";
        } else if (c == '/') {
            path += "~1";
        } else {
            path += c;
        }
    }
    return path;
}

std::string found(const json_value& value) {
    switch (value.GetType()) {
    case rapidjson::kNullType:
        return "null";
    case rapidjson::kFalseType:
        return "false";
    case rapidjson::kTrueType:
        return "true";
    case rapidjson::kObjectType:
        return "an object";
    case rapidjson::kArrayType:
        return "an array";
    case rapidjson::kStringType:
        return fmt::format("the text \"{}\"", detail::text_of(value).substr(0, 40));
    case rapidjson::kNumberType:
        break;
    }
    std::string number;
    shaddock::detail::append_number(number, value.GetDouble());
    return number;
}

/// Between single spaces; more than 3 words count as 4.
std::size_t split(std::string_view key, std::array<std::string_view, 3>& words) {
    std::size_t count = 0;
    while (count < words.size()) {
        const std::size_t space = key.find(' ');
        words[count++] = key.substr(0, space);
        if (space == std::string_view::npos) {
            return count;
        }
        key.remove_prefix(space + 1);
    }
    return words.size() + 1;
}

std::optional<proto_option> option_of(std::string_view word) {
    if (word == "required") {
        return proto_option::required;
    }
    if (word == "optional") {
        return proto_option::optional;
    }
    if (word == "repeated") {
        return proto_option::repeated;
    }
    return std::nullopt;
}

std::optional<proto_form> simple_form_of(std::string_view type) {
    if (type == "uInt32") {
        return proto_form::varint;
    }
    if (type == "sInt32" || type == "int32") {
        return proto_form::zigzag;
    }
    if (type == "float") {
        return proto_form::float32;
    }
    if (type == "double") {
        return proto_form::float64;
    }
    if (type == "string") {
        return proto_form::text;
    }
    return std::nullopt;
}

object<const json_value*> members_of(const json_value& value) {
    object<const json_value*> members;
    for (const auto& member : value.GetObject()) {
        members.put(detail::text_of(member.name), &member.value);
    }
    return members;
}

/// Reads the file's tree into drafts, then makes messages of them. False: see complaint().
class proto_reader {
public:
    explicit proto_reader(std::deque<proto_message>& made) : made_(made) {}

    bool read(const json_value& root) {
        if (!root.IsObject()) {
            return refuse("", fmt::format("found {}, expected an object of routes", found(root)));
        }
        const auto members = members_of(root);
        for (const auto& member : members.members()) {
            const message_draft* draft = read_message(child_path("", member.key), *member.value, 2);
            if (draft == nullptr) {
                return false;
            }
            top_.put(member.key, draft);
        }
        return std::all_of(drafts_.begin(), drafts_.end(),
                           [this](const message_draft& draft) { return make(draft); });
    }

    const object<const message_draft*>& top() const { return top_; }
    proto_complaint complaint() const { return complaint_; }
    std::vector<proto_complaint> take_dropped() { return std::move(dropped_); }

private:
    bool refuse(std::string path, std::string text) {
        complaint_ = {std::move(path), std::move(text)};
        return false;
    }

    /// Null: refused. `depth`: of this object in the file.
    const message_draft* read_message(const std::string& path, const json_value& value, int depth) {
        if (depth > max_body_depth) {
            refuse(path, fmt::format("found more than {} levels, expected fewer", max_body_depth));
            return nullptr;
        }
        if (!value.IsObject()) {
            refuse(path, fmt::format("found {}, expected an object of fields", found(value)));
            return nullptr;
        }
        message_draft& draft = drafts_.emplace_back();
        draft.made = &made_.emplace_back();
        const auto members = members_of(value);
        for (const auto& member : members.members()) {
            if (!read_member(draft, child_path(path, member.key), member.key, *member.value,
                             depth)) {
                return nullptr;
            }
        }
        return &draft;
    }

    bool read_member(message_draft& draft, std::string path, std::string_view key,
                     const json_value& value, int depth) {
        std::array<std::string_view, 3> words;
        const std::size_t count = split(key, words);
        if (words[0] == "message") {
            if (count != 2) {
                return drop(std::move(path), "found a message without one name, expected "
                                             "`message Name` with single spaces");
            }
            const message_draft* nested = read_message(path, value, depth + 1);
            if (nested != nullptr) {
                draft.messages.put(words[1], nested);
            }
            return nested != nullptr;
        }
        if (count != 3) {
            return drop(std::move(path), "found a key that is not three words, expected "
                                         "`required string name` with single spaces");
        }
        return read_field(draft, std::move(path), words, value);
    }

    /// Goes on without the key, as the original does in silence.
    bool drop(std::string path, std::string text) {
        constexpr std::size_t most = 100;
        if (dropped_.size() < most) {
            dropped_.push_back({std::move(path), std::move(text)});
        }
        return true;
    }

    bool read_field(message_draft& draft, std::string path,
                    const std::array<std::string_view, 3>& words, const json_value& value) {
        const auto [option, type, name] = words;
        if (!option_of(option)) {
            return refuse(std::move(path), fmt::format("found the option `{}`, expected required, "
                                                       "optional or repeated",
                                                       option));
        }
        if (name == "__messages" || name == "__tags") {
            return refuse(std::move(path),
                          fmt::format("found the name `{}`, expected another: the parsed form "
                                      "uses it",
                                      name));
        }
        const double tag = value.IsNumber() ? value.GetDouble() : 0;
        if (!(tag >= 1 && tag <= max_tag && std::trunc(tag) == tag)) {
            return refuse(std::move(path),
                          fmt::format("found the tag {}, expected a whole number from 1 to {}",
                                      found(value), max_tag));
        }
        const auto whole_tag = static_cast<std::uint32_t>(tag);
        if (!tags_.try_emplace({&draft, whole_tag}, 0).second) {
            drop(std::move(path), fmt::format("found the tag {} a second time in one message, "
                                              "expected each tag once",
                                              whole_tag));
        } else {
            if (draft.fields.find(name) != nullptr) {
                drop(path, fmt::format("found the name `{}` a second time in one message, "
                                       "expected each name once; the last counts",
                                       name));
            }
            draft.fields.put(name, {option, type, whole_tag, std::move(path)});
            draft.tags.emplace_back(whole_tag, name);
        }
        return true;
    }

    /// In the enclosing message, then at top level. Null: there is none.
    const proto_message* find_type(const message_draft& draft, std::string_view type) const {
        const auto* found = draft.messages.find(type);
        if (found == nullptr) {
            found = top_.find(fmt::format("message {}", type));
        }
        return found == nullptr ? nullptr : (*found)->made;
    }

    bool make(const message_draft& draft) {
        std::vector<proto_field> fields;
        for (const auto& [name, from] : draft.fields.members()) {
            proto_field& field = fields.emplace_back();
            field.name = name;
            field.tag = from.tag;
            field.option = *option_of(from.option);
            if (const auto form = simple_form_of(from.type)) {
                field.form = *form;
                continue;
            }
            field.form = proto_form::message;
            field.message = find_type(draft, from.type);
            if (field.message == nullptr) {
                return refuse(from.path, fmt::format("found the type `{}`, expected uInt32, "
                                                     "sInt32, int32, float, double, string or a "
                                                     "message of this message or of the file",
                                                     from.type));
            }
        }
        std::vector<std::pair<std::uint32_t, std::uint32_t>> tags;
        for (const auto& [tag, name] : draft.tags) {
            tags.emplace_back(tag, static_cast<std::uint32_t>(draft.fields.index_of(name)));
        }
        draft.made->set_fields(std::move(fields), tags);
        return true;
    }

    struct tag_hash {
        std::size_t operator()(const std::pair<const message_draft*, std::uint32_t>& key) const {
            return std::hash<const void*>{}(key.first) * 31 + key.second;
        }
    };

    std::deque<proto_message>& made_;
    std::deque<message_draft> drafts_;
    object<const message_draft*> top_;
    std::unordered_map<std::pair<const message_draft*, std::uint32_t>, char, tag_hash> tags_;
    proto_complaint complaint_;
    std::vector<proto_complaint> dropped_;
};

void append_key(std::string& out, std::string_view key) {
    if (out.back() != '{') {
        out += ',';
    }
    shaddock::detail::append_string(out, key);
    out += ':';
}

void append_parsed(std::string& out, const message_draft& draft) {
    out += '{';
    for (const auto* field : draft.fields.in_order()) {
        append_key(out, field->key);
        out += R"({"option":)";
        shaddock::detail::append_string(out, field->value.option);
        out += R"(,"type":)";
        shaddock::detail::append_string(out, field->value.type);
        out += R"(,"tag":)";
        shaddock::detail::append_integer(out, field->value.tag);
        out += '}';
    }
    append_key(out, "__messages");
    out += '{';
    for (const auto* nested : draft.messages.in_order()) {
        append_key(out, nested->key);
        append_parsed(out, *nested->value);
    }
    out += '}';
    append_key(out, "__tags");
    out += '{';
    auto tags = draft.tags;
    std::sort(tags.begin(), tags.end());
    for (const auto& [tag, name] : tags) {
        append_key(out, fmt::format("{}", tag));
        shaddock::detail::append_string(out, name);
    }
    out += "}}";
}

} // namespace

proto_set::proto_set() : contents_(std::make_shared<const contents>()) {}

boost::system::result<proto_set, proto_complaint> proto_set::parse(std::string_view json) {
    rapidjson::MemoryStream in(json.data(), json.size());
    rapidjson::Document tree;
    tree.ParseStream<rapidjson::kParseIterativeFlag>(in);
    if (tree.HasParseError()) {
        return proto_complaint{"", fmt::format("found no JSON at byte {} ({}), expected an object "
                                               "of routes",
                                               tree.GetErrorOffset(),
                                               rapidjson::GetParseError_En(tree.GetParseError()))};
    }
    // A zero byte looks like the end to the parser.
    if (in.Tell() != json.size()) {
        return proto_complaint{
            "", fmt::format("found a zero byte at byte {}, expected the end", in.Tell())};
    }
    auto made = std::make_shared<contents>();
    proto_reader reader(made->messages);
    if (!reader.read(tree)) {
        return reader.complaint();
    }
    made->parsed_json = "{";
    for (const auto* route : reader.top().in_order()) {
        made->routes.emplace(route->key, route->value->made);
        append_key(made->parsed_json, route->key);
        append_parsed(made->parsed_json, *route->value);
    }
    made->parsed_json += '}';
    made->dropped = reader.take_dropped();
    proto_set set;
    set.contents_ = std::move(made);
    return set;
}

const proto_message* proto_set::find(std::string_view route) const {
    const auto found = contents_->routes.find(route);
    return found == contents_->routes.end() ? nullptr : found->second;
}

bool proto_set::is_empty() const {
    return contents_->routes.empty();
}

std::vector<std::string> proto_set::routes() const {
    std::vector<std::string> all;
    for (const auto& [route, ignored] : contents_->routes) {
        if (!route.starts_with("message ")) {
            all.push_back(route);
        }
    }
    return all;
}

const std::vector<proto_complaint>& proto_set::dropped() const {
    return contents_->dropped;
}

const std::string& proto_set::parsed_json() const {
    return contents_->parsed_json;
}

std::string protos_version(const proto_set& client, const proto_set& server, bool has_files) {
    return has_files ? md5_base64(client.parsed_json() + server.parsed_json()) : std::string();
}

} // namespace shaddock::protocol
