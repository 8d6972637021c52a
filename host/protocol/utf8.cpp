#include <protocol/utf8.hpp>

#include <cstddef>
#include <cstring>

namespace shaddock::protocol {

namespace {

/// Bytes at the front of `text` that are ASCII, counted in steps of 8.
std::size_t ascii_run(std::string_view text) {
    std::size_t run = 0;
    while (text.size() - run >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + run, 8);
        if ((word & 0x8080808080808080) != 0) {
            break;
        }
        run += 8;
    }
    return run;
}

} // namespace

bool utf8_checker::feed_byte(unsigned char byte) {
    if (missing_ != 0) {
        if (byte < low_ || byte > high_) {
            return false;
        }
        --missing_;
        low_ = 0x80;
        high_ = 0xbf;
        return true;
    }
    if (byte < 0x80) {
        return true;
    }
    if (byte < 0xc2 || byte > 0xf4) {
        return false;
    }
    missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    // The second byte decides about overlong forms, surrogates and values over U+10FFFF.
    low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
}

bool utf8_checker::feed(std::string_view piece) {
    while (ok_ && !piece.empty()) {
        if (missing_ == 0) {
            piece.remove_prefix(ascii_run(piece));
        }
        // Then one byte at a time up to the end of this character and of a short ASCII tail.
        std::size_t taken = 0;
        while (ok_ && taken < piece.size() && (taken < 8 || missing_ != 0)) {
            ok_ = feed_byte(static_cast<unsigned char>(piece[taken]));
            ++taken;
        }
        piece.remove_prefix(taken);
    }
    return ok_;
}

bool is_utf8(std::string_view text) {
    utf8_checker checker;
    return checker.feed(text) && checker.complete();
}

} // namespace shaddock::protocol
