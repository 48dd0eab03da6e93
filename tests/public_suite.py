"""Runs the public suite scim2-tester against the built server, on SQLite and on PostgreSQL.

usage: public_suite.py BINARY

Each backend gets a fresh organization. Every check must answer SUCCESS; anything else fails the run.
PostgreSQL is the server of ROLLCALL_TEST_POSTGRES_URL.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server


def run(binary: str, name: str, database_url: str, folder: str) -> int:
    """Starts the server on one database, runs the suite, prints what failed; answers the number of failures."""
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
        [binary, "bootstrap", "--json", "--name", f"scim2-tester {name} {os.getpid()}"],
        env=environment, cwd=folder, check=True, capture_output=True, text=True,
    )
    credentials = json.loads(bootstrap.stdout)
    server = subprocess.Popen([binary, "serve"], env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        address = None
        for line in server.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                address = found.group(0)
                break
        if address is None:
            print(f"{name}: the server did not print its address")
            return 1
        http = Client(base_url=f"{address}/scim/v2", headers={"Authorization": f"Bearer {credentials['scim']['token']}"})
        client = SyncSCIMClient(http)
        client.discover()
        results = check_server(client)
    finally:
        server.terminate()
        server.wait(30)
    failures = [r for r in results if r.status is not Status.SUCCESS]
    for result in failures:
        print(f"{name}: {result.status.name} {result.title}: {result.reason}")
    print(f"{name}: scim2-tester: {len(results) - len(failures)} passed, {len(failures)} failed")
    return len(failures) if results else 1


def main() -> int:
    """Both databases; exit code 1 when a check failed."""
    binary = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        failures = run(binary, "sqlite", f"sqlite://{folder}/test.db", folder)
        failures += run(binary, "postgres", os.environ["ROLLCALL_TEST_POSTGRES_URL"], folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
