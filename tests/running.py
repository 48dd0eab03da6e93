"""Runs the built server on one database, for the suites of others."""

import json
import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Running:
    """A server that answers, and the credentials of an organization on it."""

    address: str
    credentials: dict
    process: subprocess.Popen
    log: str


@contextmanager
def running(binary: str, suite: str, name: str, database_url: str, folder: str):
    """Starts the server with a fresh organization; its own words go into a file of the folder. Stops it at the end."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ROLLCALL_")},
        "ROLLCALL_DATABASE_URL": database_url,
        "ROLLCALL_LISTEN": "127.0.0.1:0",
        "ROLLCALL_RATE_LIMIT": "off",
        "ROLLCALL_SECRET_KEY_FILE": os.path.join(folder, name + ".key"),
        "RUST_LOG": "warn",
    }
    key = subprocess.run([binary, "secret-key"], check=True, capture_output=True, text=True).stdout
    with open(environment["ROLLCALL_SECRET_KEY_FILE"], "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(key)
    bootstrap = subprocess.run(
        [binary, "bootstrap", "--json", "--name", f"{suite} {name} {os.getpid()}"],
        env=environment, cwd=folder, check=True, capture_output=True, text=True,
    )
    log = os.path.join(folder, name + ".log")
    with open(log, "w") as words:
        process = subprocess.Popen(
            [binary, "serve"], env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=words, text=True
        )
    try:
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield Running(found.group(0), json.loads(bootstrap.stdout), process, log)
                break
        else:
            raise SystemExit(f"{name}: the server did not print its address:\n{end_of(log)}")
    finally:
        process.terminate()
        process.wait(30)


def end_of(log: str) -> str:
    """The last of what a server said."""
    with open(log) as file:
        return file.read()[-4_000:]
