#pragma once

#include "check/history.hpp"

#include <string>
#include <string_view>

namespace shaddock::bench {

/// A push onChat, read and found to be one of ours or not.
struct delivery {
    message_id message = 0;
    name_id from = 0;
    name_id target = 0;
    /// Not empty: what is wrong with it.
    std::string problem;
};

/// Makes and recognises what our users say: `tag.number.user.room.sequence` and filler, so that a
/// message names its sender, its room and its place, and a damaged one shows.
class content_maker {
public:
    content_maker(history& log, std::string tag, std::size_t size)
        : log_(log), tag_(std::move(tag)), size_(size) {}

    /// A new message; `out` gets its content.
    message_id make(std::string_view user, std::string_view room, std::uint64_t sequence,
                    std::string& out);
    /// The message with this content; one that nobody made gets a new id. `problem` is not empty
    /// when its filler is damaged.
    message_id recognise(std::string_view content, std::string& problem);

private:
    bool is_padded(std::string_view filler, std::size_t text_size) const;

    history& log_;
    std::string tag_;
    std::size_t size_;
};

} // namespace shaddock::bench
