#include "request_log.hpp"

#include "base/log.hpp"
#include "generation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::server {

namespace {

/// `connector-server-1/12/345`; the life itself where the server is not known, or not any more.
std::string text_of(const request_id& id, const directory& names) {
    const auto* origin = names.find(id.origin);
    const auto where = origin != nullptr ? origin->id : fmt::format("{}", number(id.origin));
    return fmt::format("{}/{}/{}", where, number(id.session), id.number);
}

std::string text_of(const session_ref* session) {
    if (session == nullptr) {
        return "no session";
    }
    const auto uid = session->uid.empty() ? std::string() : fmt::format(" ({})", session->uid);
    return fmt::format("session {} of {}{}", number(session->id), session->frontend, uid);
}

std::string text_of(const generation& one) {
    return fmt::format("{} generation {}", one.builds(), one.number());
}

} // namespace

request_log::request_log(base::clock& clock, std::string id, const arrival& what)
    : clock_(clock), begun_(clock.now()), id_(std::move(id)), route_(what.route),
      met_(what.now != nullptr ? text_of(*what.now) : "no generation") {}

bool request_log::is_on() {
    return base::log::is_on(base::log::level::debug, "server");
}

std::unique_ptr<request_log> request_log::write_begin(const directory& names, base::clock& clock,
                                                      const arrival& what) {
    std::unique_ptr<request_log> made(new request_log(clock, text_of(what.id, names), what));
    base::log::debug("server", "request {} begins: '{}', {}, from {}", made->id_, what.route,
                     text_of(what.session), what.from);
    return made;
}

void request_log::end(const result<door::body>& outcome, const generation* by) const {
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - begun_).count();
    std::string word = "ok";
    if (!outcome) {
        const auto why = outcome.error();
        word = fmt::format("{}: {}", to_string(why.code()), why.text());
    }
    base::log::debug("server", "request {} ends: '{}', {}, {} us, by {}", id_, route_, word, took,
                     by != nullptr ? text_of(*by) : met_);
}

} // namespace shaddock::server
