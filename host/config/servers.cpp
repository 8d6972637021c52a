#include "servers.hpp"

#include "config/units.hpp"
#include "environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace shaddock::config {
namespace {

using kind = json_value::kind;

constexpr std::size_t largest_cluster = 1000;
constexpr std::string_view name_rule = "1 to 64 letters, digits, '.', '_' or '-'";
constexpr std::string_view another_name =
    "another one, because every object of JavaScript has a member of this name";

const std::vector<std::string> server_keys{
    "id",           "host",         "port",          "clientHost",
    "clientPort",   "frontend",     "wsPort",        "max-connections",
    "clusterCount", "auto-restart", "restart-force", "cpu",
    "memory",       "args",         "weight",        "serverType",
    "publicPort",   "stopped",      "leaving"};
/// Which may have variables of the environment in them.
constexpr std::array<std::string_view, 6> filled_keys{"id",         "host",       "port",
                                                      "clientHost", "clientPort", "publicPort"};
const std::vector<std::string> master_keys{"id", "host", "port"};

/// The whole number that a JSON number, or a text (Pomelo takes both), spells.
std::optional<std::size_t> whole_number(const json_value& value) {
    const bool fits = value.is == kind::number || value.is == kind::string;
    return fits ? parse_count(value.text) : std::nullopt;
}

/// Known keys of Pomelo that change nothing here, and what to do instead. Kept like all keys, so
/// that plugins can read them.
struct idle_key {
    std::string_view key;
    std::string_view instead;
};
constexpr std::array<idle_key, 5> idle_keys{{
    {"wsPort", "WebSocket and TCP clients share clientPort"},
    {"cpu", "pin processes with taskset, or CPUAffinity= of the service"},
    {"memory", "limit it with MemoryMax= of the service"},
    {"args", "there is no interpreter to give arguments to"},
    {"weight", "a plugin's own route function may read it"},
}};

/// Reads the known fields of one JSON object and notes where it was when something is wrong; the
/// readers then answer as if there were no such key.
class record_reader {
public:
    /// Throws when it is no object.
    record_reader(const json_source& source, const json_value& record, std::string key,
                  std::size_t line, const std::vector<std::string>& known, findings& found)
        : source_(source), record_(record), key_(std::move(key)), line_(line), known_(known),
          found_(found) {
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
            refuse(name, expected);
            return {};
        }
        return member->value.text;
    }

    std::string required_text(std::string_view name, std::string_view expected) const {
        require(name, expected);
        return text(name, expected);
    }

    /// A text, or a number as it is written: Pomelo makes numbers of ids like `7`.
    std::string required_id() const {
        if (!require("id", name_rule)) {
            return {};
        }
        const json_value& value = record_.find("id")->value;
        const bool fits = value.is == kind::string || value.is == kind::number;
        if (!fits || !is_plain_name(value.text)) {
            refuse("id", name_rule);
            return {};
        }
        if (is_taken_in_javascript(value.text)) {
            refuse("id", another_name);
            return {};
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
            refuse(name, "a port from 1 to 65535");
            return 0;
        }
        return static_cast<std::uint16_t>(*value);
    }

    bool flag(std::string_view name, bool standard = false) const {
        const json_member* member = record_.find(name);
        if (member == nullptr) {
            return standard;
        }
        const json_value& value = member->value;
        if (value.is == kind::boolean) {
            return value.truth;
        }
        if (value.is != kind::string || (value.text != "true" && value.text != "false")) {
            refuse(name, "true or false");
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
            refuse(name, expected);
        }
        return value;
    }

    /// Notes it when the key is missing; the text names a key of the record that was probably meant
    /// to be it.
    bool require(std::string_view name, std::string_view expected) const {
        return record_.find(name) != nullptr || found_.attempt([&] {
            const place at = where(name);
            std::string text = complaint(at, "nothing", expected).text();
            for (const json_member& member : record_.members) {
                if (!is_known(member.key) && slip_of(member.key, {std::string(name)})) {
                    text += fmt::format("; key {} on line {} may be meant", in_quotes(member.key),
                                        member.line);
                    break;
                }
            }
            throw located_error(at, std::move(text));
        });
    }

    /// Notes that the key's value is wrong.
    void refuse(std::string_view name, std::string_view expected) const {
        refuse(name, describe(record_.find(name)->value), expected);
    }
    void refuse(std::string_view name, std::string_view what, std::string_view expected) const {
        found_.attempt([&] { throw complaint(where(name), what, expected); });
    }

    void warn_of_slips() const {
        for (const json_member& member : record_.members) {
            if (const auto meant = slip_of(member.key, known_); meant && !is_known(member.key)) {
                found_.warn(where(member.key), fmt::format("kept as a custom key; did you mean {}?",
                                                           in_quotes(*meant)));
            }
        }
    }

