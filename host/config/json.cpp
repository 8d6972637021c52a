#include "json.hpp"

#include "complaint.hpp"
#include "config/json_text.hpp"

#include <rapidjson/error/error.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace shaddock::config {
namespace {

constexpr std::size_t deepest = 64;

// The handler asks the stream where it stands; that is true only of streams that the reader does
// not copy.
static_assert(rapidjson::StreamTraits<rapidjson::MemoryStream>::copyOptimization == 0);

/// Receives RapidJSON's events and builds the tree. A callback that returns false stops the parser.
class tree_builder {
public:
    tree_builder(std::string_view text, const rapidjson::MemoryStream& stream)
        : text_(text), stream_(stream) {}

    bool Null() { return scalar(json_value::kind::null, {}); }
    bool Bool(bool truth) {
        json_value value;
        value.is = json_value::kind::boolean;
        value.truth = truth;
        return add(std::move(value), stream_.Tell());
    }
    bool RawNumber(const char* digits, rapidjson::SizeType size, bool) {
        return scalar(json_value::kind::number, {digits, size});
    }
    bool String(const char* text, rapidjson::SizeType size, bool) {
        if (has_half_pair({text, size})) {
            return refuse_half_pair(line_at(skip_separators()));
        }
        return scalar(json_value::kind::string, {text, size});
    }
    bool Key(const char* text, rapidjson::SizeType size, bool) {
        open_level& level = open_.back();
        level.key.assign(text, size);
        level.key_line = line_at(skip_separators());
        if (has_half_pair(level.key)) {
            return refuse_half_pair(level.key_line);
        }
        past_ = stream_.Tell();
        const auto [before, added] = level.seen.emplace(level.key, level.key_line);
        if (!added) {
            problem_ = fmt::format("key {} twice in one object (first on line {})",
                                   in_quotes(level.key), before->second);
            problem_line_ = level.key_line;
            problem_expected_ = "each key once";
        }
        return added;
    }
    bool StartObject() { return open(json_value::kind::object); }
    bool EndObject(rapidjson::SizeType) { return close(); }
    bool StartArray() { return open(json_value::kind::list); }
    bool EndArray(rapidjson::SizeType) { return close(); }
    // Numbers arrive as RawNumber only; the reader still wants these.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }

    json_value take() { return std::move(root_); }
    /// Throws what made a callback return false.
    void throw_problem(const std::filesystem::path& path) const {
        throw complaint({path, problem_line_, {}}, problem_, problem_expected_);
    }

private:
    struct open_level {
        json_value value;
        std::string key;
        std::size_t key_line = 0;
        std::map<std::string, std::size_t, std::less<>> seen;
    };

    /// RapidJSON lets a low surrogate pass that follows no high one. Raw text is UTF-8 by now, so
    /// that surrogates come from escapes.
    static bool has_half_pair(std::string_view text) {
        for (std::size_t i = text.find('\xed'); i < text.size(); i = text.find('\xed', i + 1)) {
            if (i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) >= 0xa0) {
                return true;
            }
        }
        return false;
    }

    bool refuse_half_pair(std::size_t line) {
        problem_ = "half of a surrogate pair after \\u";
        problem_line_ = line;
        problem_expected_ = "both halves, the high one first";
        return false;
    }

    bool scalar(json_value::kind is, std::string_view text) {
        json_value value;
        value.is = is;
        value.text = text;
        return add(std::move(value), stream_.Tell());
    }

    bool open(json_value::kind is) {
        const std::size_t begin = skip_separators();
        if (open_.size() == deepest) {
            problem_ = fmt::format("more than {} levels", deepest);
            problem_line_ = line_at(begin);
            problem_expected_ = fmt::format("at most {}", deepest);
            return false;
        }
        open_level level;
        level.value.is = is;
        level.value.begin = begin;
        level.value.line = line_at(begin);
        open_.push_back(std::move(level));
        past_ = begin + 1;
        return true;
    }

    bool close() {
        open_level level = std::move(open_.back());
        open_.pop_back();
        // Between the last element and its bracket there is only white space.
        const std::size_t bracket = text_.find_first_not_of(" \t\r\n", past_);
        return add_at(std::move(level.value), bracket + 1);
    }

