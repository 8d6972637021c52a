#include "check/log_file.hpp"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <istream>
#include <ostream>
#include <stdexcept>

namespace shaddock::bench {
namespace {

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

void put(writer& out, std::string_view value) {
    out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void put(writer& out, const char* key, const std::string& value) {
    out.Key(key);
    put(out, value);
}
void put(writer& out, const char* key, std::int64_t value) {
    out.Key(key);
    out.Int64(value);
}

/// The members that an event of its kind has, after t, c and e.
void put_details(writer& out, const history& log, const event& seen) {
    switch (seen.kind()) {
    case event_kind::connect:
    case event_kind::depart:
        break;
    case event_kind::query:
        put(out, "id", seen.a);
        break;
    case event_kind::enter:
        put(out, "id", seen.a);
        put(out, "user", log.name_text(seen.c));
        put(out, "room", log.name_text(seen.b));
        break;
    case event_kind::send:
        put(out, "id", seen.a);
        put(out, "target", log.name_text(seen.c));
        put(out, "msg", log.message_text(seen.b));
        break;
    case event_kind::ok:
        put(out, "id", seen.a);
        if (seen.b != 0) {
            out.Key("users");
            out.StartArray();
            for (const name_id user : log.users(seen.b)) {
                put(out, log.name_text(user));
            }
            out.EndArray();
        }
        break;
    case event_kind::fail:
        put(out, "id", seen.a);
        put(out, "code", seen.b);
        break;
    case event_kind::chat:
        put(out, "from", log.name_text(seen.b));
        put(out, "target", log.name_text(seen.c));
        put(out, "msg", log.message_text(seen.a));
        break;
    case event_kind::add:
    case event_kind::leave:
        put(out, "user", log.name_text(seen.a));
        break;
    case event_kind::closed:
    case event_kind::kicked:
        put(out, "reason", log.name_text(seen.a));
        break;
    case event_kind::mangled:
        put(out, "what", log.name_text(seen.a));
        break;
    }
}

class reader {
public:
    reader(const std::string& source, history& log) : source_(source), log_(log) {}

    void read(const std::string& line) {
        ++line_;
        if (line.empty()) {
            return;
        }
        rapidjson::Document entry;
        entry.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
        if (entry.HasParseError() || !entry.IsObject()) {
            fail(entry.HasParseError() ? rapidjson::GetParseError_En(entry.GetParseError())
                                       : "not an object");
        }
        entry_ = &entry;
        const auto kind = kind_of(text("e"));
        const auto t = number("t");
        const auto client = client_of(label());
        switch (kind) {
        case event_kind::connect:
        case event_kind::depart:
            log_.note(t, client, kind);
            break;
        case event_kind::query:
            log_.note(t, client, kind, id());
            break;
        case event_kind::enter:
            log_.note(t, client, kind, id(), log_.name(text("room")), log_.name(text("user")));
            break;
        case event_kind::send:
            log_.note(t, client, kind, id(), log_.message(text("msg")), log_.name(text("target")));
            break;
        case event_kind::ok:
            log_.note(t, client, kind, id(), users());
            break;
        case event_kind::fail:
            log_.note(t, client, kind, id(), static_cast<std::uint32_t>(number("code")));
            break;
        case event_kind::chat:
            log_.note(t, client, kind, log_.message(text("msg")), log_.name(text("from")),
                      log_.name(text("target")));
            break;
        case event_kind::add:
        case event_kind::leave:
            log_.note(t, client, kind, log_.name(text("user")));
            break;
        case event_kind::closed:
        case event_kind::kicked:
            log_.note(t, client, kind, log_.name(text("reason")));
            break;
        case event_kind::mangled:
            log_.note(t, client, kind, log_.name(text("what")));
            break;
        }
    }

private:
    [[noreturn]] void fail(const std::string& problem) const {
        throw std::runtime_error(fmt::format("{}:{}: {}", source_, line_, problem));
    }

    const rapidjson::Value& member(const char* key) const {
        const auto found = entry_->FindMember(key);
        if (found == entry_->MemberEnd()) {
            fail(fmt::format("'{}' is missing", key));
        }
        return found->value;
    }
    std::string_view text(const char* key) const {
        const auto& value = member(key);
        if (!value.IsString()) {
            fail(fmt::format("'{}' is not a string", key));
        }
        return {value.GetString(), value.GetStringLength()};
    }
    std::int64_t number(const char* key) const {
        const auto& value = member(key);
        if (!value.IsInt64()) {
            fail(fmt::format("'{}' is not a whole number", key));
        }
        return value.GetInt64();
    }
    std::uint32_t id() const { return static_cast<std::uint32_t>(number("id")); }
    std::string label() const {
        const auto& value = member("c");
        if (value.IsInt64()) {
            return std::to_string(value.GetInt64());
        }
        return std::string(text("c"));
    }

    std::uint32_t users() {
        const auto found = entry_->FindMember("users");
        if (found == entry_->MemberEnd()) {
            return 0;
        }
        if (!found->value.IsArray()) {
            fail("'users' is not an array");
        }
        std::vector<name_id> names;
        for (const auto& user : found->value.GetArray()) {
            if (!user.IsString()) {
                fail("'users' names something that is not a string");
            }
            names.push_back(log_.name({user.GetString(), user.GetStringLength()}));
        }
        return log_.users_list(std::move(names));
    }

    event_kind kind_of(std::string_view word) const {
        for (std::size_t i = 0; i < event_kinds; ++i) {
            if (to_string(static_cast<event_kind>(i)) == word) {
                return static_cast<event_kind>(i);
            }
        }
        fail(fmt::format("'e' is '{}', which is no event", word));
    }

    client_id client_of(const std::string& label) {
        const auto found = clients_.find(label);
        if (found != clients_.end()) {
            return found->second;
        }
        return clients_[label] = log_.add_client(label);
    }

    const std::string& source_;
    history& log_;
    std::size_t line_ = 0;
    const rapidjson::Document* entry_ = nullptr;
    std::unordered_map<std::string, client_id> clients_;
};

} // namespace

void write_log(const history& log, std::ostream& out) {
    rapidjson::StringBuffer buffer;
    for (const auto& seen : log.events()) {
        buffer.Clear();
        writer line(buffer);
        line.StartObject();
        put(line, "t", seen.t);
        put(line, "c", log.label(seen.client));
        line.Key("e");
        put(line, to_string(seen.kind()));
        put_details(line, log, seen);
        line.EndObject();
        out.write(buffer.GetString(), static_cast<std::streamsize>(buffer.GetSize())) << '\n';
    }
}

void read_log(std::istream& in, const std::string& source, history& log) {
    reader lines(source, log);
    std::string line;
    while (std::getline(in, line)) {
        lines.read(line);
    }
}

} // namespace shaddock::bench