    /// Once for each key: `warned` are those that other records had.
    void warn_of_idle_keys(std::set<std::string_view>& warned) const {
        for (const idle_key& idle : idle_keys) {
            const json_member* member = record_.find(idle.key);
            if (member != nullptr && warned.insert(idle.key).second) {
                found_.warn(where(idle.key),
                            fmt::format("kept, but has no effect here: {}", idle.instead));
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
    findings& found_;
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

/// What JavaScript's parseInt makes of the text: the number it begins with. Only what can be a port
/// or a count is of interest; anything else is none.
std::optional<std::size_t> leading_number(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return parse_count(text.substr(0, text.find_first_not_of("0123456789")));
}

/// The number of a counter's text in the `index`th record made; nothing = it is no counter.
/// Source: Pomelo, utils.loadCluster: a text with `++`, not at its begin, is parseInt of all but
/// the last two characters, plus the index. What has no number there stays as it is.
std::optional<std::size_t> counted(std::string_view text, std::size_t index) {
    const std::size_t at = text.find("++");
    if (at == 0 || at == std::string_view::npos) {
        return std::nullopt;
    }
    const auto first = leading_number(text.substr(0, text.size() - 2));
    const bool fits = first && *first <= std::numeric_limits<std::size_t>::max() - index;
    return fits ? std::optional(*first + index) : std::nullopt;
}

json_value numbered_copy(const json_value& record, std::size_t index, std::string id) {
    json_value copy = record;
    for (json_member& member : copy.members) {
        if (member.value.is == kind::string) {
            if (const auto number = counted(member.value.text, index)) {
                member.value = json_value::number(*number);
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
    if (server.public_port != 0) {
        set(record, "publicPort", json_value::number(server.public_port));
    }
    if (record.find("frontend") != nullptr) {
        set(record, "frontend", json_value::boolean(server.frontend));
    }
    set(record, "serverType", json_value::string(server.type));
    std::erase_if(record.members, [](const auto& member) {
        return member.key == "stopped" || member.key == "leaving";
    });
    return compact(record);
}

/// Reads the records of one type after the other; cluster numbers go on from record to record of a
/// type.
class type_reader {
public:
    type_reader(const json_source& source, const json_member& type, list_writer writer,
                parsed_servers& out, std::set<std::string_view>& warned, findings& found)
        : source_(source), writer_(writer), type_(type.key), key_(below(source.key, type.key)),
          out_(out), warned_(warned), found_(found) {
        const place where{source.path, type.line, key_};
        if (!is_plain_name(type_) || type_.find('.') != std::string::npos) {
            throw complaint(where, "the type " + in_quotes(type_),
                            "1 to 64 letters, digits, '_' or '-'");
        }
        if (is_taken_in_javascript(type_)) {
            throw complaint(where, "the type " + in_quotes(type_), another_name);
        }
        if (type_ == "master") {
            throw complaint(where, "the type 'master'", "the master in master.json only");
        }
        if (type.value.is != kind::list) {
            throw complaint(where, describe(type.value), "a list of the servers of this type");
        }
        out.types.emplace_back(type_, where);
        for (std::size_t i = 0; i < type.value.members.size(); ++i) {
            found_.attempt([&] { add(type.value.members[i], element(key_, i)); });
        }
    }

private:
    void add(const json_member& written, const std::string& key) {
        json_member entry = written;
        if (writer_ == list_writer::person && !fill_in(entry, key)) {
            return;
        }
        const record_reader reader(source_, entry.value, key, entry.line, server_keys, found_);
        reader.warn_of_slips();
        reader.warn_of_idle_keys(warned_);
        if (entry.value.find("clusterCount") == nullptr) {
            add_one(entry.value, key, entry.line);
            return;
        }
        const std::string expected =
            fmt::format("a number of servers from 1 to {}", largest_cluster);
        const auto copies = reader.count("clusterCount", expected);
        if (copies && (*copies == 0 || *copies > largest_cluster)) {
            reader.refuse("clusterCount", fmt::format("the number {}", *copies), expected);
            return;
        }
        if (entry.value.find("id") != nullptr) {
            reader.refuse("id", "no id beside clusterCount, which makes its own");
            return;
        }
        bool is_good = true;
        for (std::size_t i = 0; i < copies.value_or(0) && is_good; ++i) {
            std::string id = fmt::format("cluster-server-{}-{}", type_, next_in_cluster_++);
            // What is wrong in one copy is wrong in the next, too.
            is_good = add_one(numbered_copy(entry.value, i, std::move(id)), key, entry.line);
        }
    }

    /// Variables of the environment. False: one is not set here, so it is no server of this
    /// machine.
    bool fill_in(json_member& entry, const std::string& key) {
        for (json_member& member : entry.value.members) {
            const bool may_be = member.value.is == kind::string &&
                                std::ranges::find(filled_keys, member.key) != filled_keys.end();
            if (!may_be) {
                continue;
            }
            auto text = expand(member.value.text);
            if (text.unset) {
                found_.warn({source_.path, member.line, below(key, member.key)},
                            fmt::format("the server is left out: the variable {} of the "
                                        "environment is not set",
                                        *text.unset));
                return false;
            }
            member.value.text = std::move(text.text);
        }
        return true;
    }

    /// False: the record has a problem and is left out.
    bool add_one(const json_value& record, const std::string& key, std::size_t line) {
        const std::size_t problems_before = found_.problems();
        const record_reader reader(source_, record, key, line, server_keys, found_);
        server_record server;
        server.type = type_;
        server.id = reader.required_id();
        server.host = reader.required_text("host", "an address such as '127.0.0.1'");
        server.port = reader.port("port");
        server.client_host = reader.text("clientHost", "an address such as '127.0.0.1'");
        server.client_port = reader.port("clientPort");
        server.public_port = reader.port("publicPort");
        server.frontend = reader.flag("frontend");
        server.leaving = reader.count("leaving", "milliseconds of Unix time, 0 for no time limit");
        // Masters and servers that do not know of leaving take it for stopped.
        server.stopped = reader.flag("stopped") && !server.leaving;
        for (const auto* of_master : {"stopped", "leaving"}) {
            if (writer_ == list_writer::person && record.find(of_master) != nullptr) {
                reader.refuse(of_master,
                              "no such key: `host stop` stops a server, and the list in the "
                              "run folder remembers it");
            }
        }
        server.auto_restart = reader.flag("auto-restart", true);
        server.restart_force = reader.flag("restart-force");
        server.max_connections =
            reader.count("max-connections", "a number of connections (0 = no limit)");
        if (server.frontend) {
            reader.require("clientPort",
                           "a port from 1 to 65535, because the server is a frontend");
        }
        const std::string own_type = reader.text("serverType", in_quotes(type_));
        if (!own_type.empty() && own_type != type_) {
            reader.refuse("serverType", in_quotes(own_type),
                          in_quotes(type_) + ", as the record's list");
        }
        if (is_every_address(server.client_host)) {
            reader.refuse("clientHost", "a name or an address that clients can reach");
        }
        if (found_.problems() != problems_before) {
            return false;
        }
        // The gate itself is named to nobody.
        if (server.frontend && server.client_host.empty() && type_ != "gate" &&
            is_every_address(server.host)) {
            found_.warn(reader.where("host"),
                        fmt::format("clients cannot be told {}: the gate tells them the address at "
                                    "which they reached the gate; behind NAT, Docker or a proxy "
                                    "set clientHost",
                                    in_quotes(server.host)));
        }
        server.json = normalised_json(record, server);
        note_port(reader, server, "port", server.port);
        note_port(reader, server, "clientPort", server.client_port);
        out_.id_places.push_back(reader.where("id"));
        out_.host_places.push_back(reader.where("host"));
        out_.servers.push_back(std::move(server));
        return true;
    }

    void note_port(const record_reader& reader, const server_record& server, std::string_view name,
                   std::uint16_t port) {
        if (port != 0) {
            out_.ports.push_back(
                {server.host, port, server.id, reader.where(name), name == "clientPort"});
        }
    }

    const json_source& source_;
    list_writer writer_;
    const std::string& type_;
    std::string key_;
    parsed_servers& out_;
    std::set<std::string_view>& warned_;
    findings& found_;
    std::size_t next_in_cluster_ = 0;
};

} // namespace

bool is_every_address(std::string_view host) {
    return !host.empty() && host.find_first_not_of("0.:") == std::string_view::npos;
}

std::string written(const server_record& server) {
    json_value record;
    try {
        record = parse_json(server.json, "a record");
    } catch (const error&) {
        return server.json; // it was made by hand
    }
    std::erase_if(record.members, [](const auto& member) { return member.key == "clusterCount"; });
    if (server.stopped || server.leaving) { // who does not know of leaving reads `stopped`
        set(record, "stopped", json_value::boolean(true));
    }
    if (server.leaving) {
        set(record, "leaving", json_value::number(*server.leaving));
    }
    return compact(record);
}

parsed_servers parse_servers(const json_source& source, std::string_view env, findings& found,
                             list_writer writer) {
    parsed_servers out;
    found.attempt([&] {
        refuse_other_sections(source, env);
        std::set<std::string_view> warned;
        for (const json_member& type : source.root.members) {
            if (writer == list_writer::master && type.key == "epoch" &&
                type.value.is == kind::number) {
                out.epoch = whole_number(type.value).value_or(1);
                continue;
            }
            found.attempt([&] { type_reader(source, type, writer, out, warned, found); });
        }
    });
    return out;
}

std::optional<parsed_master> parse_master(const json_source& source, std::string_view env,
                                          findings& found) {
    const std::size_t problems_before = found.problems();
    parsed_master out;
    found.attempt([&] {
        refuse_other_sections(source, env);
        const record_reader reader(source, source.root, source.key, source.root.line, master_keys,
                                   found);
        out.master.id = reader.required_id();
        out.master.host = reader.required_text("host", "an address such as '127.0.0.1'");
        reader.require("port", "a port from 1 to 65535");
        out.master.port = reader.port("port");
        out.id_place = reader.where("id");
        out.port = {out.master.host, out.master.port, out.master.id, reader.where("port")};
        reader.warn_of_slips();
    });
    return found.problems() == problems_before ? std::optional(std::move(out)) : std::nullopt;
}

} // namespace shaddock::config
