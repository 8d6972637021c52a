#include "frontend.hpp"

#include "base/log.hpp"
#include "protocol/handshake.hpp"

#include <utility>

// How a client becomes a session: what it says, what plugins think of it, what it is told.

namespace shaddock::server {

/// A handshake on its way through the plugins' hooks, which may take their time.
struct frontend::greeting {
    explicit greeting(std::size_t& among) : count(among) { ++count; }
    greeting(const greeting&) = delete;
    greeting& operator=(const greeting&) = delete;
    ~greeting() { --count; }

    /// Of all greetings: whose client has gone lasts until its hook has answered.
    std::size_t& count;
    net::connection_id id{};
    std::string address;
    protocol::handshake_request said;
    std::shared_ptr<const agreement> agreed;
    /// Whose hooks are asked; a new generation is for those who come later.
    lease asked;
    std::size_t next_hook = 0;
    /// What the client gets as `user`, JSON text.
    std::string user;
};

/// Where a hook's word about a handshake arrives.
class hook_answer final : public door::completion {
public:
    hook_answer(frontend& front, std::shared_ptr<frontend::greeting> about)
        : front_(front), about_(std::move(about)) {}
    ~hook_answer() override {
        if (about_) {
            done(error(errc::internal, "a hook ended without an answer"));
        }
    }
    void done(result<door::body> outcome) noexcept override {
        front_.hook_said(std::exchange(about_, nullptr), std::move(outcome));
    }

private:
    frontend& front_;
    std::shared_ptr<frontend::greeting> about_;
};

namespace {

/// Greetings under way at a time where connections have no limit.
constexpr std::size_t greetings_limit = 10'000;

net::handshake_answer refusal(std::string_view address, int code, std::string_view why) {
    // A hook may choose the code, but a refusal is never a success.
    code = code == 200 ? 500 : code;
    base::log::debug("server", "handshake of {} refused with {}: {}", address, code, why);
    return {false, protocol::handshake_failure(code)};
}

/// As JavaScript sees it: such a `user` is left out.
bool is_falsy(std::string_view json) {
    return json.empty() || json == "null" || json == "false" || json == "0" || json == "\"\"";
}

door::client_info info_of(const protocol::handshake_request& said, std::string_view address) {
    return {said.client_type, said.client_version, address, said.user};
}

} // namespace

void frontend::use_protos(std::shared_ptr<const protocol::protos> now) {
    // A file that was only written anew is no new form to encode.
    if (agreed_->protos != nullptr && now != nullptr && now->version != agreed_->protos->version) {
        agreed_ = std::make_shared<agreement>(agreement{std::move(now), std::nullopt});
    }
}

std::optional<net::handshake_answer> frontend::on_handshake(net::connection& from,
                                                            std::string_view json) {
    auto said = protocol::parse_handshake_request(json);
    if (!said) {
        return refusal(from.address(), 500, said.error().text());
    }
    const auto serving = local_.current();
    const auto& hooks = serving->registered().handshakes();
    for (auto* hook : hooks) {
        const auto accepted = hook->accepts(info_of(*said, from.address()));
        if (!accepted) {
            return refusal(from.address(), accepted.error().client_code(), accepted.error().text());
        }
        if (!*accepted) {
            return refusal(from.address(), 501, "the client is too old");
        }
    }
    auto agreed = agreed_;
    if (options_.crypto) {
        auto key = protocol::client_key::parse(said->rsa);
        if (!key) {
            return refusal(from.address(), 500, key.error().text());
        }
        agreed = std::make_shared<agreement>(agreement{agreed_->protos, std::move(*key)});
    }
    from.agreed = agreed;
    const auto limit = options_.listener->connections_limit;
    if (greetings_ >= (limit != 0 ? limit : greetings_limit)) {
        return refusal(from.address(), 500, "too many handshakes wait for their hooks");
    }
    const auto about = std::make_shared<greeting>(greetings_);
    about->id = from.id();
    about->address = from.address();
    about->said = std::move(*said);
    about->agreed = std::move(agreed);
    about->asked = lease(serving);
    if (hooks.empty()) {
        return net::handshake_answer{true, welcome(*about)};
    }
    ask_hooks(about);
    return std::nullopt;
}

void frontend::ask_hooks(const std::shared_ptr<greeting>& about) {
    auto* hook = about->asked->registered().handshakes()[about->next_hook++];
    const auto client = info_of(about->said, about->address);
    hook->shake_hands(client, std::make_unique<hook_answer>(*this, about));
}

void frontend::hook_said(const std::shared_ptr<greeting>& about, result<door::body> outcome) {
    if (!outcome) {
        const auto why = outcome.error();
        return listener_->answer_handshake(about->id,
                                           refusal(about->address, why.client_code(), why.text()));
    }
    if (!is_falsy(*outcome)) {
        about->user = std::move(*outcome);
    }
    if (about->next_hook < about->asked->registered().handshakes().size()) {
        return ask_hooks(about);
    }
    listener_->answer_handshake(about->id, {true, welcome(*about)});
}

/// Dictionary and protos only when the client does not have them already.
std::string frontend::welcome(const greeting& about) const {
    protocol::handshake_response response;
    response.heartbeat_s = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(options_.listener->heartbeat).count());
    const auto is_known = [](const std::optional<std::string>& has, const std::string& wanted) {
        return has && !has->empty() && *has == wanted;
    };
    if (const auto* dictionary = codec_.dictionary()) {
        response.use_dict = true;
        if (!is_known(about.said.dict_version, dictionary->version())) {
            response.dictionary = dictionary->parts();
        }
    }
    if (const auto& protos = about.agreed->protos) {
        response.use_proto = true;
        if (!is_known(about.said.proto_version, protos->version)) {
            response.protos = protos->parts();
        }
    }
    response.user = about.user;
    return protocol::handshake_success(response);
}

} // namespace shaddock::server
