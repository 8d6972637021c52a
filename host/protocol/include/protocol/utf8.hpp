#pragma once

#include <cstdint>
#include <string_view>

namespace shaddock::protocol {

/// Checks UTF-8 that arrives in pieces; a character may be split between them.
/// Refuses overlong forms, surrogates, values over U+10FFFF. Source: RFC 3629. Thread: any, one at
/// a time.
class utf8_checker {
public:
    /// Takes the next piece. False: not UTF-8, whatever may follow; stays false.
    bool feed(std::string_view piece);
    /// Whether what was fed so far does not end inside a character.
    bool complete() const { return ok_ && missing_ == 0; }

private:
    bool feed_byte(unsigned char byte);

    bool ok_ = true;
    std::uint8_t missing_ = 0;
    std::uint8_t low_ = 0x80;
    std::uint8_t high_ = 0xbf;
};

/// Whether the whole text is UTF-8.
bool is_utf8(std::string_view text);

} // namespace shaddock::protocol
