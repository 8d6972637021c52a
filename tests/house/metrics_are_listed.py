#!/usr/bin/env python3
"""Fails when the metrics that the code exports, those that docs/operations.md lists and those that the dashboard shows differ.

Usage: metrics_are_listed.py SOURCE_DIR. Checked are:
  - each name in host/ ("shaddock_..." as a text of its own) is one row of the table in docs/operations.md, and the other way round
  - each name in packaging/grafana/shaddock.json is exported; histograms, and only they, are used by _bucket, _sum or _count
  - each name is on the dashboard
  - names end as Prometheus wants it: counters in _total, times in _seconds, a size in _bytes
"""
import json
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
problems = []

exported = set()
for file in (root / "host").rglob("*.cpp"):
    exported |= set(re.findall(r'"(shaddock_[a-z_]+)"', file.read_text()))

listed = {}
for line in (root / "docs/operations.md").read_text().splitlines():
    row = re.match(r"\| `(shaddock_[a-z_]+)` \|([^|]*)\|([^|]*)\|", line)
    if row:
        if row[1] in listed:
            problems.append(f"docs/operations.md lists {row[1]} twice")
        listed[row[1]] = row[3].strip()
histograms = {name for name, unit in listed.items() if "histogram" in unit}

dashboard = json.loads((root / "packaging/grafana/shaddock.json").read_text())
queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
queries += [variable.get("definition", "") for variable in dashboard["templating"]["list"]]
shown = set()
for query in queries:
    for name in re.findall(r"\bshaddock_[a-z_]+", query):
        whole = re.sub(r"_(bucket|sum|count)$", "", name)
        shown.add(whole)
        if whole not in exported:
            problems.append(f"the dashboard asks for {name}, which nobody exports")
        elif (whole in histograms) != (whole != name):
            problems.append(f"the dashboard asks for {name}: a histogram has _bucket, _sum and _count, others have not")

for name in sorted(exported - listed.keys()):
    problems.append(f"docs/operations.md does not list {name}")
for name in sorted(listed.keys() - exported):
    problems.append(f"docs/operations.md lists {name}, which nobody exports")
for name in sorted(exported - shown):
    problems.append(f"the dashboard does not show {name}")
for name, unit in listed.items():
    ends = {"s": ("_seconds", "_seconds_total"), "bytes": ("_bytes", "_bytes_total")}.get(unit.split(",")[0])
    if ends and not name.endswith(ends):
        problems.append(f"{name} is in {unit}: it must end in {' or '.join(ends)}")

if not exported or not queries:
    problems.append("found no metrics, or no queries: this check looks in the wrong place")
for problem in problems:
    print(problem)
print(f"{len(exported)} metrics, {len(queries)} queries, {len(problems)} problems")
sys.exit(1 if problems else 0)
