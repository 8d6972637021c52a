#!/usr/bin/env bash
# A room that includes a header of a higher floor, and a plugin that includes any header of the host, must not compile.
set -euo pipefail
source_dir=$1
build_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Compiles the text on standard input with the command of source file $1; succeeds when the compiler does.
compile_as() {
    cat >"$work/probe.cpp"
    python3 - "$build_dir/compile_commands.json" "$source_dir/$1" "$work/probe.cpp" >"$work/command" <<'PYTHON'
import json, shlex, sys
database, source, probe = sys.argv[1:]
entry = next((e for e in json.load(open(database)) if e["file"] == source), None)
if entry is None:
    sys.exit(f"no compile command for {source}")
words, out, skip = shlex.split(entry["command"]), [], False
for i, word in enumerate(words):
    if skip or word == "ccache" or word.endswith("/ccache"):
        skip = False
        continue
    if word in ("-o", "-include"):
        skip = True
        continue
    out.append(probe if word == source else word)
print(f"cd {shlex.quote(entry['directory'])} && " + shlex.join(out + ["-fsyntax-only"]))
PYTHON
    bash "$work/command" >"$work/log" 2>&1
}

must_fail() {
    local source=$1 header=$2
    if echo "#include \"$header\"" | compile_as "$source"; then
        echo "FAILED: $source can include $header"
        exit 1
    fi
    grep -q "$header: No such file\|'$header' file not found" "$work/log" || { cat "$work/log"; echo "FAILED: for another reason"; exit 1; }
}

echo '#include "base/clock.hpp"' | compile_as host/server/server.cpp || { cat "$work/log"; echo "FAILED: a lawful include"; exit 1; }
must_fail host/base/log.cpp server/server.hpp
must_fail host/base/log.cpp protocol/package.hpp
must_fail host/bus/direct.cpp cluster/registry.hpp
must_fail host/net/listener.cpp bus/bus.hpp
must_fail host/server/server.cpp master/master.hpp
must_fail host/node/running_server.cpp master/master.hpp
must_fail host/control/run_files.cpp cluster/registry.hpp
must_fail host/master/master.cpp node/serve.hpp
must_fail plugins/chat/plugin.cpp base/clock.hpp
must_fail plugins/chat/plugin.cpp server/server.hpp
if grep -rnE '#include [<"](base|protocol|config|net|module|bus|client|cluster|control|server|master|node|cli)/' "$source_dir/sdk/include" "$source_dir/plugins"; then
    echo "FAILED: the SDK or a plugin names a header of the host"
    exit 1
fi
echo "forbidden includes do not compile"
