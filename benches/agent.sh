#!/bin/sh
# How much memory a recorder's agent holds, and how large the program is: the agent alone, as a firmware has it
# (shell/agent/examples/firmware.rs), and within the program that carries the whole of Sparekey (sparekey recorder run).
# Provisions a maker, a service's card and two recorders in a folder of its own; activates each and logs in 100 times, right and
# wrong passwords by turns, every second pair over TLS. Needs curl.
# usage: benches/agent.sh
set -eu
cd "$(dirname "$0")/.."
cargo build --release --quiet --locked -p sparekey
cargo build --profile firmware --quiet --locked -p sparekey-agent --example firmware
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
sparekey=$target/release/sparekey firmware=$target/firmware/examples/firmware

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
    for name in alone whole; do
        "$sparekey" recorder init $name --serial "BENCH-$(echo $name | tr a-z A-Z)" --model NVR-8 --card card --maker-key maker/maker.key
    done
) >/dev/null 2>&1 || { echo "a recorder could not be provisioned" >&2; exit 1; }

# start NAME: runs it, and waits until it answers at $screen.
start() {
    : >"$folder/out"
    case $1 in
    alone) "$firmware" "$folder/$1" 127.0.0.1:0 >"$folder/out" 2>"$folder/log" & ;;
    whole) "$sparekey" --json recorder run "$folder/$1" --listen 127.0.0.1:0 >"$folder/out" 2>"$folder/log" & ;;
    esac
    agent=$!
    for _ in $(seq 300); do
        port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' "$folder/out" | head -n 1)
        screen=http://127.0.0.1:$port
        if [ -n "$port" ] && curl -s -o "$folder/answer" "$screen/api/v1/device"; then return; fi
        sleep 0.1
    done
    cat "$folder/log" >&2
    exit 1
}
stop() { kill "$agent" && wait "$agent" 2>/dev/null || true; agent=; }

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

right="correct horse battery staple"
echo "| the agent | resident, MiB | of it its own (anonymous), MiB | its share (Pss), MiB | at most so far, MiB |"
echo "|---|---|---|---|---|"
for name in alone whole; do
    start $name
    row "$name: at rest after its first start"
    expect "$(call POST "$screen" /api/v1/activation "{\"username\":\"admin\",\"password\":\"$right\"}")" 201
    row "$name: after activation"
    for pair in $(seq 50); do
        base=$screen
        [ $((pair % 2)) = 0 ] || base=https://${screen#http://}
        expect "$(log_in "$base" "wrong horse battery staple")" 401
        expect "$(log_in "$base" "$right")" 201
    done
    row "$name: after 100 logins, 50 of them wrong, 50 over TLS"
    stop
    start $name
    row "$name: at rest after another start"
    stop
done

echo
echo "Cost of a hash: $(tr '\n' ' ' <"$folder/whole/hashing.toml")"
for program in "$firmware" "$sparekey"; do
    echo "$(basename "$program"), stripped: $(stat -c %s "$program" | awk '{ printf "%.1f MiB", $1 / 1048576 }')"
done
