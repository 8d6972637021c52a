#include "servers.hpp"

#include "units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace shaddock::config {
namespace {

using kind = json_value::kind;

constexpr std::size_t largest_cluster = 1000;
constexpr std::string_view name_rule = "1 to 64 letters, digits, '.', '_' or '-'";

const std::vector<std::string> server_keys{
    "id",           "host",         "port",          "clientHost",
    "clientPort",   "frontend",     "wsPort",        "max-connections",
    "clusterCount", "auto-restart", "restart-force", "cpu",
    "memory",       "args",         "weight",        "serverType"};
const std::vector<std::string> master_keys{"id", "host", "port"};

/// The whole number that a JSON number, or a text (Pomelo takes both), spells.
std::optional<std::size_t> whole_number(const json_value& value) {
    const bool fits = value.is == kind::number || value.is == kind::string;
    return fits ? parse_count(value.text) : std::nullopt;
}

/// Reads the known fields of one JSON object and says where it was when something is wrong.
class record_reader {
public:
    record_reader(const json_source& source, const json_value& record, std::string key,
                  std::size_t line, const std::vector<std::string>& known)
        : source_(source), record_(record), key_(std::move(key)), line_(line), known_(known) {
        if (record.is != kind::object) {
            throw complaint({source_.path, line_, key_}, describe(record), "an object");
        }
    }

    place where(std::string_view name) const {
        const json_member* member = record_.find(name);
        return {source_.path, member != nullptr && member->line != 0 ? member->line : line_,
                below(key_, name)};
    }

    /// A non-empty text; empty when there is no such key.
    std::string text(std::string_view name, std::string_view expected) const {
        const json_member* member = record_.find(name);
        if (member == nullptr) {
            return {};
        }
        if (member->value.is != kind::string || member->value.text.empty()) {
            throw complaint(where(name), describe(member->value), expected);
        }
        return member->value.text;
    }

    std::string required_text(std::string_view name, std::string_view expected) const {
        require(name, expected);
        return text(name, expected);
    }

    /// A text, or a number as it is written: Pomelo makes numbers of ids like `7`.
    std::string required_id() const {
        require("id", name_rule);
        const json_value& value = record_.find("id")->value;
        const bool fits = value.is == kind::string || value.is == kind::number;
        if (!fits || !is_plain_name(value.text)) {
            throw complaint(where("id"), describe(value), name_rule);
        }
        return value.text;
    }

    /// 0 when there is no such key.
    std::uint16_t port(std::string_view name) const {
        const json_member* member = record_.find(name);
        if (member == nullptr) {
            return 0;
        }
        const auto value = whole_number(member->value);
        if (!value || *value == 0 || *value > 65535) {
            throw complaint(where(name), describe(member->value), "a port from 1 to 65535");
        }
        return static_cast<std::uint16_t>(*value);
    }

    bool flag(std::string_view name) const {
        const json_member* member = record_.find(name);
        if (member == nullptr) {
            return false;
        }
        const json_value& value = member->value;
        if (value.is == kind::boolean) {
            return value.truth;
        }
        if (value.is != kind::string || (value.text != "true" && value.text != "false")) {
            throw complaint(where(name), describe(value), "true or false");
        }
        return value.text == "true";
    }

    std::optional<std::size_t> count(std::string_view name, std::string_view expected) const {
        const json_member* member = record_.find(name);
        if (member == nullptr) {
            return std::nullopt;
        }
        const auto value = whole_number(member->value);
        if (!value) {
            throw complaint(where(name), describe(member->value), expected);
        }
        return value;
    }

    /// Throws when the key is missing; the text names a key of the record that was probably meant
    /// to be it.
    void require(std::string_view name, std::string_view expected) const {
        if (record_.find(name) != nullptr) {
            return;
        }
        std::string text = complaint(where(name), "nothing", expected).text();
        for (const json_member& member : record_.members) {
            if (!is_known(member.key) && likely_slip(member.key, {std::string(name)})) {
                text += fmt::format("; key {} on line {} may be meant", in_quotes(member.key),
                                    member.line);
                break;
            }
        }
        throw error(errc::config, std::move(text));
    }

    void warn_of_slips(std::vector<std::string>& warnings) const {
        for (const json_member& member : record_.members) {
            if (const auto meant = likely_slip(member.key, known_);
                meant && !is_known(member.key)) {
                warnings.push_back(fmt::format("{}: kept as a custom key; did you mean {}?",
                                               to_string(where(member.key)), in_quotes(*meant)));
            }
        }
    }

private:
    bool is_known(const std::string& key) const {
        return std::find(known_.begin(), known_.end(), key) != known_.end();
    }

