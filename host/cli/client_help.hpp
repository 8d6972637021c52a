#pragma once

namespace shaddock::cli {

/// What `host client --help` says after the options.
inline constexpr const char* client_examples = R"(
Asks the gate for a frontend, as a player's client does, connects, and takes lines:

  request ROUTE [JSON]   or only ROUTE [JSON]: ask, print the answer
  notify ROUTE [JSON]    tell, without an answer
  listen [ROUTE...|off]  which pushes are printed as they come; at first all
  wait ROUTE [SECONDS]   until such a push has come
  expect JSON            the last answer, or the push waited for, must contain this
  sleep SECONDS, info, routes, help, quit; # begins a comment

On a terminal it keeps a history (arrows, ctrl-r) and completes words and routes (tab). From a script or
a pipe it stops at the first line that fails and names it.

Examples:
  host client                               the gate of config/servers.json
  host client --connect 127.0.0.1:3050      a frontend itself, without a gate
  host client --script check.txt --json     a script; one JSON object a line for programs

A script that logs in to the chat that comes with the host, and talks:
  connector.entryHandler.enter {"username":"ada","rid":"hall"}
  expect {"users":["ada"]}
  chat.chatHandler.send {"content":"hello","target":"*"}
  wait onChat 5
  expect {"msg":"hello","from":"ada"}

Exit status: 0 done, 1 a line has failed or the connection has ended, 2 wrong arguments.)";

} // namespace shaddock::cli
