#pragma once

#include "client_origin.hpp"
#include "framing.hpp"
#include "kept_input.hpp"
#include "stream.hpp"
#include "sweep_wheel.hpp"
#include "write_queue.hpp"

#include <net/listener.hpp>
#include <protocol/package.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock::net {

class connection_set;
class client_connection;
using connection_ptr = boost::intrusive_ptr<client_connection>;

/// A place among those who have not sent a message, in the order in which they came; leaves it when
/// destroyed.
using newcomer_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct newcomer_tag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
struct newcomer_entry : newcomer_hook {};
using newcomers = boost::intrusive::list<newcomer_entry, boost::intrusive::base_hook<newcomer_hook>,
                                         boost::intrusive::constant_time_size<false>>;

/// One client, from accept to the end of its lingering.
///
///   opening -> greeting [-> deciding] -> waiting_for_ack -> working -> closing -> gone
///
/// opening: the framing is not known yet, or HTTP is not done. deciding: the owner of the events
/// thinks about the handshake. closing: goodbye is in the queue,
/// input is thrown away, at most `linger`. gone: the stream is closed; only references are left.
/// Any of its functions may be called inside any callback. Thread: the loop.
class client_connection final : public connection,
                                public sweep_entry,
                                public newcomer_entry,
                                public stream_user,
                                public base::turn_budget::worker {
public:
    using place_in_list = std::list<connection_ptr>::iterator;

    client_connection(connection_set& owner, std::unique_ptr<stream> bytes,
                      const client_origin& origin, connection_id id);

    connection_id id() const override { return id_; }
    const std::string& address() const override { return address_; }
    base::ip_address client_ip() const override { return origin_.from; }
    base::ip_address reached_at() const override { return origin_.reached_at; }
    const client_origin& origin() const { return origin_; }
    send_result send(const encoded_package& made) override;
    send_result send_package(std::string_view package) override;
    void kick(std::string_view reason) override;
    std::size_t pending_bytes() const override { return queue_.size(); }
    void charge(std::size_t messages) override { allowance_.take_messages(messages); }
    void keep(std::size_t bytes) override;
    void give_back(std::size_t bytes) override;

    void start(place_in_list place);
    place_in_list place() const { return place_; }
    /// Sends what waits; the port's end of a turn.
    void flush_turn(base::time_point now);
    /// When to look at the deadlines again; far away when there is none.
    base::time_point due() const;
    /// The owner's answer to the handshake, if it is still awaited.
    void answer_handshake(const handshake_answer& answer);
    /// Ends what is over its time.
    void check_deadline(base::time_point now);
    /// Another client needs the place: ends at once, with a word if it can be written now.
    void give_way();
    /// Closes the stream without telling anybody: the port goes away.
    void abandon();
    /// A place in the wheel of those who are not read for a while.
    struct pause final : sweep_entry {
        explicit pause(client_connection& whose) : owner(whose) {}
        client_connection& owner;
        /// The line of the log that tells of it; 0: none does.
        std::uint64_t told_in = 0;
    };
    void end_pause();

    bool is_open() const { return phase_ < phase::closing; }
    std::size_t input_bytes() const { return input_held_ + unanswered_; }
    std::size_t output_bytes() const { return output_held_; }
    /// It holds most of what is over the budget.
    void drop_for_memory();

private:
    enum class phase : std::uint8_t {
        opening,
        greeting,
        deciding,
        waiting_for_ack,
        working,
        closing,
        gone
    };

    /// Who looks next for what the client has sent.
    enum class reading : std::uint8_t {
        /// The stream: wait_readable is under way.
        at_stream,
        /// The others have their turn; then go_on.
        in_queue,
        /// Nobody until the client's allowance has grown.
        paused,
        /// Nobody until it was answered.
        full,
        now
    };

    // input
    void on_readable(const char* problem) override;
    bool is_over() const override { return phase_ == phase::gone; }
    void go_on() override;
    void work(base::time_point now);
    void read();
    std::size_t read_size() const;
    bool may_take(std::size_t frame_bytes);
    bool may_take_front(std::string_view sent);
    void rest();
    void take_kept();
    void take_message();
    void take(char* data, std::size_t size);
    void take_partial();
    void forget_input();
    void read_on();
    bool is_resting() const { return reading_ == reading::paused || reading_ == reading::full; }
    bool has_package_under_way() const;
    void note_progress();
    bool sends_fast_enough(base::time_point now) const;
    void account(std::size_t& mine, std::size_t held_bytes::*sum, std::size_t now);
    void count_input();
    void count_output();
    std::size_t parse(char* data, std::size_t size);
    bool read_proxy_header();
    void came_from(const base::ip_address& client, std::uint16_t number);
    std::size_t open_framing(char* data, std::size_t size);
    std::size_t open_http(std::string_view head);
    std::size_t refuse_http(std::string_view head, int status, std::string_view reason, drop why);
    void refuse_handshake();
    void on_event(const framing_event& event);
    std::string_view on_packages(std::string_view packages);
    void on_package(protocol::package_type type, std::string_view body);
    void on_handshake(std::string_view json);
    void on_ack();
    bool has_heartbeat() const;

    // output
    void append_package(protocol::package_type type, std::string_view body);
    /// Nothing before it works: only then is a kick a client's to read.
    void append_kick(std::string_view reason);
    std::string& open_queue();
    send_result appended();
    void flush();
    void wait_writable();
    void on_writable(const char* problem) override;
    void written_out();

    // the end
    void violation(std::uint16_t code, const char* problem);
    void overflow();
    void say_goodbye(std::uint16_t code, std::string_view reason, std::optional<drop> why);
    void on_end_of_input();
    void lost(std::string_view reason);
    void leave(phase next, std::string_view reason);
    void close_stream();
    void enter(phase next);

    connection_set& owner_;
    std::unique_ptr<stream> stream_;
    connection_id id_;
    client_origin origin_;
    std::string address_;
    place_in_list place_;
    std::unique_ptr<framing> framing_;
    write_queue queue_;
    /// What was read and not taken: the beginning of a frame whose end has not come, or frames that
    /// must wait. `wanted_`: the size that it must reach for a package more.
    kept_input partial_;
    std::size_t wanted_ = 0;
    /// Before it: packages of one frame that must wait.
    kept_input packages_;
    allowance allowance_;
    /// While it works: what is left of its share, and who is next when it stops.
    base::turn_budget::share* share_ = nullptr;
    reading next_ = reading::at_stream;
    reading reading_ = reading::at_stream;
    /// The frame at the front waits for an allowance of so many bytes.
    std::size_t front_bytes_ = 0;
    base::time_point paused_since_{};
    /// Read in this share.
    std::size_t read_now_ = 0;
    /// Of the package under way: when it began, or its last sign of life; what came since.
    base::time_point under_way_since_{};
    std::size_t under_way_bytes_ = 0;
    /// What it holds, as it stands in the port's sums.
    std::size_t input_held_ = 0;
    std::size_t unanswered_ = 0;
    std::size_t output_held_ = 0;
    pause pause_{*this};
    /// Begin of the phase; while working, the last heartbeat.
    base::time_point since_;
    base::time_point last_traffic_;
    phase phase_ = phase::opening;
    bool was_ready_ = false;
    bool is_package_under_way_ = false;
    bool is_dirty_ = false;
    /// The stream takes no more; wait_writable is under way.
    bool is_blocked_ = false;
    /// The peer will send nothing more.
    bool is_input_over_ = false;
};

} // namespace shaddock::net
