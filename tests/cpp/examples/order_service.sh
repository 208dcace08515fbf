#!/bin/sh
# Runs the service on orders, a board and a reload, from the root of the repository: order_service.sh PROGRAM MAKE_INPUT
set -eu
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$2" sold "$work/sold.arrows"
"$program" publish "$work/boards" "$work/sold.arrows"
sed 's/^version: 1$/version: 2/' examples/rules/order_guard.yaml >"$work/second.yaml"
echo 'rules: [{id: a, when: nothing > 1}]' >"$work/wrong.yaml"
order='order {"item": "22423", "qty": 1, "price": "-1.00", "usual_price": "10.00", "usual_qty": 2, "customer": 7}'
cat >"$work/commands" <<END
$order
reload $work/wrong.yaml
$order
reload $work/second.yaml
$order
boards
page top 2
page none 2
what
END
"$program" examples/rules/order_guard.yaml "$work/boards" <"$work/commands" >"$work/answers"
cat "$work/answers"
line() { sed -n "$1p" "$work/answers" | grep -q -- "$2" || { echo "answer $1 is not $2" >&2; exit 1; }; }
line 1 'negative-price.*block.*"version":"1"'
line 2 '^error RULES_'
line 3 '"version":"1"'
line 4 '^reloaded$'
line 5 'negative-price.*"version":"2"'
line 6 '"board":"top"'
line 7 '^1:bag:70 2:mug:40$'
line 8 '^no such board$'
line 9 '^error: there is no command'
