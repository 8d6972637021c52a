#include "client_codec.hpp"

#include "base/log.hpp"
#include "protocol/protobuf.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::server {

namespace {

using protocol::message_type;

/// The route's proto in this direction, or null.
const protocol::proto_message* proto_for(const agreement& agreed,
                                         protocol::proto_set protocol::protos::*direction,
                                         std::string_view route) {
    return agreed.protos == nullptr ? nullptr : ((*agreed.protos).*direction).find(route);
}

/// 1, 10, 100, ...
bool is_power_of_ten(std::uint64_t count) {
    while (count != 0 && count % 10 == 0) {
        count /= 10;
    }
    return count == 1;
}

std::string error_body(const error& failed) {
    return fmt::format("{{\"code\":{}}}", failed.client_code());
}

} // namespace

/// A body as it goes to clients: JSON as it is, or written into `dialect`. What the proto cannot
/// say goes out as an empty body, as the original does: JSON would be read as protobuf.
std::string_view client_codec::outgoing_body(const protocol::proto_message* proto,
                                             std::string_view route, door::body_view body,
                                             std::string& dialect) const {
    if (proto == nullptr) {
        return body;
    }
    if (const auto written = protocol::json_to_protobuf(dialect, *proto, body); !written) {
        // Only routes of the proto files come here, so that it does not grow without end.
        const auto times = ++misfits_[std::string(route)];
        if (is_power_of_ten(times)) {
            base::log::error("server",
                             "'{}' goes to clients with an empty body, because its proto in "
                             "serverProtos.json does not fit what was sent: {} ({} times so far)",
                             route, written.error().text(), times);
        }
    }
    return dialect;
}

void client_codec::read(const protocol::message& message, const agreement& agreed,
                        client_request& into) const {
    into.id = message.type == message_type::request ? message.id : 0;
    into.route = message.route;
    if (message.route_code != 0) {
        into.route = dictionary_ ? dictionary_->route_of(message.route_code) : std::string_view();
        if (into.route.empty()) {
            into.refused.emplace(
                errc::unknown_route,
                fmt::format("the route code {} is not in the dictionary", message.route_code));
            return;
        }
    }
    into.body = message.body;
    if (const auto* proto = proto_for(agreed, &protocol::protos::client, into.route)) {
        const auto read = protocol::protobuf_to_json(into.decoded, *proto, message.body);
        if (!read) {
            into.is_misread = true;
            into.refused.emplace(errc::bad_request,
                                 fmt::format("malformed protobuf: {}", read.error().text()));
            return;
        }
        into.body = into.decoded;
    }
    if (agreed.key) {
        auto checked = agreed.key->checked_body(into.body);
        if (!checked) {
            into.refused.emplace(checked.error());
            return;
        }
        into.decoded = std::move(*checked);
        into.body = into.decoded;
    }
}

void client_codec::write_response(std::string& package, const agreement& agreed, std::uint32_t id,
                                  std::string_view route, const result<door::body>& outcome) const {
    std::string written;
    door::body_view body("{}");
    if (!outcome) {
        written = error_body(outcome.error());
        body = written;
    } else if (!outcome->empty()) {
        body = *outcome;
    }
    std::string dialect;
    const auto bytes =
        outgoing_body(proto_for(agreed, &protocol::protos::server, route), route, body, dialect);
    package.clear();
    if (const auto made = protocol::append_response_package(package, id, bytes); !made) {
        base::log::error("server", "the answer to '{}' does not fit a package: {}", route,
                         made.error().text());
        write_response(package, agreed, id, route, made.error());
    }
}

result<void> client_codec::write_push(std::string& package, const protocol::proto_message* proto,
                                      std::string_view route, door::body_view body) const {
    std::string dialect;
    const auto bytes = outgoing_body(proto, route, body, dialect);
    package.clear();
    const auto code = dictionary_ ? dictionary_->code_of(route) : std::uint16_t{0};
    return code != 0 ? protocol::append_push_package(package, code, bytes)
                     : protocol::append_push_package(package, route, bytes);
}

const net::encoded_package* push_forms::form_for(const agreement& agreed) {
    if (last_ == nullptr || last_protos_ != agreed.protos.get()) {
        const auto* proto = proto_for(agreed, &protocol::protos::server, route_);
        auto known = std::find_if(forms_.begin(), forms_.end(),
                                  [&](const auto& each) { return each.proto == proto; });
        if (known == forms_.end()) {
            known = forms_.insert(known, form{proto, std::nullopt});
            if (const auto made = codec_.write_push(scratch_, proto, route_, body_)) {
                known->made = net::encode_for_all(scratch_);
            } else {
                base::log::error("server", "push '{}' dropped: {}", route_, made.error().text());
            }
        }
        last_ = &*known;
        last_protos_ = agreed.protos.get();
    }
    return last_->made ? &*last_->made : nullptr;
}

} // namespace shaddock::server
