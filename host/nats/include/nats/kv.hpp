#pragma once

#include "base/alive.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "nats/connection.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// A bucket of NATS JetStream: keys, values, and a revision that each write makes larger.
namespace shaddock::nats {

struct kv_options {
    /// 1-64 letters, digits, `_` and `-`. It is made when it is not there, file-backed, with the
    /// last value of each key.
    std::string bucket;
    /// Of a bucket that is made: on how many servers of a NATS cluster it is kept, 1-5.
    int replicas = 1;
    /// Of each request.
    std::chrono::milliseconds timeout{2000};
    /// Between two comparisons of what was told with what the bucket has.
    std::chrono::milliseconds reconcile{5000};
    /// The server says so often that a watch without news lives; after three that did not come the
    /// bucket is watched anew. Not under 100 ms.
    std::chrono::milliseconds watch_beat{1000};
    /// As options::inbox_prefix of the connection.
    std::string inbox_prefix = "_INBOX";
};

struct kv_entry {
    std::string key;
    std::string value;
    std::uint64_t revision = 0;
};

/// What is told of a bucket. Thread: the loop.
class kv_observer {
public:
    /// A key has this value: all of them at first, then each change, own ones too. What changes in
    /// quick succession may be told once.
    virtual void on_entry(const kv_entry& now) = 0;
    /// The key has no value any more.
    virtual void on_erased(std::string_view key) = 0;
    /// All that the bucket has was told, and changes are from here on.
    virtual void on_whole() = 0;
    /// Changes are not told until the next on_whole: the connection or the watch is lost.
    virtual void on_deaf() = 0;
    /// The bucket is another one than before: it was lost, or deleted. What was told before is
    /// void, revisions too; those who know it write it again. Comes before the first entry.
    virtual void on_new_bucket() = 0;

protected:
    ~kv_observer() = default;
};

/// One bucket, watched from start to stop and made again when it is lost. Nothing here blocks.
/// Keys are letters, digits and any of `-/_=.`, parts between dots not empty. A value that is empty
/// counts as erased. Limits: a value must fit into the server's max_payload.
/// Thread: the loop. Lifetime: clock and connection outlive it; `stop` must have ended before it is
/// destroyed, and comes before the connection's stop.
class kv : private observer {
public:
    /// The revision that was written.
    using written_call = base::unique_function<void(result<std::uint64_t>)>;
    using got_call = base::unique_function<void(result<kv_entry>)>;

    kv(boost::asio::any_io_executor executor, base::clock& clock, connection& to,
       kv_options wanted);
    kv(const kv&) = delete;
    kv& operator=(const kv&) = delete;
    virtual ~kv() = default;

    /// Begins to watch as soon as there is a connection, and for ever. Errors: config (the name of
    /// the bucket).
    result<void> start(kv_observer& told);
    /// Between on_whole and on_deaf.
    bool is_whole() const { return state_ == watch_state::whole; }
    const std::string& bucket() const { return options_.bucket; }
    /// The highest revision that is known here.
    std::uint64_t last_revision() const { return std::max(seen_, had_); }
    /// Who keeps a key for long writes its value again when its revision is so far behind the last
    /// one: nats-server 2.9 counts every revision between the lowest and the highest one, in
    /// memory. Marks of erased keys are removed by this class.
    static constexpr std::uint64_t long_ago = 20'000;

    /// All of these call `done` once, by post. Errors of all: timeout (it may or may not have been
    /// done), disconnected (likewise), no_server (no JetStream, or no bucket now), bad_request (too
    /// large for the server), overloaded, cancelled (stopping), internal (the server's own words).

    /// The last value, from the server that decides. Errors: not_found.
    void get(std::string_view key, got_call done);
    /// Writes if the key has no value. Errors: duplicate (it has one).
    void create(std::string_view key, std::string_view value, written_call done);
    /// Writes if the key's revision is still that one. Errors: duplicate (it is another).
    void update(std::string_view key, std::string_view value, std::uint64_t revision,
                written_call done);
    /// Erases if the key's revision is still that one. Errors: duplicate.
    void erase(std::string_view key, std::uint64_t revision, written_call done);

    /// Ends what is under way as cancelled; `done` is posted.
    void stop(base::unique_function<void()> done);

private:
    enum class watch_state { none, asked, filling, whole };
    struct known {
        std::uint64_t revision = 0;
        bool is_erased = false;
        /// Of the watch that told it last.
        std::uint64_t watch = 0;
    };
    using answered = base::unique_function<void(const result<std::string>&)>;

    void on_up() override;
    void on_down() override;
    void on_slow_consumer(std::string_view subject) override;

    /// One request; the answer comes once, by post.
    void ask(std::string_view subject, std::string_view body, headers with, answered done);
    void fail(answered done, error why);
    void write(std::string_view key, std::string_view value, std::uint64_t revision,
               written_call done);
    /// Also of an erased key: its value is empty then.
    void look_up(std::string_view key, got_call done);
    std::string subject_of(std::string_view key) const;

    /// Looks at the bucket: whether it is there, the same one, and whether all was told.
    void check();
    void check_later(std::chrono::milliseconds delay);
    void on_checked(const result<std::string>& answer);
    void make_bucket();
    void on_bucket(std::string which, std::uint64_t last_revision);
    void try_again(std::string_view why);
    void watch();
    void unwatch();
    void on_watching(const result<std::string>& answer);
    void on_told(message said);
    void take(std::string_view key, std::string value, std::uint64_t revision);
    void become_whole();
    void listen_on();
    void remove_old_marks();

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    connection& connection_;
    kv_options options_;
    kv_observer* told_ = nullptr;

    std::uint64_t last_call_ = 0;
    std::map<std::uint64_t, answered> calls_;

    /// Which bucket it is: its description, in which who has made it has put a name.
    std::optional<std::string> which_;
    bool was_behind_us_ = false;
    bool is_checking_ = false;
    base::timer next_check_;
    /// What was last said of why it cannot be watched.
    std::string trouble_;

    watch_state state_ = watch_state::none;
    std::uint64_t watch_ = 0;
    std::string watch_subject_;
    subscription watching_;
    /// Of this watch: how many were delivered, and when something came last.
    std::uint64_t delivered_ = 0;
    base::time_point heard_{};
    base::timer deafness_;
    std::map<std::string, known, std::less<>> known_;
    /// The highest revision that was told, and that which the bucket had at the last check.
    std::uint64_t seen_ = 0;
    std::uint64_t had_ = 0;
    bool is_stopping_ = false;
    base::alive alive_;
};

} // namespace shaddock::nats
