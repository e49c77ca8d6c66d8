#!/bin/sh
# What avahi-browse finds of _sparekey._tcp on this machine's links, resolved, one line each; then it ends. In a network namespace (`ip netns
# exec`, which gives it a mount namespace of its own), as root: an avahi and a bus of its own, so that none of the machine's are touched. Standard
# error tells how long it took once avahi was there, in milliseconds.
set -eu
folder=$(mktemp -d)
daemon=
bus=
stop() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
  [ -z "$bus" ] || kill "$bus" 2>/dev/null || true
  umount /run 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
mount -t tmpfs tmpfs /run
mkdir -p /run/avahi-daemon
cat >"$folder/bus.conf" <<CONF
<busconfig><type>system</type><listen>unix:path=/run/bus</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/></policy></busconfig>
CONF
printf '[server]\nhost-name=avahi-peer\nuse-ipv4=yes\nuse-ipv6=yes\ncache-entries-max=100000\n[publish]\npublish-workstation=no\n' >"$folder/avahi.conf"
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus
bus=$(dbus-daemon --config-file="$folder/bus.conf" --fork --print-pid)
/usr/sbin/avahi-daemon --file="$folder/avahi.conf" --no-drop-root --no-chroot --no-rlimits >"$folder/log" 2>&1 &
daemon=$!
tries=0
until avahi-browse --all --terminate >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
began=$(date +%s%3N)
avahi-browse --terminate --resolve --parsable _sparekey._tcp
echo "took $(($(date +%s%3N) - began))" >&2
