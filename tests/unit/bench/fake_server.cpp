#include "fake_server.hpp"

#include <protocol/handshake.hpp>
#include <protocol/kick.hpp>
#include <protocol/message.hpp>
#include <protocol/package.hpp>
#include <protocol/upgrade.hpp>
#include <protocol/websocket.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cstring>

namespace shaddock::bench {
namespace asio = boost::asio;
using kind = violation_kind;
using tcp = asio::ip::tcp;

namespace {

std::string member(const rapidjson::Document& body, const char* key) {
    const auto found = body.IsObject() ? body.FindMember(key) : rapidjson::Value::MemberIterator();
    return body.IsObject() && found != body.MemberEnd() && found->value.IsString()
               ? found->value.GetString()
               : "";
}

std::string notice(std::string_view route, const std::string& user) {
    return fmt::format(R"({{"route":"{}","user":"{}"}})", route, user);
}

} // namespace

/// One client of the fake: frames in, frames out.
class fake_session : public std::enable_shared_from_this<fake_session> {
public:
    fake_session(fake_server& owner, tcp::socket socket)
        : owner_(owner), socket_(std::move(socket)),
          decoder_(protocol::websocket_peer::client, 64 * 1024), in_(64 * 1024, '\0') {}

    void read() {
        socket_.async_read_some(
            asio::buffer(in_.data() + filled_, in_.size() - filled_),
            [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
                if (failed || self->is_closed_) {
                    self->close();
                    return;
                }
                self->filled_ += size;
                const std::size_t used = self->take();
                self->filled_ -= used;
                std::memmove(self->in_.data(), self->in_.data() + used, self->filled_);
                self->read();
            });
    }

    void respond(std::uint32_t id, std::string_view body) {
        std::string package;
        (void)protocol::append_response_package(package, id, body);
        put(package);
    }
    void push(std::string_view route, std::string_view body) { put(push_package(route, body)); }
    static std::string push_package(std::string_view route, std::string_view body) {
        std::string package;
        (void)protocol::append_push_package(package, route, body);
        return package;
    }
    void put(std::string_view package) {
        protocol::append_websocket_frame(out_, protocol::websocket_opcode::binary, package);
        flush_later();
    }
    void close() {
        if (!is_closed_) {
            is_closed_ = true;
            boost::system::error_code ignored;
            socket_.close(ignored);
            owner_.forget(*this);
        }
    }

    std::string name;
    std::string room;
    /// Fault reordered: a package that goes out after the next one of the same sender.
    std::string held;
    fake_session* held_from = nullptr;

private:
    std::size_t take() {
        if (!is_upgraded_) {
            const auto outcome = protocol::answer_upgrade_request({in_.data(), filled_});
            if (outcome.status != protocol::upgrade_status::accepted) {
                return 0;
            }
            is_upgraded_ = true;
            out_ += outcome.answer;
            flush_later();
            return outcome.used;
        }
        std::size_t used = 0;
        for (;;) {
            const auto event = decoder_.next(in_.data() + used, filled_ - used);
            used += event.used;
            if (is_closed_ || event.kind != protocol::websocket_event_kind::binary) {
                return used;
            }
            take_package(protocol::cut_package(event.payload, 64 * 1024));
        }
    }

    void take_package(const protocol::package_cut& cut) {
        if (cut.type == protocol::package_type::handshake) {
            put(*protocol::encode_package(protocol::package_type::handshake, owner_.handshake()));
        } else if (cut.type == protocol::package_type::data) {
            const auto read = protocol::decode_message(cut.body);
            const std::string_view routes[] = {"", "chat.chatHandler.send",
                                               "connector.entryHandler.enter",
                                               "gate.gateHandler.queryEntry"};
            owner_.handle(*this, read->id,
                          read->route_code == 0 ? read->route : routes[read->route_code],
                          read->body);
        } else {
            put(protocol::heartbeat_package);
        }
    }

    void flush_later() {
        if (!is_writing_) {
            is_writing_ = true;
            asio::post(socket_.get_executor(), [self = shared_from_this()] { self->flush(); });
        }
    }
    void flush() {
        writing_.clear();
        std::swap(writing_, out_);
        if (is_closed_ || writing_.empty()) {
            is_writing_ = false;
            return;
        }
        asio::async_write(
            socket_, asio::buffer(writing_),
            [self = shared_from_this()](boost::system::error_code, std::size_t) { self->flush(); });
    }

