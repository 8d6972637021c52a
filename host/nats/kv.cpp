#include "nats/kv.hpp"

#include "base/log.hpp"
#include "kv_wire.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace shaddock::nats {

namespace {

using std::chrono::milliseconds;

/// Requests that may wait for their answer.
constexpr std::size_t calls_limit = 1000;
constexpr milliseconds retry_delay{250};
/// For so long a bucket may have less than was told of it.
constexpr milliseconds behind_limit{2000};

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_bucket_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-';
    });
}

bool is_key(std::string_view key) {
    return !key.empty() && key.front() != '.' && key.back() != '.' &&
           key.find("..") == std::string_view::npos && std::ranges::all_of(key, [](char c) {
               return is_letter_or_digit(c) ||
                      std::string_view("-/_=.").find(c) != std::string_view::npos;
           });
}

} // namespace

kv::kv(boost::asio::any_io_executor executor, base::clock& clock, connection& to, kv_options wanted)
    : executor_(std::move(executor)), clock_(clock), connection_(to), options_(std::move(wanted)) {}

result<void> kv::start(kv_observer& told) {
    assert(told_ == nullptr);
    if (!is_bucket_name(options_.bucket)) {
        return error(errc::config, fmt::format("NATS bucket '{}': 1-64 letters, digits, '_' and '-'"
                                               " are expected",
                                               options_.bucket));
    }
    told_ = &told;
    connection_.observe(*this);
    return {};
}

void kv::stop(base::unique_function<void()> done) {
    assert(!is_stopping_);
    is_stopping_ = true;
    alive_.end();
    connection_.forget(*this);
    next_check_.cancel();
    deafness_.cancel();
    watching_.end();
    for (auto& [number, call] : std::exchange(calls_, {})) {
        fail(std::move(call), error(errc::cancelled, "it stops"));
    }
    boost::asio::post(executor_, [ended = std::move(done)]() mutable { ended(); });
}

// ---- reading and writing

void kv::get(std::string_view key, got_call done) {
    look_up(key, [done = std::move(done)](result<kv_entry> found) mutable {
        if (found && found->value.empty()) {
            return done(error(errc::not_found, fmt::format("'{}' was erased", found->key)));
        }
        done(std::move(found));
    });
}

void kv::create(std::string_view key, std::string_view value, written_call done) {
    const auto at = known_.find(key);
    const auto erased_at = at != known_.end() && at->second.is_erased ? at->second.revision : 0;
    write(key, value, erased_at,
          [this, key = std::string(key), value = std::string(value),
           done = std::move(done)](result<std::uint64_t> written) mutable {
              if (written || written.error().code() != errc::duplicate || is_stopping_) {
                  return done(std::move(written));
              }
              // What is there may be no value, but the mark of an erased one.
              look_up(key, [this, key, value = std::move(value),
                            done = std::move(done)](result<kv_entry> found) mutable {
                  if (found && found->value.empty() && !is_stopping_) {
                      return write(key, value, found->revision, std::move(done));
                  }
                  done(found ? error(errc::duplicate, fmt::format("'{}' has a value", key))
                             : found.error());
              });
          });
}

void kv::update(std::string_view key, std::string_view value, std::uint64_t revision,
                written_call done) {
    write(key, value, revision, std::move(done));
}

void kv::erase(std::string_view key, std::uint64_t revision, written_call done) {
    write(key, {}, revision, std::move(done));
}

void kv::write(std::string_view key, std::string_view value, std::uint64_t revision,
               written_call done) {
    headers with{{"Nats-Expected-Last-Subject-Sequence", std::to_string(revision)}};
    if (value.empty()) {
        with.emplace_back("KV-Operation", "DEL");
    }
    auto written = [done = std::move(done)](const result<std::string>& answer) mutable {
        if (!answer) {
            return done(answer.error());
        }
        const auto read = read_answer<wire::written>(*answer);
        done(read ? result<std::uint64_t>(read->seq) : read.error());
    };
    if (!is_key(key)) {
        return fail(std::move(written),
                    error(errc::bad_request, fmt::format("'{}' is no key", key)));
    }
    ask(subject_of(key), value, std::move(with), std::move(written));
}

void kv::look_up(std::string_view key, got_call done) {
    auto got = [key = std::string(key),
                done = std::move(done)](const result<std::string>& answer) mutable {
        if (!answer) {
            return done(answer.error());
        }
        auto read = read_answer<wire::got>(*answer);
        if (!read) {
            return done(read.error());
        }
        done(kv_entry{std::move(key), wire::from_base64(read->message.data), read->message.seq});
    };
    if (!is_key(key)) {
        return fail(std::move(got), error(errc::bad_request, fmt::format("'{}' is no key", key)));
    }
    ask("$JS.API.STREAM.MSG.GET.KV_" + options_.bucket,
        fmt::format(R"({{"last_by_subj":"{}"}})", subject_of(key)), {}, std::move(got));
}

