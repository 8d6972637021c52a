#!/usr/bin/env bash
# Puts each of the bugs in old_bugs/*.patch back, one at a time, and expects the simulation to find it.
# Without SHADDOCK_LONG it only sees that the patches still fit: each needs a build.
# Usage: old_bugs.sh SOURCE_FOLDER
set -euo pipefail
root=$1
here=$root/tests/simulation/old_bugs
faults=kill_chat,kill_connector,kill_gate,kill_pair,freeze,freeze_long,cut,cut_long,delay,restart_chat,restart_connector
if [ -z "${SHADDOCK_LONG:-}" ]; then
    for bug in "$here"/*.patch; do
        (cd "$root" && patch -p1 --dry-run --force --silent <"$bug")
    done
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CCACHE_BASEDIR=$scratch CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
tar -C "$root" --exclude=./build --exclude=./.git --exclude=node_modules -cf - . | tar -C "$scratch" -xf -
cd "$scratch"
cmake --preset release -B build "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O2 -g1 -DNDEBUG" -DSHADDOCK_WERROR=ON -DSHADDOCK_TESTS=ON -DSHADDOCK_BENCH=ON -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0 >/dev/null
for bug in "$here"/*.patch; do
    patch -p1 --silent <"$bug"
    cmake --build build --target simulation >/dev/null
    if build/tests/simulate --told --list tests/simulation/seeds.txt >found.txt &&
        build/tests/simulate --seeds 300 --told --faults "$faults" >found.txt; then
        echo "$(basename "$bug") was not found" >&2
        exit 1
    fi
    echo "$(basename "$bug" .patch): $(grep -m 1 '^seed' found.txt)"
    patch -p1 -R --silent <"$bug"
done
