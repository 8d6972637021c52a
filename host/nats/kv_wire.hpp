#pragma once

#include <shaddock/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What JetStream's API answers, as far as it is read here.
/// Source: docs.nats.io, reference/nats_api_reference; server/jetstream_api.go and errors.json.
namespace shaddock::nats::wire {

struct failure {
    int code = 0;
    int err_code = 0;
    std::string description;
};
BOOST_DESCRIBE_STRUCT(failure, (), (code, err_code, description))

struct answer {
    std::optional<failure> error;
};
BOOST_DESCRIBE_STRUCT(answer, (), (error))

struct bucket_state {
    std::uint64_t last_seq = 0;
};
BOOST_DESCRIBE_STRUCT(bucket_state, (), (last_seq))

struct bucket_config {
    std::string description;
};
BOOST_DESCRIBE_STRUCT(bucket_config, (), (description))

/// Of STREAM.INFO and STREAM.CREATE. When it was created is no name for it: in a cluster each
/// server has another time.
struct bucket {
    bucket_config config;
    bucket_state state;
};
BOOST_DESCRIBE_STRUCT(bucket, (), (config, state))

/// Of a publication that a stream has stored.
struct written {
    std::uint64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(written, (), (seq))

struct stored_message {
    std::uint64_t seq = 0;
    /// In base 64.
    std::string data;
};
BOOST_DESCRIBE_STRUCT(stored_message, (), (seq, data))

/// Of STREAM.MSG.GET.
struct got {
    stored_message message;
};
BOOST_DESCRIBE_STRUCT(got, (), (message))

/// Of CONSUMER.CREATE.
struct watch {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(watch, (), (name))

/// Where a delivered message stands, which its reply subject says.
struct place {
    std::uint64_t revision = 0;
    /// Counts the deliveries of one watch, from 1.
    std::uint64_t delivered = 0;
};
/// Empty: it is no such subject.
std::optional<place> read_place(std::string_view reply);

/// Up to what is not base 64.
std::string from_base64(std::string_view text);

/// As the room's errors. What JetStream refuses: not_found, duplicate (another revision; a bucket
/// that somebody else has made), internal.
error error_of(const failure& refused);

} // namespace shaddock::nats::wire

namespace shaddock::nats {

template <class Answer>
result<Answer> read_answer(std::string_view text) {
    auto refused = json::decode_tolerant<wire::answer>(text, "JetStream's answer");
    if (!refused) {
        return refused.error();
    }
    if (refused->error) {
        return wire::error_of(*refused->error);
    }
    return json::decode_tolerant<Answer>(text, "JetStream's answer");
}

} // namespace shaddock::nats
