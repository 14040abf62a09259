#!/usr/bin/env bash
# Checks alert rules and metrics against the real Prometheus: `bash deploy/prometheus/check.sh XIANMENG [DIRECTORY]`.
#
# XIANMENG is the built program. DIRECTORY holds `prometheus` and `promtool`; without it they are taken from the PATH. A
# node is founded in a temporary directory, its metrics are checked, and Prometheus scrapes it on loopback until it has
# loaded the rules and seen the node. Every wait is bounded, and both processes are stopped at the end.
set -euo pipefail

xianmeng=$(realpath "$1")
if (($# > 1)); then PATH="$(realpath "$2"):$PATH"; fi
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly WAIT_SECONDS=60
work=$(mktemp -d)
node='' prometheus=''

clean_up() {
  # Only the two processes that this script started.
  if [[ -n $prometheus ]]; then kill "$prometheus" 2>/dev/null || true; wait "$prometheus" 2>/dev/null || true; fi
  if [[ -n $node ]]; then kill "$node" 2>/dev/null || true; wait "$node" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# fetch URL: the body of a successful answer, from loopback without any proxy.
fetch() {
  python3 -c '
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.stdout.write(opener.open(sys.argv[1], timeout=5).read().decode())' "$1" 2>/dev/null
}

# until_holds WHAT COMMAND...: tries a command every half second, for so long at most.
until_holds() {
  local what=$1 begin=$SECONDS
  shift
  until "$@"; do
    if ((SECONDS - begin > WAIT_SECONDS)); then
      echo "not within $WAIT_SECONDS s: $what"
      tail -n 20 "$work"/*.log || true
      return 1
    fi
    sleep 0.5
  done
  echo "$what"
}

promtool --version 2>&1 | head -n 1
promtool check rules xianmeng.rules.yml
promtool test rules xianmeng.rules.test.yml
promtool check config prometheus.yml

metrics_port=$(free_port)
"$xianmeng" --data "$work/node" init --name 秘书处 --class secretariat --api 127.0.0.1:0 --no-discovery \
  --listen /ip4/127.0.0.1/tcp/0 >/dev/null
sed -i "/^\[metrics\]/,/^\[/ s/^listen = .*/listen = \"127.0.0.1:$metrics_port\"/" "$work/node/config.toml"
"$xianmeng" --data "$work/node" charter create --federation 检查联盟 >/dev/null
"$xianmeng" --data "$work/node" run >"$work/node.log" 2>&1 &
node=$!

node_is_ready() { fetch "http://127.0.0.1:$metrics_port/readyz" >/dev/null; }
until_holds "the node is ready" node_is_ready

fetch "http://127.0.0.1:$metrics_port/metrics" >"$work/metrics.txt"
# It ends with 3 when it only has advice, and says it; nothing of the sort is accepted here.
promtool check metrics <"$work/metrics.txt"
echo "promtool accepts $(grep -c -v '^#' "$work/metrics.txt") samples of $(grep -c '^# TYPE' "$work/metrics.txt") metrics"

port=$(free_port)
sed -e "s/127.0.0.1:4789/127.0.0.1:$metrics_port/" -e 's/: 30s$/: 1s/' prometheus.yml >"$work/prometheus.yml"
cp xianmeng.rules.yml "$work/"
prometheus --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/data" \
  --web.listen-address "127.0.0.1:$port" >"$work/prometheus.log" 2>&1 &
prometheus=$!

has_rules() {
  fetch "http://127.0.0.1:$port/api/v1/rules" | python3 -c '
import json, sys
groups = json.load(sys.stdin)["data"]["groups"]
rules = [rule for group in groups for rule in group["rules"]]
assert rules and all(rule["health"] == "ok" for rule in rules)' 2>/dev/null
}
has_scraped() {
  fetch "http://127.0.0.1:$port/api/v1/query?query=xianmeng_ready" | python3 -c '
import json, sys
result = json.load(sys.stdin)["data"]["result"]
assert len(result) == 1 and result[0]["value"][1] == "1"' 2>/dev/null
}
until_holds "Prometheus has loaded the rules and evaluated them" has_rules
until_holds "Prometheus has scraped the node" has_scraped
