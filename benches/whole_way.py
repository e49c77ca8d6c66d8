#!/usr/bin/env python3
"""From "forgot password" to logged in, the machine's part: every leg by API, on loopback, no person in between.

usage: whole_way.py PROGRAM     (target/release/sparekey)

Provisions a maker, a service (SQLite, mails into a maildir) and a recorder in a folder of its own. Prints the median and the
longest of each leg in milliseconds over five rounds, what a hash costs by the recorder's own measurement, and how large the request is: its
bytes, its digits, and the modules of the QR that the recorder shows.
"""

import email
import email.policy
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PASSWORDS = ["correct horse battery staple", "a brand new pass phrase"]
ROUNDS = 5  # a service mails a device six times at once, and the first mail confirms the address
LONGEST = 30  # seconds that anything is waited for


def call(method, url, body=None, token=None):
    """The answer's status and its JSON."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=LONGEST) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text) if text else None


def want(status, method, url, body=None, token=None):
    answered, answer = call(method, url, body, token)
    if answered != status:
        sys.exit(f"{method} {url}: {answered}, not {status}: {answer}")
    return answer


def until(what, look):
    """Looks each millisecond until there is something."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.001)
    sys.exit(f"waited {LONGEST} s for {what}")


class Mailbox:
    def __init__(self, folder):
        self.folder, self.read = folder / "new", set()

    def code(self):
        """The code of the next mail."""
        path = until("a mail", self.unread)
        self.read.add(path)
        with path.open("rb") as file:
            mail = email.message_from_binary_file(file, policy=email.policy.default)
        digits = re.search(r"\b(\d{4}) ?(\d{4})\b", mail.get_body(("plain",)).get_content())
        return digits[1] + digits[2]

    def unread(self):
        paths = set(self.folder.glob("*")) - self.read if self.folder.exists() else set()
        return min(paths, default=None)


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder, self.running = program, folder, []

    def run(self, *arguments):
        subprocess.run([self.program, *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def start(self, *arguments):
        """Starts a server and returns what it says of itself."""
        with open(self.folder / "log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [self.program, "--json", *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True)
        self.running.append(process)
        line = process.stdout.readline()
        if not line:
            sys.exit((self.folder / "log").read_text(encoding="utf-8"))
        return json.loads(line)

    def stop(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(LONGEST)

    def provision(self, service_url):
        self.run("maker", "init", "maker")
        self.run("service", "init", "service", "--maker", "maker/maker.pub")
        self.run("maker", "card", "maker", "--service", "service", "--edition", "1", "--name", "Bench",
                 "--url", service_url, "--out", "card")
        self.run("recorder", "init", "recorder", "--serial", "BENCH-1", "--model", "NVR-8", "--card", "card",
                 "--maker-key", "maker/maker.key")


class Legs:
    def __init__(self):
        self.took, self.order = {}, []

    def leg(self, name, work):
        begun = time.perf_counter()
        done = work()
        self.add(name, time.perf_counter() - begun)
        return done

    def add(self, name, seconds):
        if name not in self.took:
            self.took[name] = []
            self.order.append(name)
        self.took[name].append(seconds * 1000)

    def table(self):
        print("| leg | median, ms | longest, ms |\n|---|---|---|")
        for name in self.order:
            took = self.took[name]
            print(f"| {name} | {statistics.median(took):.0f} | {max(took):.0f} |")


def one_way(recorder, service, mailbox, password, legs):
    """From forgot to logged in with a new password. Returns the text of the QR."""
    started = want(200, "GET", f"{recorder}/device")["start_time"]
    begun = time.perf_counter()
    recovery = legs.leg("forgot: the recorder draws a code, keeps it, shows the QR",
                        lambda: want(201, "POST", f"{recorder}/recoveries", {"method": "email"}))
    digits = recovery["qr_text"].split("#")[1]
    sent = legs.leg("the phone sends it: opened, checked, stored durably",
                    lambda: want(202, "POST", f"{service}/v1/requests", {"request": digits}))
    assert sent["serial"] == "BENCH-1", sent
    code = legs.leg("until the mail lies in the mailbox", mailbox.code)
    url = f"{recorder}/recoveries/{recovery['id']}"
    ticket = legs.leg("the code is typed: one hash", lambda: want(200, "POST", f"{url}/proof", {"code": code}))
    legs.leg("the new password: one hash, stored",
             lambda: want(202, "PUT", f"{url}/password", {"ticket": ticket["ticket"], "password": password}))
    legs.leg("until the recorder has restarted its agent", lambda: until("the recorder", lambda: up(recorder, after=started)))
    legs.leg("login: one hash",
             lambda: want(201, "POST", f"{recorder}/sessions", {"username": "admin", "password": password}))
    legs.add("**forgot to logged in**", time.perf_counter() - begun)
    return recovery["qr_text"]


def by_command(bench, recorder, old, new, legs):
    """The LAN tool's command with a key file, from its start until it has logged in."""
    whom = ["BENCH-1", "--address", recorder.split("/")[2], "--known", "known"]
    typed = lambda arguments, text: subprocess.run([bench.program, *arguments], cwd=bench.folder, input=text, text=True,
                                                   check=True, capture_output=True)
    (bench.folder / "key.xml").unlink(missing_ok=True)
    typed(["export-key", *whom, "--out", "key.xml"], f"{old}\n")
    legs.leg("`sparekey forgot --way keyfile`: started to logged in",
             lambda: typed(["forgot", *whom, "--way", "keyfile", "--key-file", "key.xml"], f"{new}\n"))


def up(recorder, after=0):
    """What it says of itself, if it answers and was started later than that."""
    try:
        status, device = call("GET", f"{recorder}/device")
    except (urllib.error.URLError, ConnectionError):
        return None
    return device if status == 200 and device["start_time"] > after else None


def activate(recorder, service, mailbox):
    """Activated, and its reserved address confirmed."""
    owner = {"username": "admin", "password": PASSWORDS[0], "reserved_emails": ["owner@example.org"]}
    want(201, "POST", f"{recorder}/activation", owner)
    token = want(201, "POST", f"{recorder}/sessions", {"username": "admin", "password": PASSWORDS[0]})["token"]
    asked = want(201, "POST", f"{recorder}/contacts/1/confirmation", {}, token)
    want(202, "POST", f"{service}/v1/requests", {"request": asked["qr_text"].split("#")[1]})
    status, answer = call("POST", f"{recorder}/contacts/1/confirmation/proof", {"code": mailbox.code()}, token)
    if status not in (200, 204):
        sys.exit(f"the address was not confirmed: {status} {answer}")


def modules(svg):
    """The width of the symbol, without its quiet zone of 4 on each side."""
    return int(re.search(rb'viewBox="0 0 (\d+) \1"', svg)[1]) - 8


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    legs = Legs()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        bench, mailbox = Bench(program, folder), Mailbox(folder / "mail")
        try:
            # A card names its service's URL, and a port is free only once it is bound: a fixed one.
            service = "http://127.0.0.1:17700"
            bench.provision(service)
            bench.start("service", "run", "service", "--url", service, "--listen", "127.0.0.1:17700",
                        "--mail", f"maildir:{folder / 'mail'}")
            recorder = bench.start("recorder", "run", "recorder", "--listen", "127.0.0.1:0")["screen"] + "/api/v1"
            until("the recorder", lambda: up(recorder))
            activate(recorder, service, mailbox)
            for number in range(ROUNDS):
                text = one_way(recorder, service, mailbox, PASSWORDS[(number + 1) % 2], legs)
            for number in range(ROUNDS, 2 * ROUNDS):
                by_command(bench, recorder, PASSWORDS[number % 2], PASSWORDS[(number + 1) % 2], legs)
            legs.table()
            recovery = want(201, "POST", f"{recorder}/recoveries", {"method": "email"})
            print(f"\n{ROUNDS} rounds. Cost of a hash of a password: "
                  + " ".join((folder / "recorder/hashing.toml").read_text(encoding="utf-8").split("\n")))
            show_size(text, recorder, recovery["id"])
        finally:
            bench.stop()


def show_size(text, recorder, identity):
    digits = text.split("#")[1]
    whole, rest = divmod(len(digits), 17)
    length = 7 * whole + {0: 0, 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6}[rest]
    with urllib.request.urlopen(f"{recorder}/recoveries/{identity}/qr.svg", timeout=LONGEST) as answer:
        width = modules(answer.read())
    print(f"The request: {length} bytes, {len(digits)} digits, {len(text)} characters of QR text; "
          f"version {(width - 17) // 4} ({width} × {width} modules) with {len(text) - len(digits) - 3} characters of URL.")


if __name__ == "__main__":
    main()