std::string kv::subject_of(std::string_view key) const {
    return fmt::format("$KV.{}.{}", options_.bucket, key);
}

void kv::ask(std::string_view subject, std::string_view body, headers with, answered done) {
    if (is_stopping_) {
        return fail(std::move(done), error(errc::cancelled, "it stops"));
    }
    if (calls_.size() >= calls_limit) {
        return fail(std::move(done), error(errc::overloaded, "too many requests to NATS wait"));
    }
    const auto number = ++last_call_;
    calls_.emplace(number, std::move(done));
    connection_.request(subject, body, options_.timeout,
                        alive_.guard([this, number](const result<std::string>& answer) {
                            if (auto call = calls_.extract(number)) {
                                call.mapped()(answer);
                            }
                        }),
                        std::move(with));
}

void kv::fail(answered done, error why) {
    boost::asio::post(executor_, [done = std::move(done), why = std::move(why)]() mutable {
        done(result<std::string>(std::move(why)));
    });
}

// ---- which bucket it is

void kv::on_up() {
    unwatch();
    is_checking_ = false;
    check();
}

void kv::on_down() {
    next_check_.cancel();
    unwatch();
}

void kv::check() {
    if (is_checking_ || is_stopping_ || !connection_.is_up()) {
        return;
    }
    is_checking_ = true;
    check_later(options_.reconcile);
    ask("$JS.API.STREAM.INFO.KV_" + options_.bucket, "", {},
        [this](const result<std::string>& answer) { on_checked(answer); });
}

void kv::check_later(milliseconds delay) {
    next_check_ = clock_.after(delay, [this] { check(); });
}

void kv::on_checked(const result<std::string>& answer) {
    is_checking_ = false;
    if (is_stopping_) {
        return;
    }
    if (!answer) {
        return try_again(answer.error().text());
    }
    if (auto read = read_answer<wire::bucket>(*answer)) {
        on_bucket(std::move(read->config.description), read->state.last_seq);
    } else if (read.error().code() == errc::not_found) {
        make_bucket();
    } else {
        try_again(read.error().text());
    }
}

void kv::make_bucket() {
    is_checking_ = true;
    const auto body = fmt::format(
        R"({{"name":"KV_{0}","description":"{2}","subjects":["$KV.{0}.>"],)"
        R"("retention":"limits","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"max_msg_size":-1,"max_msgs_per_subject":1,)"
        R"("storage":"file","num_replicas":{1},"discard":"new","deny_delete":true,)"
        R"("allow_rollup_hdrs":true,"allow_direct":true}})",
        options_.bucket, options_.replicas, connection::secret_subject("shaddock"));
    ask("$JS.API.STREAM.CREATE.KV_" + options_.bucket, body, {},
        [this](const result<std::string>& answer) {
            is_checking_ = false;
            if (is_stopping_) {
                return;
            }
            auto made =
                answer ? read_answer<wire::bucket>(*answer) : result<wire::bucket>(answer.error());
            if (!made && made.error().code() == errc::duplicate) {
                return check(); // somebody else was faster
            }
            if (!made) {
                return try_again(made.error().text());
            }
            on_bucket(std::move(made->config.description), made->state.last_seq);
        });
}

void kv::on_bucket(std::string which, std::uint64_t last_revision) {
    // One that others have made has no name of ours; but revisions do not go back, except for a
    // moment while the servers of a cluster choose who leads.
    const bool is_behind_us = last_revision < seen_;
    const bool is_another = which_ && (*which_ != which || (is_behind_us && was_behind_us_));
    was_behind_us_ = is_behind_us && !is_another;
    if (was_behind_us_) {
        check_later(std::min(options_.reconcile, behind_limit));
    }
    which_ = std::move(which);
    if (is_another) {
        base::log::warn("nats", "bucket {} was lost: there is a new one", options_.bucket);
        unwatch();
        known_.clear();
        seen_ = 0;
        had_ = 0;
        told_->on_new_bucket();
    }
    // What it had at the check before should have been told by now.
    const bool is_behind = state_ == watch_state::whole && had_ > seen_;
    had_ = last_revision;
    if (is_behind) {
        base::log::warn("nats", "bucket {}: changes were not told: it is watched anew",
                        options_.bucket);
        unwatch();
    }
    if (state_ == watch_state::none) {
        watch();
    } else {
        remove_old_marks();
    }
}

void kv::remove_old_marks() {
    for (const auto& [key, what] : known_) {
        if (what.is_erased && what.revision + long_ago < last_revision()) {
            // Not what is written after it.
            ask("$JS.API.STREAM.PURGE.KV_" + options_.bucket,
                fmt::format(R"({{"filter":"{}","seq":{}}})", subject_of(key), what.revision + 1),
                {}, [](const result<std::string>&) {});
        }
    }
}