    const json_source& source_;
    const json_value& record_;
    std::string key_;
    std::size_t line_;
    const std::vector<std::string>& known_;
};

/// Without the env's section the whole file counts; when that is made of sections, the env is the
/// mistake.
void refuse_other_sections(const json_source& source, std::string_view env) {
    if (source.root.is != kind::object) {
        throw complaint({source.path, source.root.line, source.key}, describe(source.root),
                        "an object");
    }
    const auto& members = source.root.members;
    const auto section = std::find_if(members.begin(), members.end(), [](const json_member& m) {
        return m.value.is == kind::object;
    });
    if (source.key.empty() && section != members.end()) {
        throw unknown_key({source.path, section->line, "env"}, env,
                          "one of the file's sections: " + join(source.root.keys()),
                          source.root.keys());
    }
}

/// Source: Pomelo's `clusterCount`. Text `<digits>++` counts up from the number; anything else
/// stays as it is.
json_value numbered_copy(const json_value& record, std::size_t index, std::string id) {
    json_value copy = record;
    for (json_member& member : copy.members) {
        const std::string_view text = member.value.text;
        if (member.value.is == kind::string && text.ends_with("++")) {
            if (const auto first = parse_count(text.substr(0, text.size() - 2))) {
                member.value = json_value::number(*first + index);
            }
        }
    }
    copy.members.push_back({"id", 0, json_value::string(std::move(id))});
    return copy;
}

void set(json_value& record, std::string_view key, json_value value) {
    if (json_member* member = record.find(key)) {
        member->value = std::move(value);
    } else {
        record.members.push_back({std::string(key), 0, std::move(value)});
    }
}

/// The record as plugins and other servers see it: known fields in their own types, the rest as
/// written.
std::string normalised_json(json_value record, const server_record& server) {
    set(record, "id", json_value::string(server.id));
    if (server.port != 0) {
        set(record, "port", json_value::number(server.port));
    }
    if (server.client_port != 0) {
        set(record, "clientPort", json_value::number(server.client_port));
    }
    if (record.find("frontend") != nullptr) {
        set(record, "frontend", json_value::boolean(server.frontend));
    }
    set(record, "serverType", json_value::string(server.type));
    return compact(record);
}

/// Reads the records of one type after the other; cluster numbers go on from record to record of a
/// type.
class type_reader {
public:
    type_reader(const json_source& source, const json_member& type, parsed_servers& out)
        : source_(source), type_(type.key), key_(below(source.key, type.key)), out_(out) {
        const place where{source.path, type.line, key_};
        if (!is_plain_name(type_) || type_.find('.') != std::string::npos) {
            throw complaint(where, "the type " + in_quotes(type_),
                            "1 to 64 letters, digits, '_' or '-'");
        }
        if (type_ == "master") {
            throw complaint(where, "the type 'master'", "the master in master.json only");
        }
        if (type.value.is != kind::list) {
            throw complaint(where, describe(type.value), "a list of the servers of this type");
        }
        out.types.emplace_back(type_, where);
        for (std::size_t i = 0; i < type.value.members.size(); ++i) {
            add(type.value.members[i], element(key_, i));
        }
    }

private:
    void add(const json_member& entry, const std::string& key) {
        const record_reader reader(source_, entry.value, key, entry.line, server_keys);
        reader.warn_of_slips(out_.warnings);
        const std::string expected =
            fmt::format("a number of servers from 1 to {}", largest_cluster);
        const auto copies = reader.count("clusterCount", expected);
        if (!copies) {
            add_one(entry.value, key, entry.line);
            return;
        }
        if (*copies == 0 || *copies > largest_cluster) {
            throw complaint(reader.where("clusterCount"), fmt::format("the number {}", *copies),
                            expected);
        }
        if (entry.value.find("id") != nullptr) {
            throw complaint(reader.where("id"), describe(entry.value.find("id")->value),
                            "no id beside clusterCount, which makes its own");
        }
        for (std::size_t i = 0; i < *copies; ++i) {
            std::string id = fmt::format("cluster-server-{}-{}", type_, next_in_cluster_++);
            add_one(numbered_copy(entry.value, i, std::move(id)), key, entry.line);
        }
    }

    void add_one(const json_value& record, const std::string& key, std::size_t line) {
        const record_reader reader(source_, record, key, line, server_keys);
        server_record server;
        server.type = type_;
        server.id = reader.required_id();
        server.host = reader.required_text("host", "an address such as '127.0.0.1'");
        server.port = reader.port("port");
        server.client_host = reader.text("clientHost", "an address such as '127.0.0.1'");
        server.client_port = reader.port("clientPort");
        server.frontend = reader.flag("frontend");
        server.max_connections =
            reader.count("max-connections", "a number of connections (0 = no limit)");
        if (server.frontend) {
            reader.require("clientPort",
                           "a port from 1 to 65535, because the server is a frontend");
        }
        const std::string own_type = reader.text("serverType", in_quotes(type_));
        if (!own_type.empty() && own_type != type_) {
            throw complaint(reader.where("serverType"), in_quotes(own_type),
                            in_quotes(type_) + ", as the record's list");
        }
        server.json = normalised_json(record, server);
        note_port(reader, server, "port", server.port);
        note_port(reader, server, "clientPort", server.client_port);
        out_.id_places.push_back(reader.where("id"));
        out_.host_places.push_back(reader.where("host"));
        out_.servers.push_back(std::move(server));
    }

    void note_port(const record_reader& reader, const server_record& server, std::string_view name,
                   std::uint16_t port) {
        if (port != 0) {
            out_.ports.push_back({server.host, port, server.id, reader.where(name)});
        }
    }

    const json_source& source_;
    const std::string& type_;
    std::string key_;
    parsed_servers& out_;
    std::size_t next_in_cluster_ = 0;
};

} // namespace

parsed_servers parse_servers(const json_source& source, std::string_view env) {
    refuse_other_sections(source, env);
    parsed_servers out;
    for (const json_member& type : source.root.members) {
        type_reader(source, type, out);
    }
    return out;
}

parsed_master parse_master(const json_source& source, std::string_view env) {
    refuse_other_sections(source, env);
    const record_reader reader(source, source.root, source.key, source.root.line, master_keys);
    parsed_master out;
    out.master.id = reader.required_id();
    out.master.host = reader.required_text("host", "an address such as '127.0.0.1'");
    reader.require("port", "a port from 1 to 65535");
    out.master.port = reader.port("port");
    out.id_place = reader.where("id");
    out.port = {out.master.host, out.master.port, out.master.id, reader.where("port")};
    reader.warn_of_slips(out.warnings);
    return out;
}

} // namespace shaddock::config
