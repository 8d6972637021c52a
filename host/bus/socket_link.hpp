#pragma once

#include "bus/unix_socket.hpp"
#include "link.hpp"

#include <vector>

namespace shaddock::bus {

/// Decides on greetings: the direct bus.
class greeter {
public:
    /// A hello or refuse frame has come on a link that is not open. Opens, answers or closes it.
    virtual void on_greeting(class socket_link& from, const frame_view& frame) = 0;
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
    std::uint64_t random = 0;
    base::timer patience;

    void flush() override;
    void drain() override;

protected:
    void take_greeting(const frame_view& frame) override;
    void shut() override;

private:
    void wait_readable();
    void on_readable();
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
    bool is_waiting_writable_ = false;
    bool is_write_broken_ = false;
    bool is_reading_ = false;
};

} // namespace shaddock::bus
