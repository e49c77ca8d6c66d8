"""Vectors of digits and of the symbol's text."""

import base64

from request_vectors import plaintext, request_of
from sparekey_peer import digest
from vector import write


def in_digits(data):
    widths = (0, 3, 5, 8, 10, 13, 15, 17)
    chunks = [data[at:at + 7] for at in range(0, len(data), 7)]
    return "".join(str(int.from_bytes(chunk, "little")).zfill(widths[len(chunk)]) for chunk in chunks)


def digits():
    for length in (*range(16), 400):
        data = digest(b"digits") * 13
        write(f"digits-{length}", f"{length} bytes.", "digits", {"digits": in_digits(data[:length])}, "ok", {"bytes": data[:length].hex()})
    write("digits-greatest", "The greatest number of each length.", "digits", {"digits": "72057594037927935281474976710655"}, "ok",
          {"bytes": "ff" * 13})
    evil = lambda name, why, text, expect="malformed": write(f"digits-evil-{name}", why, "digits", {"digits": text}, expect)
    for length in (1, 2, 4, 6, 7, 9, 11, 12, 14, 16):
        evil(f"length-{length}", f"No bytes have {length} digits.", "0" * length)
    for size, width in ((1, 3), (2, 5), (3, 8), (4, 10), (5, 13), (6, 15), (7, 17)):
        evil(f"large-{size}", f"A number too large for {size} bytes.", str(256**size).zfill(width))
    evil("letter", "A letter.", "00a")
    evil("sign", "A sign.", "-01")
    evil("arabic", "Digits of another script.", "٠٠١")
    evil("oversize", "More than 2,048 bytes.", in_digits(bytes(2049)), "too-large")


def symbols():
    message = request_of(plaintext())
    text = f"https://recover.example.org/r#{in_digits(message)}"
    write("qr-text", "What the symbol says.", "qr", {"url": "https://recover.example.org", "text": text}, "ok", {"request": message.hex()})
    ok = lambda name, why, pasted: write(f"qr-{name}", why, "qr", {"text": pasted}, "ok", {"request": message.hex()})
    ok("digits-alone", "The digits alone.", in_digits(message))
    spaced = in_digits(message)
    ok("digits-spaced", "The digits in groups, as people paste them.", " ".join(spaced[at:at + 5] for at in range(0, len(spaced), 5)))
    ok("base64url", "base64url without padding.", base64.urlsafe_b64encode(message).decode().rstrip("="))
    ok("base64url-padded", "base64url with padding.", base64.urlsafe_b64encode(message).decode())
    evil = lambda name, why, pasted, expect="malformed": write(f"qr-evil-{name}", why, "qr", {"text": pasted}, expect)
    evil("empty-fragment", "A link without a request.", "https://recover.example.org/r#")
    evil("cut", "A link whose last digit is missing.", text[:-1])
    evil("letters", "Something else.", "hello, world")
    evil("base64", "base64 of the other alphabet.", "+/" * 20)
    evil("base64-trailing-bits", "base64url whose last letter has bits too many.", "AAF")
    evil("oversize", "More than a request can be.", "9" * 20_000, "too-large")
    evil("oversize-base64url", "base64url of 2,049 bytes.", base64.urlsafe_b64encode(bytes(2049)).decode(), "too-large")
