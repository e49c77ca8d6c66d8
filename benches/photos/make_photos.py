#!/usr/bin/env python3
"""Makes photos of a recovery request's QR symbol as a phone takes them from a monitor.

usage: make_photos.py FOLDER [--count 200] [--seed 20]

Every photo is 4000 x 3000 pixels (12 megapixels). The same seed makes the same photos. Each
draws its own mix of what spoils real ones; the ranges stand in one place, `draw()`, and were
fixed before any decoder was measured:

  place        the monitor tilted by up to 28 degrees each way, turned by up to 20 (one in ten by
               a quarter turn), the symbol 900 to 2300 pixels wide
  monitor      grid of sub-pixels (moire where it beats with the sensor), black that is not black
  light        exposure, a gradient, a blob of glare in two of three
  lens         defocus, motion of the hand, vignette
  sensor       photon and read noise, then the slight smear of the phone's noise filter
  file         JPEG, quality 60 to 90
"""

import argparse
import multiprocessing
import pathlib

import cv2
import numpy as np
import segno
import segno.consts

WIDTH, HEIGHT = 4000, 3000
SCREEN_W, SCREEN_H = 1920, 1080
MODULE = 9  # screen pixels a module
QUIET = 4


def draw(rng):
    """What this photo suffers from. Angles in degrees, lengths in pixels of the photo."""
    return {
        "tilt_x": rng.uniform(-28, 28),
        "tilt_y": rng.uniform(-28, 28),
        "turn": rng.uniform(-20, 20) + (90 if rng.random() < 0.1 else 0),
        "symbol_width": rng.uniform(900, 2300),
        "off_x": rng.uniform(-250, 250),
        "off_y": rng.uniform(-200, 200),
        "black": rng.uniform(4, 45),
        "white": rng.uniform(170, 250),
        "subpixels": rng.uniform(0.0, 0.35),
        "exposure": rng.uniform(0.55, 1.25),
        "gradient": rng.uniform(0.0, 0.45),
        "gradient_angle": rng.uniform(0, 360),
        "glare": rng.uniform(0.15, 0.85) if rng.random() < 0.66 else 0.0,
        "glare_x": rng.uniform(0.25, 0.75),
        "glare_y": rng.uniform(0.25, 0.75),
        "glare_size": rng.uniform(0.03, 0.14),
        "defocus": rng.uniform(0.4, 3.0),
        "motion": rng.uniform(0.0, 8.0),
        "motion_angle": rng.uniform(0, 180),
        "vignette": rng.uniform(0.0, 0.35),
        "noise": rng.uniform(1.0, 11.0),
        "quality": int(rng.integers(60, 91)),
    }


def request_text(rng):
    """The text of a request of 401 bytes: random digits have the shape of sealed ones."""
    return "https://recover.example.org/r#" + "".join(str(d) for d in rng.integers(0, 10, 974))


