#!/bin/sh
# Values a history in C: value_stock.sh PROGRAM MAKE_INPUT
set -eu
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$2" history "$work/history.arrows"
"$program" "$work/history.arrows" '{"method": "moving_average"}' >"$work/printed"
cat "$work/printed"
grep -q '^rows: 3 accepted, 1 rejected$' "$work/printed"
# 15 are left of 20 for 240.00.
grep -q 'item=mug.* value=18000e-2' "$work/printed"
sed -n '/^rejected$/,$p' "$work/printed" | grep -q 'code='
if "$program" "$work/none.arrow" '{}' 2>/dev/null; then echo 'a file that is not there is no error' >&2; exit 1; fi
