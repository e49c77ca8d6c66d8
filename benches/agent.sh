#!/bin/sh
# How much memory a recorder's agent holds at rest, and how large the program is.
# Provisions a maker, a service's card and a recorder in a folder of its own, activates the recorder and logs in 100 times,
# right and wrong passwords by turns, every second pair over TLS. Needs curl.
# usage: benches/agent.sh
set -eu
cd "$(dirname "$0")/.."
cargo build --release --quiet -p sparekey
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
sparekey=$target/release/sparekey

folder=$(mktemp -d)
agent=
clean_up() {
    [ -z "$agent" ] || { kill "$agent" && wait "$agent" || true; }
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

(
    cd "$folder"
    "$sparekey" maker init maker
    "$sparekey" service init service --maker maker/maker.pub
    "$sparekey" maker card maker --service service --edition 1 --name Bench --url http://127.0.0.1:7700 --out card
    "$sparekey" recorder init recorder --serial BENCH-1 --model NVR-8 --card card --maker-key maker/maker.key
) >/dev/null

"$sparekey" --json recorder run "$folder/recorder" --listen 127.0.0.1:0 >"$folder/out" 2>"$folder/log" &
agent=$!
for _ in $(seq 300); do
    screen=$(sed -n 's/.*"screen":"\([^"]*\)".*/\1/p' "$folder/out")
    if [ -n "$screen" ] && curl -s -o "$folder/answer" "$screen/api/v1/device"; then break; fi
    sleep 0.1
done
[ -s "$folder/answer" ] || { cat "$folder/log" >&2; exit 1; }

# kB of one line of a file in /proc, as MiB.
mib() { awk -v name="$2:" '$1 == name { printf "%.1f", $2 / 1024 }' "/proc/$agent/$1"; }
row() {
    sleep 2 # at rest
    echo "| $1 | $(mib status VmRSS) | $(mib status RssAnon) | $(mib smaps_rollup Pss) | $(mib status VmHWM) |"
}
# The status that a call is answered with: call METHOD BASE PATH BODY
call() {
    curl -sk -o "$folder/answer" -w '%{http_code}' -X "$1" -H 'Content-Type: application/json' -d "$4" "$2$3"
}
expect() {
    [ "$1" = "$2" ] || { echo "answered $1, not $2: $(cat "$folder/answer")" >&2; exit 1; }
}
log_in() { call POST "$1" /api/v1/sessions "{\"username\":\"admin\",\"password\":\"$2\"}"; }

echo "| the agent | resident, MiB | of it its own (anonymous), MiB | its share (Pss), MiB | at most so far, MiB |"
echo "|---|---|---|---|---|"
row "at rest after its first start"
right="correct horse battery staple"
expect "$(call POST "$screen" /api/v1/activation "{\"username\":\"admin\",\"password\":\"$right\"}")" 201
row "after activation"
tls=https://${screen#http://}
for pair in $(seq 50); do
    base=$screen
    [ $((pair % 2)) = 0 ] || base=$tls
    expect "$(log_in "$base" "wrong horse battery staple")" 401
    expect "$(log_in "$base" "$right")" 201
done
row "after 100 logins, 50 of them wrong, 50 over TLS"
threads=$(awk '$1 == "Threads:" { print $2 }' "/proc/$agent/status")
kill "$agent" && wait "$agent" || true
agent=

"$sparekey" --json recorder run "$folder/recorder" --listen 127.0.0.1:0 >"$folder/out" 2>"$folder/log" &
agent=$!
sleep 1
row "at rest after another start"

echo
echo "Threads after the logins: $threads. Cost of a hash: $(tr '\n' ' ' <"$folder/recorder/hashing.toml")"
echo "The stripped program: $(stat -c %s "$sparekey" | awk '{ printf "%.1f MiB", $1 / 1048576 }')"