def screen(text):
    """The recorder's page on a monitor, in grey, and the symbol's corners on it."""
    url, digits = text.split("#")
    qr = segno.make([(url + "#", segno.consts.MODE_BYTE, "iso-8859-1"), (digits, segno.consts.MODE_NUMERIC, None)], error="m", boost_error=False)
    modules = np.array([list(row) for row in qr.matrix], dtype=np.uint8)
    modules = np.pad(modules, QUIET)
    symbol = np.where(np.kron(modules, np.ones((MODULE, MODULE), np.uint8)) > 0, 0, 255)
    page = np.full((SCREEN_H, SCREEN_W), 235, np.uint8)
    side = symbol.shape[0]
    x, y = 120, (SCREEN_H - side) // 2
    page[y : y + side, x : x + side] = symbol
    cv2.rectangle(page, (0, 0), (SCREEN_W, 60), 40, -1)
    cv2.putText(page, "Forgot password", (40, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 230, 2, cv2.LINE_AA)
    for n, line in enumerate(["1  Point your phone at the symbol", "2  Open the link", "3  Read the mail", "4  Type the code"]):
        cv2.putText(page, line, (1010, 330 + n * 90), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 30, 2, cv2.LINE_AA)
    cv2.rectangle(page, (1010, 720), (1500, 800), 60, 3)
    inner = QUIET * MODULE
    return page, (x + inner, y + inner, side - 2 * inner), modules.shape[0] - 2 * QUIET


def placing(p, symbol):
    """The homography from the screen to the photo: a pinhole camera before a tilted monitor."""
    x, y, side = symbol
    centre = np.array([x + side / 2, y + side / 2])
    ax, ay, az = np.radians([p["tilt_x"], p["tilt_y"], p["turn"]])
    rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    rz = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
    turn = rz @ ry @ rx
    focal = 3100.0  # a phone's main camera: about 66 degrees across 4000 pixels
    distance = focal * side / p["symbol_width"]
    source, target = [], []
    for dx, dy in [(0, 0), (1, 0), (1, 1), (0, 1)]:
        corner = np.array([x + dx * side, y + dy * side])
        at = turn @ np.array([*(corner - centre), 0.0]) + np.array([0, 0, distance])
        source.append(corner)
        target.append([focal * at[0] / at[2], focal * at[1] / at[2]])
    target = np.array(target)
    # Whoever takes the photo keeps the whole symbol in it: 100 pixels of margin at least.
    frame = np.array([WIDTH, HEIGHT]) - 200.0
    target *= min(1.0, (frame / np.ptp(target, axis=0)).min())
    low, high = 100 - target.min(axis=0), frame + 100 - target.max(axis=0)
    middle = np.array([WIDTH / 2 + p["off_x"], HEIGHT / 2 + p["off_y"]])
    target += np.clip(middle, low, np.maximum(low, high))
    return cv2.getPerspectiveTransform(np.float32(source), np.float32(target))


def photo(seed):
    rng = np.random.default_rng(seed)
    p = draw(rng)
    text = request_text(rng)
    page, symbol, modules = screen(text)

    # The monitor: levels, and the grid of its pixels, drawn at three by three points a pixel.
    lit = p["black"] + page.astype(np.float32) / 255 * (p["white"] - p["black"])
    fine = np.repeat(np.repeat(lit, 3, axis=0), 3, axis=1)
    fine[:, 2::3] *= 1 - p["subpixels"]
    fine[2::3, :] *= 1 - p["subpixels"]
    shrink = np.diag([1 / 3, 1 / 3, 1.0])
    shrink[0, 2] = shrink[1, 2] = -1 / 3
    wall = float(rng.uniform(30, 150))
    image = cv2.warpPerspective(
        fine, placing(p, symbol) @ shrink, (WIDTH, HEIGHT),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=wall,
    )

    # Light.
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    u, v = xs / WIDTH - 0.5, ys / HEIGHT - 0.5
    angle = np.radians(p["gradient_angle"])
    image *= p["exposure"] * (1 + p["gradient"] * (u * np.cos(angle) + v * np.sin(angle)))
    if p["glare"] > 0:
        away = ((xs / WIDTH - p["glare_x"]) ** 2 + ((ys / HEIGHT - p["glare_y"]) * 0.75) ** 2)
        image += 255 * p["glare"] * np.exp(-away / (2 * p["glare_size"] ** 2))

    # Lens and hand.
    image = cv2.GaussianBlur(image, (0, 0), p["defocus"])
    length = int(round(p["motion"]))
    if length >= 2:
        kernel = np.zeros((length * 2 + 1,) * 2, np.float32)
        dx, dy = np.cos(np.radians(p["motion_angle"])), np.sin(np.radians(p["motion_angle"]))
        a = (int(round(length - dx * length / 2)), int(round(length - dy * length / 2)))
        b = (int(round(length + dx * length / 2)), int(round(length + dy * length / 2)))
        cv2.line(kernel, a, b, 1.0, 1)
        image = cv2.filter2D(image, -1, kernel / kernel.sum())
    image *= 1 - p["vignette"] * (u * u + v * v) * 2

    # Sensor.
    np.clip(image, 0, 255, out=image)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image += noise * (0.5 + np.sqrt(image / 255)) * p["noise"]
    image = cv2.GaussianBlur(image, (0, 0), 0.6)
    grey = np.clip(image, 0, 255).astype(np.uint8)

    # A phone writes colour: a cast of white balance, three components, 4:2:0.
    cast = rng.uniform(0.92, 1.0, 3)
    colour = np.dstack([(grey * c).astype(np.uint8) for c in cast])
    _, data = cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, p["quality"]])
    return data.tobytes(), text, modules


def make(job):
    folder, number, seed = job
    cv2.setNumThreads(1)
    data, text, modules = photo(seed + number)
    (folder / f"{number:03}.jpg").write_bytes(data)
    (folder / f"{number:03}.txt").write_text(text)
    return modules


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    jobs = [(args.folder, n, args.seed * 100_000) for n in range(args.count)]
    with multiprocessing.Pool() as pool:
        sizes = pool.map(make, jobs, chunksize=4)
    print(f"{len(sizes)} photos, symbol of {max(sizes)} modules, in {args.folder}")


if __name__ == "__main__":
    main()
