#pragma once

#include <cassert>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock::net {

/// What waits to be sent to one client: whole frames, one after the other in one piece of memory,
/// so that one send() takes them all.
/// It knows where the first frame begins that has not been touched by a send: there it may be cut.
/// Thread: the loop.
class write_queue {
public:
    std::size_t capacity() const { return bytes_.capacity(); }
    std::size_t size() const { return bytes_.size() - head_; }
    bool is_empty() const { return head_ == bytes_.size(); }
    std::string_view waiting() const { return std::string_view(bytes_).substr(head_); }

    /// To append whole frames to.
    std::string& tail() { return bytes_; }

    /// Appends bytes that are no frame but must go whole, like an HTTP response. Only when empty.
    void push_opaque(std::string_view bytes) {
        assert(is_empty());
        bytes_.assign(bytes);
        head_ = 0;
        boundary_ = bytes_.size();
    }

    /// Takes `count` bytes off the front; they were sent. `frame_bytes(view)` gives the size of the
    /// frame at the front of its argument and is asked only when something is left.
    template <class FrameBytes>
    void sent(std::size_t count, FrameBytes frame_bytes) {
        head_ += count;
        assert(head_ <= bytes_.size());
        if (is_empty()) {
            bytes_.clear();
            head_ = boundary_ = 0;
            return;
        }
        while (boundary_ < head_) {
            boundary_ += frame_bytes(std::string_view(bytes_).substr(boundary_));
        }
        if (head_ >= compact_bytes && head_ >= bytes_.size() / 2) {
            bytes_.erase(0, head_);
            boundary_ -= head_;
            head_ = 0;
        }
    }

    /// Drops all frames of which nothing was sent yet; the rest of a frame in progress stays.
    void cut() { bytes_.resize(boundary_); }

    /// Lends memory to append into, and gives it back when nothing waits: idle clients hold none.
    bool has_storage() const { return bytes_.capacity() > std::string().capacity(); }
    void lend(std::string storage) {
        assert(bytes_.empty());
        bytes_ = std::move(storage);
    }
    std::string take_storage() {
        assert(is_empty());
        head_ = boundary_ = 0;
        return std::exchange(bytes_, std::string());
    }

private:
    static constexpr std::size_t compact_bytes = std::size_t{64} * 1024;

    std::string bytes_;
    /// Bytes before it are sent.
    std::size_t head_ = 0;
    /// At or after head_: here begins the first frame untouched by a send, or the queue ends.
    std::size_t boundary_ = 0;
};

} // namespace shaddock::net
