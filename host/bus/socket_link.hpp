#pragma once

#include "bus/transport.hpp"
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

/// A link over a pipe: reads all there is per wake-up, writes once per loop turn.
class socket_link final : public link, public base::turn_budget::worker, public pipe_user {
public:
    /// `called`: the id that was dialled; empty for an accepted one.
    socket_link(core& owner, greeter& greets, std::unique_ptr<pipe> way, std::string called);

    void start_reading();
    void say_hello(const hello& greeting);
    /// `dead`: the incarnation of the other side, if it was declared dead.
    void refuse(std::string_view text, incarnation dead);
    /// The greeting is done; frames flow.
    void become_open(peer with);

    const std::string& called() const { return called_; }
    const pipe& way() const { return *way_; }
    /// It ended because nobody was there.
    bool was_refused() const { return was_refused_; }
    /// Of the hello that was sent on a dialled link.
    std::uint64_t random = 0;
    /// Ends a greeting that takes too long.
    base::timer patience;
    /// Who is at the other end of an accepted link that was answered; it opens with the next frame.
    std::optional<peer> greeted;

    void flush() override;
    void drain() override;
    /// Whether something has come that was not read yet.
    bool has_unread();
    /// Since when bytes wait and the other side takes none of them; max(): it takes them.
    base::time_point stalled_since() const { return stalled_since_; }

protected:
    bool take_greeting(const frame_view& frame) override;
    void shut() override;
    void read_on() override;

private:
    void wait_readable();
    void on_readable() override;
    void on_writable() override;
    /// One share of what has come.
    void go_on() override;
    void look(portion what);
    /// What was read and not handled; then `read_some`.
    void handle();
    /// False when there is nothing more to read, or the link has ended.
    bool read_some();
    void make_room();
    void wait_writable();
    /// The other side has closed the link, whatever it sent before.
    bool is_hung_up();

    greeter& greets_;
    std::unique_ptr<pipe> way_;
    std::string called_;
    std::vector<char> in_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    base::time_point stalled_since_ = base::time_point::max();
    base::time_point looked_at_{};
    bool is_waiting_writable_ = false;
    bool is_write_broken_ = false;
    bool is_reading_ = false;
    bool was_refused_ = false;
};

} // namespace shaddock::bus
