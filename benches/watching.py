#!/usr/bin/env python3
"""How long watching, seeking and saving take, seen from the recorder's socket: `benches/watching.py [SECONDS]`.

One camera of 1080p, 25 pictures a second, 4 Mbit/s, recorded for so long (180), and watched by nobody else. Told are
- live: from the WebSocket's first byte to the first picture, 20 times, at random moments of a group of pictures;
- seek: which fragments there are and the first one's bytes, 40 random moments;
- save: a clip of all of it over HTTP, into memory, beside `cp` of the same bytes; three times each.
Needs what benches/recorder.py needs.
"""

import base64
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.argv, seconds = sys.argv[:1], int((sys.argv + ["180"])[1])
source = open(os.path.join(ROOT, "benches/recorder.py")).read().rsplit("\nmain()", 1)[0]
exec(compile(source, "recorder.py", "exec"))  # its clip, its calls, its recorder


def first_picture(host, port, token, camera):
    """Milliseconds until a fragment came."""
    begun = time.perf_counter()
    with socket.create_connection((host, port)) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        stream.sendall((f"GET /api/v1/cameras/{camera}/live HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
                        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        # The answer, the codecs, the initialization segment, and the head of the first fragment.
        got = b""
        while b"moof" not in got:
            part = stream.recv(65536)
            assert part, got[:200]
            got += part
        return 1000 * (time.perf_counter() - begun)


def told(name, values, unit):
    values = sorted(values)
    print(f"  {name:5} {values[0]:.1f}  {statistics.median(values):.1f}  {values[int(0.95 * (len(values) - 1))]:.1f}  {unit} (least, median, 95th)")


def watch(url, token):
    host, port = url.split("//")[1].split(":")
    camera = call(url, "/api/v1/cameras", token=token)["cameras"][0]["id"]
    time.sleep(seconds)
    live = []
    for _ in range(20):
        time.sleep(random.random())
        live.append(first_picture(host, int(port), token, camera))
    told("live", live, "ms")
    now = int(time.time() * 1000)
    begun, ended = call(url, f"/api/v1/cameras/{camera}/recorded?from={now - 3_600_000}&to={now}", token=token)["recorded"][0]
    seek = []
    for _ in range(40):
        moment = random.randint(begun, ended - 3_000)
        at = time.perf_counter()
        file = call(url, f"/api/v1/cameras/{camera}/fragments?from={moment}&to={moment + 2_000}", token=token)["files"][0]
        _, _, offset, length, _ = file["fragments"][0]
        request = urllib.request.Request(url + file["url"], headers={"Authorization": f"Bearer {token}", "Range": f"bytes={offset}-{offset + length - 1}"})
        with urllib.request.urlopen(request) as answer:
            answer.read(1)
        seek.append(1000 * (time.perf_counter() - at))
    told("seek", seek, "ms")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        saved = f"{memory}/clip.mp4"
        for number in range(3):
            at = time.perf_counter()
            subprocess.run(["curl", "-s", "-o", saved, "-H", f"Authorization: Bearer {token}",
                            f"{url}/api/v1/cameras/{camera}/clip.mp4?from={begun}&to={ended}"], check=True)
            took, size = time.perf_counter() - at, os.path.getsize(saved) / 1e6
            at = time.perf_counter()
            shutil.copyfile(saved, f"{memory}/copy.mp4")
            subprocess.run(["cp", saved, f"{memory}/copy.mp4"], check=True)
            copied = (time.perf_counter() - at) / 2
            print(f"  save  {size:.0f} MB in {took:.2f} s, {size / took:.0f} MB/s; cp {size / copied:.0f} MB/s")


STREAMS, WARM = 1, 0
port = 18555
camera = subprocess.Popen(["/usr/bin/python3", os.path.join(ROOT, "tests/e2e/peers/rtsp_camera.py"), str(port), "1", clip(ROOT)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
camera.stdout.readline()
try:
    with tempfile.TemporaryDirectory() as folder:
        ours(folder, [f"rtsp://127.0.0.1:{port}/cam0"], watch)
finally:
    camera.kill()
    camera.wait()
