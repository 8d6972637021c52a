#!/usr/bin/env python3
"""Fails when code of the host reads time or randomness by itself: it is handed a base::clock and a base::random, so that a test or a simulated cluster has both.

Usage: one_clock.py SOURCE_DIR. Checked are all files of host/, without comments:
  - outside host/base nobody names a clock, a timer or a source of randomness of the standard library, of Asio or Beast, or of the kernel
  - the real ones of host/base are made, or read, only in the files of `makers`, and each of those does
First each line of `planted` must be found, and none of `lawful`.
"""
import pathlib
import re
import sys

forbidden = re.compile(r"""
    \b(?:system|file|utc|tai|gps|high_resolution)_clock\b | (?<!base::)\bsteady_clock\b
  | \b(?:steady|system|deadline|high_resolution|waitable)_timer\b | \bexpires_(?:after|at|from_now)\b | \bbeast::tcp_stream\b
  | \b(?:clock_gettime|gettimeofday|timespec_get|timerfd_create|setitimer|nanosleep|usleep|sleep_for|sleep_until)\b
  | (?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&) | (?:std|[^\w])::clock\s*\(
  | \brandom_device\b | \b(?:mt19937|minstd_rand|ranlux|default_random_engine|knuth_b) | [<]random[>]
  | \b(?:getrandom|getentropy|arc4random\w*|RAND_bytes|[delmnj]rand48)\b | (?<![\w.>])(?:std::|::)?s?rand\s*\( | /dev/u?random
""", re.VERBOSE)

# What is real stands at the edge: what a process or a blocking command is made of.
makers = {
    re.compile(r"base::steady_clock\b"): {
        "host/cli/run_client.cpp", "host/cli/run_logs.cpp", "host/cli/run_web.cpp", "host/cli/run_with_master.cpp", "host/master/http.cpp",
        "host/master/master.cpp", "host/master/nats/nats_side.hpp", "host/node/check_module.cpp", "host/node/module_look.cpp", "host/node/running_server.cpp"},
    re.compile(r"\brandom_seed\b"): {"host/cli/run_client.cpp", "host/node/running_server.cpp"},
    re.compile(r"\brandom_bytes\b"): {"host/bus/run_folder.cpp", "host/master/private_file.cpp", "host/nats/connection.cpp"},
    re.compile(r"\bsince_boot\b"): {"host/base/process.cpp"},
}

planted = """
auto now = std::chrono::steady_clock::now();
using real = std::chrono::system_clock;
boost::asio::steady_timer wait(loop);
stream.expires_after(timeout);
clock_gettime(CLOCK_REALTIME, &now);
const auto t = std::time(nullptr);
srand(time(0));
return rand() % 6;
std::random_device seed;
std::mt19937_64 engine;
#include <random>
getrandom(bytes, 8, 0);
std::this_thread::sleep_for(wait);
open("/dev/urandom", O_RDONLY);
""".strip().splitlines()
lawful = """
base::steady_clock clock_;
// std::chrono::system_clock is not for us
void uptime(int seconds); print_time(now); when.time(0);
std::vector<int> operand(3);
now = clock_.wall_now(); random_.next();
""".strip().splitlines()


def found_in(text):
    """Yields number, text and the word for each line that breaks the rule."""
    for number, line in enumerate(text.splitlines(), 1):
        hit = forbidden.search(re.sub(r"//.*", "", line))
        if hit:
            yield number, line.strip(), hit[0].strip()


root = pathlib.Path(sys.argv[1])
problems = [f"this check does not find: {line}" for line in planted if not list(found_in(line))]
problems += [f"this check takes offence at: {line}" for line in lawful if list(found_in(line))]

files = [file for file in sorted((root / "host").rglob("*")) if file.suffix in (".cpp", ".hpp") and (root / "host/base") not in file.parents]
for file in files:
    name, text = str(file.relative_to(root)), file.read_text()
    for number, line, word in found_in(text):
        problems.append(f"{name}:{number}: found {word}, expected base::clock or base::random, handed in: {line}")
    code = re.sub(r"//.*", "", text)
    for real, allowed in makers.items():
        if (name in allowed) != bool(real.search(code)):
            problems.append(f"{name}: {real.pattern} is " + ("not there any more: take the file off the list" if name in allowed else
                            "the real one: have it handed in, or add the file to the list if it is the edge of a process"))

if len(files) < 100:
    problems.append("found hardly any file: this check looks in the wrong place")
for problem in problems:
    print(problem)
print(f"{len(files)} files, {len(problems)} problems")
sys.exit(1 if problems else 0)
