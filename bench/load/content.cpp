#include "content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace shaddock::bench {

message_id content_maker::make(std::string_view user, std::string_view room, std::uint64_t sequence,
                               std::string& out) {
    out = fmt::format("{}.{}.{}.{}.{}", tag_, log_.messages(), user, room, sequence);
    const message_id made = log_.new_message(out);
    out += '|';
    out.append(out.size() < size_ ? size_ - out.size() : 0, 'x');
    return made;
}

message_id content_maker::recognise(std::string_view content, std::string& problem) {
    const std::string_view text = content.substr(0, content.find('|'));
    std::size_t number = 0;
    if (text.starts_with(tag_) && text.size() > tag_.size() + 1) {
        std::from_chars(text.data() + tag_.size() + 1, text.data() + text.size(), number);
    }
    if (number >= log_.messages() || log_.message_text(static_cast<message_id>(number)) != text) {
        return log_.message(content);
    }
    if (!is_padded(content.substr(text.size()), text.size())) {
        problem = fmt::format("damaged content of '{}': {}", text, content);
    }
    return static_cast<message_id>(number);
}

bool content_maker::is_padded(std::string_view filler, std::size_t text_size) const {
    const std::size_t wanted = std::max(size_, text_size + 1) - text_size;
    return filler.size() == wanted && filler[0] == '|' &&
           filler.find_first_not_of('x', 1) == std::string_view::npos;
}

} // namespace shaddock::bench
