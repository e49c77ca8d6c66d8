#!/usr/bin/env python3
"""What recording costs, beside `ffmpeg -c copy`: `benches/recorder.py [STREAMS] [SECONDS] [RUNS]`.

Cameras are GStreamer's RTSP server with a clip of 1080p, 25 pictures a second, 4 Mbit/s. Both record the same streams, one after the other, run
after run; each is warmed up for ten seconds. Told are, for each, processor milliseconds a stream-second and Mbit/s, and memory (PSS) at
the end: the least, the median, the most. The recorder is the whole product: index, pages, retention, sessions; nobody watches.
Needs target/release/sparekey, ffmpeg and what tests/e2e/peers/rtsp_camera.py needs.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PROGRAM = os.environ.get("SPAREKEY", os.path.join(ROOT, "target/release/sparekey"))
STREAMS, SECONDS, RUNS = (int(value) for value in (sys.argv[1:] + ["8", "60", "5"][len(sys.argv) - 1:]))
WARM, MBIT = 10, 4.0
PASSWORD = "tangerine ladder ocean clock"
TICK = os.sysconf("SC_CLK_TCK")


def clip(folder):
    path = os.path.join(ROOT, "target/films/bench-1080p.mp4")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path):
        rate = ["-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "4M", "-x264-params", "nal-hrd=cbr:force-cfr=1"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25", "-t", "30", "-vf", "noise=alls=12:allf=t",
             "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "high", "-bf", "0", "-g", "50", "-keyint_min", "50",
             "-sc_threshold", "0", *rate, "-pix_fmt", "yuv420p", "-movflags", "+faststart", path + ".new.mp4"], check=True)
        os.rename(path + ".new.mp4", path)
    return path


def processor(pids):
    """Seconds of processor time, of these processes."""
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory(pids):
    """Megabytes: each page shared by its share."""
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def measured(pids):
    time.sleep(WARM)
    before, begun = processor(pids), time.monotonic()
    time.sleep(SECONDS)
    used, passed = processor(pids) - before, time.monotonic() - begun
    return 1000 * used / (passed * STREAMS * MBIT), memory(pids)


def call(url, path, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url + path, json.dumps(body).encode() if body is not None else None, headers)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def ours(folder, cameras, look=None):
    """The whole product; `look` is called with its address and a session, if it is given."""
    run = lambda *args: subprocess.run([PROGRAM, *args], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    run("maker", "init", "maker")
    run("service", "init", "service", "--maker", "maker/maker.pub")
    run("maker", "card", "maker", "--service", "service", "--edition", "1", "--name", "Bench", "--url", "http://127.0.0.1:9", "--out", "card")
    run("recorder", "init", "recorder", "--serial", "NVR-1", "--model", "NVR", "--card", "card", "--maker-key", "maker/maker.key")
    process = subprocess.Popen(
        [PROGRAM, "--json", "recorder", "run", "recorder", "--listen", "127.0.0.1:0", "--announce", "no"], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = json.loads(process.stdout.readline())["screen"]
        call(url, "/api/v1/activation", {"username": "admin", "password": PASSWORD})
        token = call(url, "/api/v1/sessions", {"username": "admin", "password": PASSWORD})["token"]
        for number, camera in enumerate(cameras):
            call(url, "/api/v1/cameras", {"name": f"Camera {number}", "url": camera}, token)
        figures = look(url, token) if look else measured([process.pid])
        told = call(url, "/api/v1/cameras", token=token)["cameras"]
        assert all(camera["state"] == "live" for camera in told), told
        return figures
    finally:
        process.kill()
        process.wait()


def ffmpeg(folder, cameras):
    """One process a camera, as most recorders run it."""
    processes = []
    for number, camera in enumerate(cameras):
        args = ["ffmpeg", "-v", "quiet", "-rtsp_transport", "tcp", "-i", camera, "-c", "copy", "-f", "segment", "-segment_time", "600",
                "-segment_format_options", "movflags=frag_keyframe+empty_moov", "-reset_timestamps", "1", f"{folder}/{number}-%d.mp4"]
        processes.append(subprocess.Popen(args, stdin=subprocess.DEVNULL))
    try:
        return measured([process.pid for process in processes])
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main():
    port = 18554
    camera = subprocess.Popen(["/usr/bin/python3", os.path.join(ROOT, "tests/e2e/peers/rtsp_camera.py"), str(port), str(STREAMS), clip(ROOT)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    camera.stdout.readline()
    cameras = [f"rtsp://127.0.0.1:{port}/cam{number}" for number in range(STREAMS)]
    figures = {}
    try:
        for number in range(RUNS):
            for recorder in (ours, ffmpeg):
                with tempfile.TemporaryDirectory() as folder:
                    cost, megabytes = recorder(folder, cameras)
                figures.setdefault(recorder.__name__, []).append((cost, megabytes))
                print(f"run {number + 1}: {recorder.__name__:6} {cost:.2f} ms, {megabytes:.1f} MB", flush=True)
    finally:
        camera.kill()
        camera.wait()
    load = os.getloadavg()[0]
    print(f"\n{STREAMS} streams, {SECONDS} s, {RUNS} runs; load {load:.1f}")
    for name, all_of_it in figures.items():
        for what, place, unit in (("processor", 0, "ms a stream-second and Mbit/s"), ("memory", 1, "MB")):
            values = [one[place] for one in all_of_it]
            print(f"  {name:6} {what:9} {min(values):.2f}  {statistics.median(values):.2f}  {max(values):.2f}  {unit}")


main()
