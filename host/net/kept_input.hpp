#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shaddock::net {

/// Bytes of a client that were read and must wait, taken from the front piece by piece: so that it
/// costs no more than the pieces, most of it is moved only when most is taken. Thread: the loop.
class kept_input {
public:
    bool is_empty() const { return head_ == bytes_.size(); }
    std::size_t size() const { return bytes_.size() - head_; }
    char* data() { return bytes_.data() + head_; }
    std::string_view view() const { return std::string_view(bytes_).substr(head_); }
    /// What it takes of memory.
    std::size_t capacity() const { return is_empty() ? 0 : bytes_.capacity(); }

    void append(std::string_view more) { bytes_.append(more); }
    void take(std::size_t count) {
        head_ += count;
        if (is_empty()) {
            clear();
        } else if (head_ >= bytes_.size() / 2) {
            // Into new memory: the old may be large.
            bytes_ = std::string(bytes_, head_);
            head_ = 0;
        }
    }
    void clear() {
        bytes_ = std::string();
        head_ = 0;
    }

private:
    std::string bytes_;
    std::size_t head_ = 0;
};

} // namespace shaddock::net
