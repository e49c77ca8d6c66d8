#!/usr/bin/env bash
# How long it takes to find every device on a link, beside python zeroconf and avahi-browse: 10, 100 and 1,000 devices in one process, with and
# without a third of all datagrams lost, each way. As root: it makes network namespaces, and deletes them. One JSON object a line.
#   benches/discover.sh [RUNS]        (SIZES and LOSSES: lists of numbers; WHO: sparekey zeroconf avahi; PROFILE: debug or release)
# Python with zeroconf: SPAREKEY_PEER_PYTHON. Loss: nftables. avahi-browse ends by itself, when it thinks that it has all.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-5}
sizes=${SIZES:-10 100 1000}
losses=${LOSSES:-0 30}
profile=${PROFILE:-release}
everyone=${WHO:-sparekey zeroconf avahi}
python=${SPAREKEY_PEER_PYTHON:-python3}
tag=skbench$$

flags=(); [ "$profile" = release ] && flags=(--release)
cargo build --quiet --locked "${flags[@]}" --workspace --example crowd --example time_to_find
crowd=target/$profile/examples/crowd find=target/$profile/examples/time_to_find

crowd_id=
lines=$(mktemp)
stop() {
  rm -f "$lines"
  [ -z "$crowd_id" ] || kill "$crowd_id" 2>/dev/null || true
  ip netns del "$tag-tool" 2>/dev/null || true
  ip netns del "$tag-crowd" 2>/dev/null || true
}
trap stop EXIT

in_tool() { ip netns exec "$tag-tool" "$@"; }

ip netns add "$tag-tool"
ip netns add "$tag-crowd"
for side in tool crowd; do
  ip netns exec "$tag-$side" sh -c 'cd /proc/sys/net; echo 0 > ipv6/conf/default/accept_dad; echo 0 > ipv4/conf/all/rp_filter
    echo 0 > ipv4/conf/default/rp_filter; for v in ipv4 ipv6; do echo 8192 > $v/neigh/default/gc_thresh1; echo 16384 > $v/neigh/default/gc_thresh3; done 2>/dev/null; ip link set lo up'
done
ip link add eth0 netns "$tag-tool" type veth peer name eth0 netns "$tag-crowd"
ip -n "$tag-tool" addr add 10.78.255.1/16 dev eth0
ip -n "$tag-tool" link set eth0 up
ip -n "$tag-crowd" link set eth0 up

lose() { # percent, of what the tool sends and receives
  in_tool nft flush ruleset
  [ "$1" -gt 0 ] || return 0
  in_tool nft -f - <<RULES
table inet loss {
  chain in { type filter hook input priority 0; meta l4proto udp numgen random mod 100 < $1 drop; }
  chain out { type filter hook output priority 0; meta l4proto udp numgen random mod 100 < $1 drop; }
}
RULES
}

for size in $sizes; do
  for ((n = 0; n < size; n++)); do
    echo "addr add 10.78.$((n / 250)).$((n % 250 + 1))/16 dev eth0"
    printf 'addr add fe80::78:%x/64 dev eth0 nodad\n' $((n + 1))
  done | ip -n "$tag-crowd" -batch - -force 2>/dev/null || true
  coproc CROWD { exec ip netns exec "$tag-crowd" "$crowd" "$size" eth0; }
  crowd_id=$CROWD_PID
  read -r _ <&"${CROWD[0]}"
  sleep 4 # until they have told each other's names
  for loss in $losses; do
    lose "$loss"
    for ((run = 1; run <= runs; run++)); do
      for who in $everyone; do
        case $who in
          sparekey) result=$(in_tool "$find" "$size" 20 eth0) ;;
          zeroconf)
            "$python" -c 'import zeroconf' 2>/dev/null || continue
            result=$(in_tool "$python" benches/find_zeroconf.py "$size" 20)
            ;;
          avahi)
            command -v avahi-browse >/dev/null || continue
            took=$( { in_tool tests/e2e/peers/avahi.sh >"$lines"; } 2>&1 | sed -n 's/^took //p')
            found=$({ grep "^=" "$lines" || true; } | cut -d';' -f4 | sort -u | wc -l)
            result="{\"found\": $found, \"of\": $size, \"took\": ${took:-null}}"
            ;;
        esac
        echo "{\"who\": \"$who\", \"loss\": $loss, \"run\": $run, ${result#\{}"
        sleep 1
      done
    done
  done
  kill "$crowd_id"
  wait "$crowd_id" 2>/dev/null || true
  crowd_id=
done
