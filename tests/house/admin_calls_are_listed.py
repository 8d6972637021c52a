#!/usr/bin/env python3
"""Fails when the calls of the admin API that the master serves and those that docs/operations.md lists differ.

Usage: admin_calls_are_listed.py SOURCE_DIR. Checked are:
  - each path that host/master/ gives to admin_server::route, itself or by a lambda, is one row of the table under "## Admin API", with its method, and
    the other way round
  - each path of the API that host/cli/ or the page in web/admin/ calls is served
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
problems = []

# `route("GET", "/api/x", ..)`, or `name("/api/x", ..)` where `name` is a lambda that hands its path on to route().
served = set()
for file in sorted((root / "host/master").glob("*.cpp")):
    text = file.read_text()
    served |= set(re.findall(r'\broute\("([A-Z]+)", "(/[^"?]+)"', text))
    for name, method in re.findall(r'auto (\w+) = \[[^\]]*\]\(std::string_view path.*?\broute\("([A-Z]+)", path,', text, re.S):
        served |= {(method, path) for path in re.findall(rf'\b{name}\("(/[^"?]+)"', text)}

page = (root / "docs/operations.md").read_text()
section = re.search(r"^## Admin API\n(.*?)^## ", page, re.S | re.M)
listed = set()
for row in re.findall(r"^\| `([A-Z]+ /\S*?)(?:\?\S*)?`", section[1] if section else "", re.M):
    call = tuple(row.split())
    if call in listed:
        problems.append(f"docs/operations.md lists {row} twice")
    listed.add(call)

for call in sorted(served - listed):
    problems.append("docs/operations.md does not list " + " ".join(call))
for call in sorted(listed - served):
    problems.append("docs/operations.md lists " + " ".join(call) + ", which nobody serves")
paths = {path for _, path in served}
for file in [*sorted((root / "host/cli").glob("*.cpp")), *sorted((root / "web/admin").rglob("*.js"))]:
    for path in re.findall(r'["`\'](/api/\w+)', file.read_text()):
        if path not in paths:
            problems.append(f"{file.name} calls {path}, which nobody serves")

if len(served) < 5:
    problems.append("found hardly any call: this check looks in the wrong place")
for problem in problems:
    print(problem)
print(f"{len(served)} calls, {len(problems)} problems")
sys.exit(1 if problems else 0)
