#pragma once

#include "bus/unix_socket.hpp"
#include "link.hpp"

#include <optional>
#include <vector>

namespace shaddock::bus {

/// Decides on greetings: the direct bus.
class greeter {
public:
    /// A frame has come on a link that is not open. Opens, answers or closes it. True: the frame is
    /// still to be served.
    virtual bool on_greeting(class socket_link& from, const frame_view& frame) = 0;
    /// It ended before it was open.
    virtual void on_greeting_failed(class socket_link& from) = 0;

protected:
    ~greeter() = default;
};

/// A link over a Unix socket: reads all there is per wake-up, writes once per loop turn.
class socket_link final : public link {
public:
    /// `called`: the id that was dialled; empty for an accepted one.
    socket_link(core& owner, greeter& greets, unix_socket socket, std::string called);

    void start_reading();
    void say_hello(const hello& greeting);
    void refuse(std::string_view text);
    /// The greeting is done; frames flow.
    void become_open(peer with);

    const std::string& called() const { return called_; }
    /// Of the hello that was sent on a dialled link.
    std::uint64_t random = 0;
    /// Ends a greeting that takes too long.
    base::timer patience;
    /// Who is at the other end of an accepted link that was answered; it opens with the next frame.
    std::optional<peer> greeted;

    void flush() override;
    void drain() override;
    /// Since when bytes wait and the other side takes none of them; max(): it takes them.
    base::time_point stalled_since() const { return stalled_since_; }

protected:
    bool take_greeting(const frame_view& frame) override;
    void shut() override;
    void go_on() override;

private:
    void wait_readable();
    void on_readable();
    /// What was read and not handled; then `read_some`.
    void handle();
    void read_later();
    /// False when there is nothing more to read, or the link has ended.
    bool read_some();
    void make_room();
    void wait_writable();

    greeter& greets_;
    unix_socket socket_;
    std::string called_;
    std::vector<char> in_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    base::time_point stalled_since_ = base::time_point::max();
    bool is_waiting_writable_ = false;
    bool is_write_broken_ = false;
    bool is_reading_ = false;
};

} // namespace shaddock::bus
