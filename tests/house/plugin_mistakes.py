#!/usr/bin/env python3
"""Fails when the compiler does not name a mistake of plugin_mistakes.cpp.

Usage: plugin_mistakes.py SOURCE_DIR COMPILER [INCLUDE_DIR...]. Each `// expect: TEXT` there is the beginning of a static assertion that
must fail, as often as it stands there.
"""
import collections
import pathlib
import re
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
mistakes = folder / "tests/house/plugin_mistakes.cpp"
includes = [f"-I{folder / 'sdk/include'}", *(f"-I{one}" for one in sys.argv[3:])]
version = subprocess.run([sys.argv[2], "--version"], capture_output=True, text=True, check=True).stdout
all_errors = "-ferror-limit=0" if "clang" in version else "-fmax-errors=0"
compiled = subprocess.run([sys.argv[2], "-std=c++20", "-fsyntax-only", "-w", all_errors, *includes, mistakes],
                          capture_output=True, text=True, check=False)
if compiled.returncode == 0:
    sys.exit("plugin_mistakes.cpp compiles")

failed = re.findall(r"""error: static.assert(?:ion)? failed(?: due to requirement '[^"]*')?:? "?(.*)""", compiled.stderr)
expected = collections.Counter(re.findall(r"// expect: (.*)", mistakes.read_text()))
missing = [text for text, count in expected.items() if sum(one.startswith(text) for one in failed) < count]
for text in missing:
    print(f"the compiler does not say: {text}")
if missing or not expected:
    print(compiled.stderr[:20000])
    sys.exit(1)
print(f"{expected.total()} mistakes are named")
