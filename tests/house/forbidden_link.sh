#!/usr/bin/env bash
# A room that uses a room on its own or a higher floor, or in a cycle, must stop the configuration.
set -euo pipefail
source_dir=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A house of two rooms; $1 is the floor of the room that uses the other (floor 1).
build_house() {
    local upper=$1
    rm -rf "$work/house" && mkdir -p "$work/house/low/include" "$work/house/high/include"
    echo 'int low() { return 1; }' >"$work/house/low/low.cpp"
    echo 'int high() { return 2; }' >"$work/house/high/high.cpp"
    echo 'shaddock_room(base FLOOR 1 SOURCES low.cpp)' >"$work/house/low/CMakeLists.txt"
    echo "shaddock_room(high FLOOR $upper SOURCES high.cpp DEPS base NO_PCH)" >"$work/house/high/CMakeLists.txt"
    cat >"$work/house/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(house LANGUAGES CXX)
add_library(shaddock_options INTERFACE)
add_library(shaddock_sdk INTERFACE)
add_library(shaddock::sdk ALIAS shaddock_sdk)
include($source_dir/cmake/rooms.cmake)
add_subdirectory(low)
add_subdirectory(high)
CMAKE
}

configure() { cmake -S "$work/house" -B "$work/build" >"$work/log" 2>&1; }

build_house 2
configure || { cat "$work/log"; echo "FAILED: the lawful house was refused"; exit 1; }
for floor in 1 0; do
    rm -rf "$work/build"
    build_house "$floor"
    if configure; then
        echo "FAILED: a room on floor $floor may use one on floor 1"
        exit 1
    fi
    grep -q "may not use 'base' (floor 1)" "$work/log" || { cat "$work/log"; echo "FAILED: refused without the reason"; exit 1; }
done
echo "forbidden links are refused, with the reason"