    /// Adds a value whose first byte is the next token and whose last is before `end`.
    bool add(json_value value, std::size_t end) {
        value.begin = skip_separators();
        value.line = line_at(value.begin);
        return add_at(std::move(value), end);
    }

    bool add_at(json_value value, std::size_t end) {
        value.end = end;
        past_ = end;
        if (open_.empty()) {
            root_ = std::move(value);
            return true;
        }
        open_level& parent = open_.back();
        json_member member;
        if (parent.value.is == json_value::kind::object) {
            member.key = std::move(parent.key);
            member.line = parent.key_line;
        } else {
            member.line = value.line;
        }
        member.value = std::move(value);
        parent.value.members.push_back(std::move(member));
        return true;
    }

    std::size_t skip_separators() const {
        return std::min(text_.find_first_not_of(" \t\r\n,:", past_), text_.size());
    }

    /// Positions only grow, so the text is counted through once.
    std::size_t line_at(std::size_t position) {
        line_ += static_cast<std::size_t>(
            std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                       text_.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
        counted_ = position;
        return line_;
    }

    std::string_view text_;
    const rapidjson::MemoryStream& stream_;
    std::vector<open_level> open_;
    json_value root_;
    /// First byte after the last token.
    std::size_t past_ = 0;
    std::size_t counted_ = 0;
    std::size_t line_ = 1;
    std::string problem_;
    std::string problem_expected_;
    std::size_t problem_line_ = 0;
};

const char* expected_instead(rapidjson::ParseErrorCode code) {
    switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
        return "a JSON value";
    case rapidjson::kParseErrorDocumentRootNotSingular:
        return "the end of the file";
    case rapidjson::kParseErrorObjectMissName:
        return "a key in double quotes";
    case rapidjson::kParseErrorObjectMissColon:
        return "':' after the key";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
        return "',' or '}'";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
        return "',' or ']'";
    case rapidjson::kParseErrorStringMissQuotationMark:
        return "a text that ends with '\"' on its line";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
        return "four hexadecimal digits (pairs for surrogates) after \\u";
    case rapidjson::kParseErrorStringEscapeInvalid:
        return "an escape of JSON after '\\'";
    case rapidjson::kParseErrorStringInvalidEncoding:
        return "UTF-8 without control characters";
    case rapidjson::kParseErrorNumberTooBig:
    case rapidjson::kParseErrorNumberMissFraction:
    case rapidjson::kParseErrorNumberMissExponent:
        return "a number of JSON";
    default:
        return "a JSON value";
    }
}

std::size_t line_number(std::string_view text, std::size_t position) {
    const std::string_view before = text.substr(0, position);
    return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

error syntax_error(std::string_view text, const std::filesystem::path& path,
                   const rapidjson::ParseResult& failed) {
    const std::size_t at = std::min(failed.Offset(), text.size());
    const place where{path, line_number(text, at), {}};
    const std::string_view rest = text.substr(at, text.substr(at, 20).find('\n'));
    const std::string found =
        at == text.size() ? "the end of the file" : in_quotes(rest.substr(0, 20));
    std::string expected = expected_instead(failed.Code());
    if (rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with("#")) {
        expected += " (JSON has no comments)";
    }
    return complaint(where, found, expected);
}

void write(rapidjson::Writer<rapidjson::StringBuffer>& out, const json_value& value) {
    switch (value.is) {
    case json_value::kind::null:
        out.Null();
        break;
    case json_value::kind::boolean:
        out.Bool(value.truth);
        break;
    case json_value::kind::number:
        out.RawValue(value.text.data(), value.text.size(), rapidjson::kNumberType);
        break;
    case json_value::kind::string:
        out.String(value.text.data(), static_cast<rapidjson::SizeType>(value.text.size()));
        break;
    case json_value::kind::list:
        out.StartArray();
        for (const json_member& element : value.members) {
            write(out, element.value);
        }
        out.EndArray();
        break;
    case json_value::kind::object:
        out.StartObject();
        for (const json_member& member : value.members) {
            out.Key(member.key.data(), static_cast<rapidjson::SizeType>(member.key.size()));
            write(out, member.value);
        }
        out.EndObject();
        break;
    }
}

const json_member* step_into(const json_value& value, const std::string& step) {
    if (value.is == json_value::kind::object) {
        return value.find(step);
    }
    std::size_t index = 0;
    const char* const last = step.data() + step.size();
    const auto [end, failed] = std::from_chars(step.data(), last, index);
    const bool is_index = failed == std::errc{} && end == last && index < value.members.size();
    return value.is == json_value::kind::list && is_index ? &value.members[index] : nullptr;
}

} // namespace

