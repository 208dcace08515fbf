#!/usr/bin/env bash
# Installs the C and C++ faces into a directory of their own and builds a program against them, outside the project:
# by CMake with both libraries, and by pkg-config. Usage: run.sh LIBRARY_DIR
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
libraries="$(cd "$1" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cmake -S "$here/../../../bindings/cpp" -B "$work/install" -DCOMPTOIR_LIBRARY_DIR="$libraries" \
    -DCMAKE_INSTALL_PREFIX="$work/prefix" >"$work/log" || { cat "$work/log"; exit 1; }
cmake --install "$work/install" >"$work/log" || { cat "$work/log"; exit 1; }

cp "$here/CMakeLists.txt" "$here/main.cpp" "$work/"
cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" || { cat "$work/log"; exit 1; }
cmake --build "$work/build" >"$work/log" || { cat "$work/log"; exit 1; }
"$work/build/shared"
"$work/build/static"

library_dir="$(dirname "$(find "$work/prefix" -name libcomptoir.so)")"
export PKG_CONFIG_PATH="$library_dir/pkgconfig"
c++ -std=c++17 "$work/main.cpp" $(pkg-config --cflags --libs comptoir) -o "$work/by-pkg-config"
LD_LIBRARY_PATH="$library_dir" "$work/by-pkg-config"
# The loader asks for the name with the number of the ABI.
readelf -d "$work/by-pkg-config" | grep -q 'libcomptoir\.so\.1'
echo "the installed package works"