void kv::try_again(std::string_view why) {
    if (trouble_ != why) {
        trouble_ = why;
        base::log::warn("nats", "bucket {} cannot be read: {}", options_.bucket, why);
    }
    check_later(retry_delay);
}

// ---- the watch

void kv::watch() {
    assert(state_ == watch_state::none);
    state_ = watch_state::asked;
    delivered_ = 0;
    watch_subject_ = connection::secret_subject(options_.inbox_prefix);
    auto watching = connection_.subscribe(watch_subject_, [this, watch = ++watch_](message said) {
        if (watch == watch_ && state_ != watch_state::none) {
            on_told(std::move(said));
        }
    });
    if (!watching) {
        unwatch();
        return try_again(watching.error().text());
    }
    watching_ = std::move(*watching);
    listen_on();
    const auto body = fmt::format(
        R"({{"stream_name":"KV_{0}","config":{{"deliver_subject":"{1}",)"
        R"("deliver_policy":"last_per_subject","filter_subject":"$KV.{0}.>","ack_policy":"none",)"
        R"("replay_policy":"instant","max_deliver":1,"idle_heartbeat":{2},"mem_storage":true,)"
        R"("num_replicas":1}}}})",
        options_.bucket, watch_subject_,
        std::chrono::nanoseconds(std::max(options_.watch_beat, milliseconds(100))).count());
    ask("$JS.API.CONSUMER.CREATE.KV_" + options_.bucket, body, {},
        [this, watch = watch_](const result<std::string>& answer) {
            if (watch == watch_ && state_ != watch_state::none && !is_stopping_) {
                on_watching(answer);
            }
        });
}

void kv::unwatch() {
    deafness_.cancel();
    watching_.end();
    if (std::exchange(state_, watch_state::none) == watch_state::whole) {
        told_->on_deaf();
    }
}

void kv::on_watching(const result<std::string>& answer) {
    const auto made =
        answer ? read_answer<wire::watch>(*answer) : result<wire::watch>(answer.error());
    if (!made) {
        unwatch();
        return try_again(made.error().text());
    }
    if (state_ == watch_state::asked) {
        state_ = watch_state::filling;
        if (had_ == 0) {
            become_whole();
        }
    }
}

void kv::on_told(message said) {
    heard_ = clock_.now();
    const auto place = wire::read_place(said.reply);
    const auto prefix = subject_of("");
    if (!place || !said.subject.starts_with(prefix)) {
        // The server says that it still watches, and has nothing to tell now.
        if (state_ == watch_state::filling) {
            become_whole();
        }
        return;
    }
    if (place->delivered != ++delivered_) {
        base::log::warn("nats", "bucket {}: a change was lost on its way: it is watched anew",
                        options_.bucket);
        unwatch();
        return check();
    }
    state_ = state_ == watch_state::asked ? watch_state::filling : state_;
    const auto watch = watch_;
    take(std::string_view(said.subject).substr(prefix.size()), std::move(said.bytes),
         place->revision);
    // In the order of revisions: what it had when it was looked at was told. The count of what is
    // to come, in the message too, cannot be relied on (nats-server 2.9, others writing meanwhile).
    if (place->revision >= had_ && watch == watch_ && state_ == watch_state::filling) {
        become_whole();
    }
}

void kv::take(std::string_view key, std::string value, std::uint64_t revision) {
    seen_ = std::max(seen_, revision);
    auto at = known_.find(key);
    if (at == known_.end()) {
        at = known_.emplace(key, known()).first;
        at->second.is_erased = true;
    }
    at->second.watch = watch_;
    if (at->second.revision >= revision) {
        return;
    }
    const bool was_erased = std::exchange(at->second.is_erased, value.empty());
    at->second.revision = revision;
    if (!value.empty()) {
        told_->on_entry({std::string(key), std::move(value), revision});
    } else if (!was_erased) {
        told_->on_erased(key);
    }
}

void kv::become_whole() {
    std::vector<std::string> gone;
    for (auto at = known_.begin(); at != known_.end();) {
        if (at->second.watch == watch_) {
            ++at;
            continue;
        }
        if (!at->second.is_erased) {
            gone.push_back(at->first);
        }
        at = known_.erase(at);
    }
    for (const auto& key : gone) {
        told_->on_erased(key);
    }
    seen_ = std::max(seen_, had_);
    state_ = watch_state::whole;
    trouble_.clear();
    told_->on_whole();
}

void kv::listen_on() {
    heard_ = clock_.now();
    deafness_ = clock_.after(3 * options_.watch_beat, [this] {
        if (clock_.now() - heard_ < 3 * options_.watch_beat) {
            const auto heard = heard_;
            listen_on();
            heard_ = heard;
            return;
        }
        unwatch();
        check();
    });
}

void kv::on_slow_consumer(std::string_view subject) {
    if (state_ != watch_state::none && subject == watch_subject_) {
        unwatch();
        check();
    }
}

} // namespace shaddock::nats
