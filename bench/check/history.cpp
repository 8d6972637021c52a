#include "check/history.hpp"

namespace shaddock::bench {

std::string_view to_string(event_kind kind) {
    static constexpr std::string_view words[event_kinds] = {
        "connect", "query",   "enter", "send",   "ok",     "fail",   "onChat",
        "onAdd",   "onLeave", "leave", "closed", "kicked", "mangled"};
    return words[static_cast<std::size_t>(kind)];
}

history::history() {
    name("*");
    lists_.emplace_back();
}

client_id history::add_client(std::string label) {
    labels_.push_back(std::move(label));
    return static_cast<client_id>(labels_.size() - 1);
}

name_id history::name(std::string_view text) {
    const auto [place, is_new] =
        name_ids_.try_emplace(std::string(text), static_cast<name_id>(names_.size()));
    if (is_new) {
        names_.emplace_back(text);
    }
    return place->second;
}

message_id history::new_message(std::string text) {
    texts_.push_back(std::move(text));
    return static_cast<message_id>(texts_.size() - 1);
}

message_id history::message(std::string_view text) {
    const auto [place, is_new] =
        message_ids_.try_emplace(std::string(text), static_cast<message_id>(texts_.size()));
    if (is_new) {
        texts_.emplace_back(text);
    }
    return place->second;
}

std::uint32_t history::users_list(std::vector<name_id> users) {
    lists_.push_back(std::move(users));
    return static_cast<std::uint32_t>(lists_.size() - 1);
}

} // namespace shaddock::bench
