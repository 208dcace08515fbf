#!/usr/bin/env bash
# Runs the service on prices, boards and reloads under load: run.sh JAR
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
port=$((20000 + RANDOM % 20000))
java -cp "$1" "$here/ShopService.java" "$port" "$here/discounts.yaml" "$work/boards" >"$work/log" 2>&1 &
service=$!
trap 'kill $service 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 200); do
    grep -q listening "$work/log" && break
    kill -0 $service || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
url="http://127.0.0.1:$port"
expect() { [[ "$2" == *"$1"* ]] || { echo "expected $1, found $2" >&2; cat "$work/log" >&2; exit 1; }; }
order='{"units": 12, "price": "4.00", "member": false}'

expect '"percent":15' "$(curl -s -d "$order" "$url/price")"
expect '1:502:70.0 2:501:40.0' "$(curl -s "$url/boards/top?2")"
expect 'RULES_' "$(curl -s --data-binary 'rules: [{id: a, when: nothing > 1}]' "$url/rules")"
expect '"version":"1"' "$(curl -s -d "$order" "$url/price")"
expect 'RULES_JSON' "$(curl -s -d '{oops' "$url/price")"
# Others ask while the rules change: each answer is whole, of one version or the other.
sed 's/^version: 1$/version: 2/; s/percent: 15/percent: 20/' "$here/discounts.yaml" >"$work/second.yaml"
(for _ in $(seq 100); do curl -s -d "$order" "$url/price"; echo; done >"$work/answers") &
load=$!
for _ in $(seq 5); do
    expect '"version":"2"' "$(curl -s --data-binary "@$work/second.yaml" "$url/rules")"
    expect '"version":"1"' "$(curl -s --data-binary "@$here/discounts.yaml" "$url/rules")"
done
wait $load
[ "$(grep -c '"percent":15.*"version":"1"\|"percent":20.*"version":"2"' "$work/answers")" = 100 ]
echo "the Java service works"
