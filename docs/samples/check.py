#!/usr/bin/env python3
"""Fails when a README, CHANGELOG.md or a page of docs/ says what is not so.

Usage: check.py SOURCE_DIR. Checked are:
  - code: a ```cpp block follows a line `<!-- file: PATH -->` and stands in that file as it is, indentation aside
  - tests: each `suite.name` in docs/promises.md is a TEST of tests/ or docs/samples/, or of the page's tests (quoted there after the file's name), and no cell
    of its tables with the columns `local`, `direct` and `nats` is empty or says *not yet*
  - files: each `path/with/slash` in backticks that begins with a folder of the tree, and each link to a file, exists
  - functions: each `file.cpp: function` in docs/life-of-a-request.md and docs/where-to-change.md stands in a file of that path
"""
import pathlib
import re
import sys
import textwrap

root = pathlib.Path(sys.argv[1])
pages = [root / "README.md", root / "README.zh-CN.md", root / "CHANGELOG.md", *sorted((root / "docs").glob("*.md"))]
problems = []


def complain(page, line, text):
    problems.append(f"{page.relative_to(root)}:{line}: {text}")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_code(page, text):
    for block in re.finditer(r"^```cpp\n(.*?)^```$", text, re.S | re.M):
        line = line_of(text, block.start())
        named = re.search(r"<!-- file: (\S+) -->\n\Z", text[: block.start()])
        if not named or not (root / named[1]).is_file():
            complain(page, line, "the code names no file that exists")
        elif textwrap.dedent(block[1]) not in dedented_runs(named[1], block[1]):
            complain(page, line, f"the code does not stand in {named[1]}")


def dedented_runs(name, block):
    """The file's runs of as many lines as the block has, each dedented."""
    lines = (root / name).read_text().splitlines(keepends=True)
    count = len(block.splitlines())
    return {textwrap.dedent("".join(lines[i : i + count])) for i in range(len(lines) - count + 1)}


def check_paths(page, text):
    prose = re.sub(r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), text, flags=re.S | re.M)
    tops = {entry.name for entry in root.iterdir() if entry.is_dir()} - {"build", "run", "logs"}
    for quoted in re.finditer(r"`([\w.-]+/[\w./-]*)`", prose):
        if quoted[1].split("/")[0] in tops and not (root / quoted[1]).exists():
            complain(page, line_of(prose, quoted.start()), f"there is no {quoted[1]}")
    for link in re.finditer(r"\]\(([^)#:]+)\)", prose):
        if not (page.parent / link[1]).exists():
            complain(page, line_of(prose, link.start()), f"the link leads nowhere: {link[1]}")


def known_tests():
    names = set()
    for folder in ("tests", "docs/samples"):
        for file in (root / folder).rglob("*.cpp"):
            for test in re.finditer(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", file.read_text(), re.M):
                names.add(f"{test[1]}.{test[2]}")
    for file in root.glob("tests/*/CMakeLists.txt"):
        names.update(re.findall(r"add_test\(NAME ([\w.]+)", file.read_text()))
        names.update("e2e." + name for name in re.findall(r"shaddock_node_test\((\w+)", file.read_text()))
    return names


def check_tests(page, text):
    names = known_tests()
    for quoted in re.finditer(r"`([a-z0-9_]+\.[a-z0-9_]{4,})`", text):
        if quoted[1] not in names and not re.search(r"\.(cpp|hpp|json|yaml|mjs|html)$", quoted[1]):
            complain(page, line_of(text, quoted.start()), f"there is no test {quoted[1]}")


def check_cells(page, text):
    is_by_bus = False
    for number, row in enumerate(text.splitlines(), 1):
        if not row.startswith("|"):
            is_by_bus = False
            continue
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        is_by_bus = is_by_bus or cells[1:] == ["local", "direct", "nats"]
        if is_by_bus and any(cell == "" or "*not yet*" in cell for cell in cells):
            complain(page, number, "a cell names no test")


def check_functions(page, text):
    for named in re.finditer(r"`([\w/]+\.(?:cpp|hpp|js)): ([\w:~ ,]+)`", text):
        file = root / named[1]
        if not file.is_file():
            complain(page, line_of(text, named.start()), f"there is no {named[1]}")
            continue
        code = file.read_text()
        for function in named[2].split(", "):
            if not re.search(rf"\b{re.escape(function)}\b", code):
                complain(page, line_of(text, named.start()), f"{named[1]} has no {function}")


for page in pages:
    content = page.read_text()
    check_code(page, content)
    check_paths(page, content)
    if page.name == "promises.md":
        check_tests(page, content)
        check_cells(page, content)
    if page.name in ("life-of-a-request.md", "where-to-change.md"):
        check_functions(page, content)
for problem in problems:
    print(problem)
print(f"{len(pages)} pages, {len(problems)} problems")
sys.exit(1 if problems else 0)
