#pragma once

#include <shaddock/app.hpp>
#include <shaddock/door.hpp>
#include <shaddock/remote.hpp>

#include <string>
#include <vector>

/// A plugin that shows each kind of method, filter and hook; what happened is told in `log`.
namespace sample {

struct say_request {
    std::string text;
};
BOOST_DESCRIBE_STRUCT(say_request, (), (text))

struct say_reply {
    std::string text;
    double count = 0;
};
BOOST_DESCRIBE_STRUCT(say_reply, (), (text, count))

struct other_request {
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(other_request, (), (number))

inline constexpr shaddock::remote_method<say_reply(shaddock::session_ref who, int number)> echo{
    "sample.sampleRemote.echo"};
inline constexpr shaddock::remote_method<std::string(int number)> later{
    "sample.sampleRemote.later"};

} // namespace sample

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;
