#pragma once

#include "bus/bus.hpp"
#include "frame.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace shaddock::bus {

class core;

/// One end of a link between two servers: frames out, frames in. Subclasses move the bytes.
/// Thread: the loop. Lifetime: shared by the bus, its own pending I/O and (weakly) the responders;
/// after `close` it does not touch the bus.
class link : public std::enable_shared_from_this<link> {
public:
    explicit link(core& owner) : owner_(owner) {}
    link(const link&) = delete;
    link& operator=(const link&) = delete;
    virtual ~link() = default;

    /// Who is at the other end; known once open.
    const peer& with() const { return with_; }
    bool is_open() const { return state_ == state::open; }
    bool is_closed() const { return state_ == state::closed; }

    /// Whether a frame with `payload` bytes fits the bounded queue. An empty queue takes any frame.
    bool has_room(std::size_t payload);
    /// Bytes that the other side has not taken yet.
    std::size_t waiting() const { return out_.size() - sent_ + in_transit(); }
    void send_call(std::uint64_t call, std::uint32_t remaining_ms, envelope_view what);
    void send_cast(envelope_view what);
    void send_plain(frame_kind kind);
    /// An answer that does not fit becomes `overloaded`. When not even that fits, the link breaks:
    /// an answer must not just vanish.
    void send_answer(std::uint64_t call, result<std::string> answer);

    /// Hands what waits to the transport; the core calls it once per loop turn.
    virtual void flush() = 0;
    /// Reads and handles what has already arrived, before the link is replaced.
    virtual void drain() = 0;
    /// Ends the link; the core hears of it if it was open. Repeated calls do nothing.
    void close(link_end why);

    base::time_point last_heard() const { return last_heard_; }
    void heard(base::time_point at) { last_heard_ = at; }
    /// Whether anything was sent since the last call of this.
    bool take_has_sent() { return std::exchange(has_sent_, false); }

protected:
    enum class state { greeting, open, closed };

    /// Handles all whole frames at the front of `in`; returns the bytes used. Check is_closed()
    /// after it.
    std::size_t take_frames(std::string_view in);
    /// A frame on a link that is not open yet. True: the frame opened it and is still to be served.
    /// Default: garbage.
    virtual bool take_greeting(const frame_view& frame);
    virtual void shut() = 0;
    /// Bytes that the transport has taken but the other side has not.
    virtual std::size_t in_transit() const { return 0; }

    void open(peer with);
    /// `before`: the size of `out_` until now.
    void appended(std::size_t before);
    void garbage(std::string_view what);

    core& owner_;
    peer with_;
    state state_ = state::greeting;
    /// Waiting to be handed to the transport: from `sent_` on.
    std::string out_;
    std::size_t sent_ = 0;

private:
    void take_frame(const frame_view& frame, base::time_point now);

    bool is_dirty_ = false;
    bool has_sent_ = false;
    base::time_point last_heard_{};
    friend class core;
};

} // namespace shaddock::bus