    fake_server& owner_;
    tcp::socket socket_;
    protocol::websocket_decoder decoder_;
    std::string in_;
    std::size_t filled_ = 0;
    std::string out_;
    std::string writing_;
    bool is_upgraded_ = false;
    bool is_writing_ = false;
    bool is_closed_ = false;
};

fake_server::fake_server(options wanted)
    : options_(wanted), gate_(io_, {asio::ip::address_v4::loopback(), 0}),
      connector_(io_, {asio::ip::address_v4::loopback(), 0}),
      gate_port_(gate_.local_endpoint().port()) {
    accept(gate_);
    accept(connector_);
    thread_ = std::thread([this] { io_.run(); });
}

fake_server::~fake_server() {
    io_.stop();
    thread_.join();
}

void fake_server::accept(listener& from) {
    from.async_accept([this, &from](boost::system::error_code failed, tcp::socket socket) {
        if (!failed) {
            socket.set_option(tcp::no_delay(true));
            auto made = std::make_shared<fake_session>(*this, std::move(socket));
            sessions_.insert(made);
            made->read();
        }
        accept(from);
    });
}

bool fake_server::strikes(kind one) {
    return options_.fault == one && ++chances_ % 3 == 0;
}

std::string fake_server::handshake() const {
    protocol::handshake_response hello;
    hello.heartbeat_s = 3;
    if (options_.is_compact) {
        hello.use_dict = hello.use_proto = true;
        hello.dictionary = protocol::handshake_dictionary{
            R"({"chat.chatHandler.send":1,"connector.entryHandler.enter":2,"gate.gateHandler.queryEntry":3})",
            R"({"1":"chat.chatHandler.send","2":"connector.entryHandler.enter","3":"gate.gateHandler.queryEntry"})",
            "1"};
        hello.protos = protocol::handshake_protos{
            R"({"onChat":{"msg":{"option":"required","type":"string","tag":1},"from":{"option":"required","type":"string","tag":2},"target":{"option":"required","type":"string","tag":3},"__messages":{},"__tags":{"1":"msg","2":"from","3":"target"}}})",
            "{}", "1"};
    }
    return protocol::handshake_success(hello);
}

void fake_server::handle(fake_session& from, std::uint32_t id, std::string_view route,
                         std::string_view body) {
    rapidjson::Document read;
    read.Parse(body.data(), body.size());
    if (route == "gate.gateHandler.queryEntry") {
        query(from, id);
    } else if (route == "connector.entryHandler.enter") {
        enter(from, id, member(read, "username"), member(read, "rid"));
    } else {
        send(from, id, member(read, "content"), member(read, "target"));
    }
}

void fake_server::query(fake_session& from, std::uint32_t id) {
    from.respond(id, fmt::format(R"({{"code":200,"host":"127.0.0.1","port":{}}})",
                                 connector_.local_endpoint().port()));
}

void fake_server::enter(fake_session& from, std::uint32_t id, const std::string& name,
                        const std::string& room) {
    const auto& there = rooms_[room];
    if (std::any_of(there.begin(), there.end(),
                    [&](const fake_session* one) { return one->name == name; })) {
        from.respond(id, R"({"code":500,"error":true})");
        return;
    }
    const std::string old_room = from.room;
    from.name = name;
    if (!old_room.empty()) {
        leave(from);
    }
    from.room = room;
    announce(from);
    rooms_[room].push_back(&from);
    from.respond(id, users_of(room));
}

void fake_server::announce(fake_session& joined) {
    const auto body = notice("onAdd", joined.name);
    for (fake_session* one : rooms_[joined.room]) {
        if (!strikes(kind::missing_add)) {
            one->push("onAdd", body);
        }
        if (strikes(kind::doubled_add)) {
            one->push("onAdd", body);
        }
        if (held_leaves_[joined.room].contains(joined.name)) {
            one->push("onLeave", notice("onLeave", joined.name));
        }
    }
    held_leaves_[joined.room].erase(joined.name);
    if (strikes(kind::self_announced)) {
        joined.push("onAdd", body);
    }
    if (fake_session* other = someone_outside(joined.room); other && strikes(kind::stray_add)) {
        other->push("onAdd", notice("onAdd", "nobody"));
    }
}

std::string fake_server::users_of(const std::string& room) {
    std::vector<std::string> names;
    for (const fake_session* one : rooms_[room]) {
        names.push_back(one->name);
    }
    names.insert(names.end(), ghosts_[room].begin(), ghosts_[room].end());
    if (strikes(kind::missing_user)) {
        names.erase(names.begin());
    }
    if (strikes(kind::doubled_user)) {
        names.push_back(names.front());
    }
    std::string list;
    for (const auto& one : names) {
        list += fmt::format(R"({}"{}")", list.empty() ? "" : ",", one);
    }
    return fmt::format(R"({{"users":[{}]}})", list);
}

void fake_server::leave(fake_session& gone) {
    std::erase(rooms_[gone.room], &gone);
    if (options_.fault == kind::ghost_member) {
        ghosts_[gone.room].insert(gone.name);
    }
    if (options_.fault == kind::out_of_turn) {
        held_leaves_[gone.room].insert(gone.name);
        return;
    }
    const auto body = notice("onLeave", gone.name);
    for (fake_session* one : rooms_[gone.room]) {
        if (!strikes(kind::missing_leave)) {
            one->push("onLeave", body);
        }
        if (strikes(kind::doubled_leave)) {
            one->push("onLeave", body);
        }
    }
    if (fake_session* other = someone_outside(gone.room); other && strikes(kind::stray_leave)) {
        other->push("onLeave", notice("onLeave", "nobody"));
    }
}

void fake_server::send(fake_session& from, std::uint32_t id, const std::string& content,
                       const std::string& target) {
    const auto there = rooms_[from.room];
    bool is_known = target == "*";
    for (fake_session* one : there) {
        const bool is_meant = target == "*" || one->name == target;
        is_known |= is_meant;
        if (is_meant || strikes(kind::leaked_private)) {
            deliver(*one, from, content, target);
        }
    }
    fake_session* outside = someone_outside(from.room);
    if (target == "*" && outside != nullptr && strikes(kind::stray_push)) {
        deliver(*outside, from, content, target);
    }
    if (is_known) {
        answer_send(from, id);
    } else {
        from.respond(id, R"({"code":500})");
    }
}

void fake_server::deliver(fake_session& to, fake_session& from, const std::string& content,
                          const std::string& target) {
    const std::string said = strikes(kind::mangled)         ? content.substr(0, content.size() - 1)
                             : strikes(kind::ghost_message) ? "boo"
                                                            : content;
    const std::string author = strikes(kind::wrong_sender) ? "mallory" : from.name;
    const std::string aim = strikes(kind::wrong_target) ? "nobody" : target;
    std::string body;
    if (options_.is_compact) {
        char tag = 0x0a;
        for (const std::string& field : {said, author, aim}) {
            body += tag;
            body += static_cast<char>(field.size());
            body += field;
            tag = static_cast<char>(tag + 8);
        }
    } else {
        body = fmt::format(R"({{"msg":"{}","from":"{}","target":"{}"}})", said, author, aim);
    }
    const std::string package = fake_session::push_package("onChat", body);
    if (strikes(kind::lost)) {
        return;
    }
    if (to.held.empty() && strikes(kind::reordered)) {
        to.held = package;
        to.held_from = &from;
        return;
    }
    to.put(package);
    if (strikes(kind::doubled)) {
        to.put(package);
    }
    if (!to.held.empty() && to.held_from == &from) {
        to.put(std::exchange(to.held, {}));
    }
}

void fake_server::answer_send(fake_session& from, std::uint32_t id) {
    if (strikes(kind::unanswered)) {
        return;
    }
    if (strikes(kind::unexpected_close)) {
        from.close();
        return;
    }
    if (strikes(kind::unexpected_kick)) {
        from.put(*protocol::encode_package(protocol::package_type::kick,
                                           protocol::kick_body("because")));
    }
    from.respond(id, strikes(kind::wrong_answer) ? R"({"code":500})" : "{}");
    if (strikes(kind::answered_twice)) {
        from.respond(id, "{}");
    }
    if (strikes(kind::unasked_answer)) {
        from.respond(id + 10'000, "{}");
    }
}

void fake_server::forget(fake_session& gone) {
    if (!gone.room.empty()) {
        leave(gone);
    }
    sessions_.erase(gone.shared_from_this());
}

fake_session* fake_server::someone_outside(const std::string& room) {
    for (const auto& [other, there] : rooms_) {
        if (other != room && !there.empty()) {
            return there.front();
        }
    }
    return nullptr;
}

} // namespace shaddock::bench
