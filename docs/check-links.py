#!/usr/bin/env python3
"""Every relative link of the Markdown pages leads to a file that is there, and every `path:line`-like mention in
docs/threats.md names a file and a test that are there."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
wrong = []
pages = subprocess.run(["git", "ls-files", "*.md"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
for name in pages:
    page = root / name
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = target.split("#")[0]
        if path and "://" not in path and not (page.parent / path).exists():
            wrong.append(f"{name}: {target}")

threats = root / "docs/threats.md"
if threats.exists():
    sources = {}
    for line in threats.read_text(encoding="utf-8").splitlines():
        for path, name in re.findall(r"`([\w./-]+\.(?:rs|sh|py)):([\w]+)`", line):
            file = root / path
            if not file.exists():
                wrong.append(f"docs/threats.md: {path} is not there")
            elif name not in sources.setdefault(path, file.read_text(encoding="utf-8")):
                wrong.append(f"docs/threats.md: {path} has no {name}")

print("\n".join(wrong) if wrong else f"links of {len(pages)} pages hold")
sys.exit(bool(wrong))
