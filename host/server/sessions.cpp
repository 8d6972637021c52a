#include "sessions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::server {

namespace {

constexpr std::size_t settings_limit = 256;
constexpr std::size_t settings_bytes_limit = std::size_t{64} * 1024;

} // namespace

session_store::session_store(std::string frontend, incarnation life)
    : frontend_(std::move(frontend)), life_(life) {}

session& session_store::open(net::connection& link) {
    auto data = std::make_shared<door::session_data>();
    data->ref = {frontend_, life_, session_id{++last_id_}, {}};
    data->address = base::to_text(link.client_ip());
    data->reached_at = base::to_text(link.reached_at());
    auto made = std::make_unique<session>();
    made->link = &link;
    made->data = std::move(data);
    auto& opened = *made;
    by_id_.emplace(opened.id(), std::move(made));
    return opened;
}

void session_store::close(session& gone) {
    unbind(gone);
    by_id_.erase(gone.id());
}

session* session_store::find(session_id id) const {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second.get();
}

session* session_store::find(const session_ref& who) const {
    return who.frontend == frontend_ && who.life == life_ ? find(who.id) : nullptr;
}

std::vector<session*> session_store::of_uid(std::string_view uid) const {
    std::vector<session*> found;
    const auto [first, last] = by_uid_.equal_range(std::string(uid));
    for (auto at = first; at != last; ++at) {
        found.push_back(at->second);
    }
    return found;
}

result<void> session_store::bind(session& which, std::string_view uid) {
    if (uid.empty()) {
        return error(errc::bad_request, "bind: the uid is empty");
    }
    const auto& bound = which.data->ref.uid;
    if (bound == uid) {
        return {};
    }
    if (!bound.empty()) {
        return error(errc::duplicate, fmt::format("bind '{}': session {} is already bound to '{}'",
                                                  uid, number(which.id()), bound));
    }
    replace_uid(which, uid);
    return {};
}

void session_store::unbind(session& which) {
    if (!which.data->ref.uid.empty()) {
        replace_uid(which, {});
    }
}

result<void> session_store::rebind(session& which, std::string_view uid) {
    if (uid.empty()) {
        return error(errc::bad_request, "rebind: the uid is empty");
    }
    if (which.data->ref.uid != uid) {
        replace_uid(which, uid);
    }
    return {};
}

void session_store::replace_uid(session& which, std::string_view uid) {
    auto [first, last] = by_uid_.equal_range(which.data->ref.uid);
    const auto old =
        std::find_if(first, last, [&](const auto& each) { return each.second == &which; });
    if (old != last) {
        by_uid_.erase(old);
    }
    auto changed = std::make_shared<door::session_data>(*which.data);
    changed->ref.uid = uid;
    which.data = std::move(changed);
    which.link->is_logged_in = !uid.empty();
    if (!uid.empty()) {
        by_uid_.emplace(uid, &which);
    }
}

result<void> session_store::set(session& which, const std::vector<door::setting>& settings) {
    auto changed = std::make_shared<door::session_data>(*which.data);
    for (const auto& each : settings) {
        const auto at = std::find_if(changed->settings.begin(), changed->settings.end(),
                                     [&](const auto& old) { return old.key == each.key; });
        if (at != changed->settings.end()) {
            at->json = each.json;
        } else {
            changed->settings.push_back(each);
        }
    }
    std::size_t bytes = 0;
    for (const auto& each : changed->settings) {
        bytes += each.key.size() + each.json.size();
    }
    if (changed->settings.size() > settings_limit || bytes > settings_bytes_limit) {
        return error(
            errc::overloaded,
            fmt::format("session {} would hold {} settings with {} bytes; at most {} and {}",
                        number(which.id()), changed->settings.size(), bytes, settings_limit,
                        settings_bytes_limit));
    }
    which.data = std::move(changed);
    return {};
}

} // namespace shaddock::server
