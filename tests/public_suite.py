"""Runs the public suite scim2-tester against the built server, on SQLite and on PostgreSQL.

usage: public_suite.py BINARY

Each backend gets a fresh organization. Every check must answer SUCCESS; anything else fails the run.
PostgreSQL is the server of ROLLCALL_TEST_POSTGRES_URL.
"""

import os
import sys
import tempfile

from httpx2 import Client
from running import end_of, running
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server


def run(binary: str, name: str, database_url: str, folder: str) -> int:
    """Runs the suite on one database, prints what failed; answers the number of failures."""
    with running(binary, "scim2-tester", name, database_url, folder) as server:
        token = server.credentials["scim"]["token"]
        http = Client(base_url=f"{server.address}/scim/v2", headers={"Authorization": f"Bearer {token}"})
        client = SyncSCIMClient(http)
        client.discover()
        results = check_server(client)
    failures = [r for r in results if r.status is not Status.SUCCESS]
    for result in failures:
        print(f"{name}: {result.status.name} {result.title}: {result.reason}")
    if failures:
        print(f"{name}: the end of the server's log:\n{end_of(server.log)}")
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