const json_member* json_value::find(std::string_view key) const {
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const json_member& m) { return m.key == key; });
    return is == kind::object && found != members.end() ? &*found : nullptr;
}

json_member* json_value::find(std::string_view key) {
    return const_cast<json_member*>(std::as_const(*this).find(key));
}

std::vector<std::string> json_value::keys() const {
    std::vector<std::string> all;
    for (const json_member& member : members) {
        all.push_back(member.key);
    }
    return all;
}

json_value json_value::number(std::size_t value) {
    json_value made;
    made.is = kind::number;
    made.text = std::to_string(value);
    return made;
}

json_value json_value::string(std::string value) {
    json_value made;
    made.is = kind::string;
    made.text = std::move(value);
    return made;
}

json_value json_value::boolean(bool value) {
    json_value made;
    made.is = kind::boolean;
    made.truth = value;
    return made;
}

json_value parse_json(std::string_view text, const std::filesystem::path& path) {
    constexpr unsigned how = rapidjson::kParseIterativeFlag |
                             rapidjson::kParseValidateEncodingFlag |
                             rapidjson::kParseNumbersAsStringsFlag;
    // To RapidJSON a zero byte is the end; in JSON it is never allowed.
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
        throw complaint({path, line_number(text, zero), {}}, "a zero byte", "JSON text");
    }
    rapidjson::MemoryStream stream(text.data(), text.size());
    tree_builder tree(text, stream);
    rapidjson::Reader reader;
    const rapidjson::ParseResult parsed = reader.Parse<how>(stream, tree);
    if (parsed.Code() == rapidjson::kParseErrorTermination) {
        tree.throw_problem(path);
    }
    if (parsed.IsError()) {
        throw syntax_error(text, path, parsed);
    }
    return tree.take();
}

std::string compact(const json_value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> out(buffer);
    write(out, value);
    return {buffer.GetString(), buffer.GetSize()};
}

std::string describe(const json_value& value) {
    switch (value.is) {
    case json_value::kind::null:
        return "null";
    case json_value::kind::boolean:
        return value.truth ? "true" : "false";
    case json_value::kind::number:
        return "the number " + value.text;
    case json_value::kind::string:
        return "the text " + in_quotes(value.text);
    case json_value::kind::list:
        return "a list";
    case json_value::kind::object:
        return "an object";
    }
    return "an unknown value";
}

std::vector<std::string> steps_of(std::string_view pointer) {
    std::vector<std::string> steps;
    std::string step;
    for (std::size_t i = 1; i <= pointer.size(); ++i) {
        if (i == pointer.size() || pointer[i] == '/') {
            steps.push_back(std::exchange(step, {}));
        } else if (pointer[i] == '~' && i + 1 < pointer.size() &&
                   (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
            step += pointer[++i] == '0' ? '~' : '/';
        } else {
            step += pointer[i];
        }
    }
    return steps;
}

std::size_t line_of(std::string_view text, std::string_view pointer) {
    try {
        const json_value root = parse_json(text, {});
        const json_value* at = &root;
        std::size_t line = root.line;
        for (const std::string& step : steps_of(pointer)) {
            const json_member* member = step_into(*at, step);
            if (member == nullptr) {
                return 0;
            }
            at = &member->value;
            line = member->line;
        }
        return line;
    } catch (const error&) {
        return 0;
    }
}

} // namespace shaddock::config
