#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Fields as bytes, for what servers say to each other.
/// Form: integers little-endian; a text as its length, u32, and its bytes. A message may end in
/// fields that its reader does not know: who reads takes the known ones in order and leaves the
/// rest.
namespace shaddock::base {

/// Appends fields to a string.
class writer {
public:
    explicit writer(std::string& out) : out_(out) {}
    void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void u16(std::uint16_t value) { integer(value); }
    void u32(std::uint32_t value) { integer(value); }
    void u64(std::uint64_t value) { integer(value); }
    void text(std::string_view value) {
        u32(static_cast<std::uint32_t>(value.size()));
        out_.append(value);
    }
    /// Replaces the u32 at `place` in the string by the number of bytes that follow it.
    void set_length(std::size_t place) {
        const auto length = static_cast<std::uint32_t>(out_.size() - place - sizeof(std::uint32_t));
        for (std::size_t i = 0; i < sizeof(length); ++i) {
            out_[place + i] = static_cast<char>(length >> (8 * i) & 0xff);
        }
    }

private:
    template <class Integer>
    void integer(Integer value) {
        char bytes[sizeof(Integer)];
        for (std::size_t i = 0; i < sizeof(Integer); ++i) {
            bytes[i] = static_cast<char>(value >> (8 * i) & 0xff);
        }
        out_.append(bytes, sizeof(Integer));
    }
    std::string& out_;
};

/// Takes fields off bytes; after the first that does not fit every read answers zero or empty and
/// `ok` is false. Nothing is read past the end. Texts view into the input.
class reader {
public:
    explicit reader(std::string_view in) : in_(in) {}
    std::uint8_t u8() { return integer<std::uint8_t>(); }
    std::uint16_t u16() { return integer<std::uint16_t>(); }
    std::uint32_t u32() { return integer<std::uint32_t>(); }
    std::uint64_t u64() { return integer<std::uint64_t>(); }
    std::string_view text() { return take(u32()); }
    bool ok() const { return ok_; }
    /// Whether fields follow: those of a later version, or none.
    bool at_end() const { return in_.empty(); }

private:
    std::string_view take(std::size_t size) {
        if (size > in_.size()) {
            ok_ = false;
            in_ = {};
            return {};
        }
        const auto taken = in_.substr(0, size);
        in_.remove_prefix(size);
        return taken;
    }
    template <class Integer>
    Integer integer() {
        std::uint64_t value = 0;
        const auto bytes = take(sizeof(Integer));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        }
        return static_cast<Integer>(value);
    }
    std::string_view in_;
    bool ok_ = true;
};

} // namespace shaddock::base
