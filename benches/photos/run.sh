#!/bin/sh
# How many of 200 photos of a request's QR the service reads, and how fast, beside zxing-cpp.
# Needs Python's: segno numpy opencv-python-headless zxing-cpp
# usage: benches/photos/run.sh [FOLDER for the photos; kept, about 250 MB]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/made}
cd "$here/../.."
cargo build --release --quiet -p sparekey-service --example decode_photo
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
[ -e "$folder/199.jpg" ] || python3 "$here/make_photos.py" "$folder"
python3 "$here/read_photos.py" "$folder" "$target/release/examples/decode_photo" -v
