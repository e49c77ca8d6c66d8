#!/usr/bin/env python3
"""Reads the photos of make_photos.py with Sparekey's decoder and with zxing-cpp, and compares.

usage: read_photos.py FOLDER DECODER [-v]

DECODER is the child program: it is started anew for each photo, as the service does it, and its
start counts. zxing-cpp runs inside this process, and decodes a grey picture by OpenCV; its time
counts the decoding of the JPEG too. Read means: exactly the text that was drawn.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

import cv2
import numpy as np
import zxingcpp


def ours(decoder, data):
    answer = subprocess.run([decoder], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}).stdout
    return json.loads(answer).get("symbols", []) if answer else []


def zxing(data):
    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return [found.text for found in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormat.QRCode)]


def main():
    folder, decoder = pathlib.Path(sys.argv[1]), sys.argv[2]
    verbose = "-v" in sys.argv[3:]
    cv2.setNumThreads(1)
    readers = {"sparekey": lambda data: ours(decoder, data), "zxing-cpp": zxing}
    photos = [(path, path.read_bytes(), path.with_suffix(".txt").read_text()) for path in sorted(folder.glob("*.jpg"))]
    missed = {}
    print(f"{'':10} {'read':>9} {'median ms':>10} {'p95 ms':>8} {'max ms':>8}")
    for name, read in readers.items():
        times, missed[name] = [], []
        for path, data, text in photos:
            start = time.perf_counter()
            found = read(data)
            times.append((time.perf_counter() - start) * 1000)
            if text not in found:
                missed[name].append(path.stem)
        times.sort()
        p95 = times[int(len(times) * 0.95)]
        read_count = f"{len(photos) - len(missed[name])}/{len(photos)}"
        print(f"{name:10} {read_count:>9} {statistics.median(times):10.0f} {p95:8.0f} {times[-1]:8.0f}")
    if verbose:
        for name, stems in missed.items():
            print(f"{name} missed: {' '.join(stems)}")


if __name__ == "__main__":
    main()
