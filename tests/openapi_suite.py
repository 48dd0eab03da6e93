"""Runs schemathesis over the admin API's OpenAPI document against the built server, on SQLite and on PostgreSQL.

usage: openapi_suite.py BINARY [sqlite|postgres]

Each backend gets a fresh organization with something of everything in it. No answer may be a 5xx or one that the document
does not describe: its status, media type and body are compared. The seed is fixed. At least 3,000 cases each.
PostgreSQL is the server of ROLLCALL_TEST_POSTGRES_URL.
"""

import json
import os
import subprocess
import sys
import tempfile

from httpx2 import Client
from running import end_of, running

LEAST = 3_000
# The share of operations that may never succeed.
MOST_BARREN = 0.1
SEED = 4
BASE = "/api/v1"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
]
CONFIG = """
continue-on-failure = true
warnings = false
seed = {seed}

[generation]
max-examples = {examples}
database = "none"
no-shrink = true

[phases.coverage]
# TRACE is refused by the HTTP server before any route.
unexpected-methods = ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]

[phases.stateful]
max-steps = 5
"""


def seed(address: str, credentials: dict) -> dict:
    """Puts something of everything into the organization; answers the parameters that exist, by path."""
    admin = Client(base_url=address, headers={"Authorization": f"Bearer {credentials['api']['key']}"}, timeout=30)
    operator = Client(base_url=address, headers={"Authorization": f"Bearer {credentials['backoffice']['key']}"}, timeout=30)
    scim = Client(base_url=f"{address}/scim/v2", headers={"Authorization": f"Bearer {credentials['scim']['token']}"}, timeout=30)

    def call(client: Client, method: str, path: str, body: dict | None = None, expected: int | None = None) -> dict:
        answer = client.request(method, path, json=body)
        if not (answer.is_success if expected is None else answer.status_code == expected):
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else {}

    def make(path: str, body: dict) -> dict:
        return call(admin, "POST", BASE + path, body)

    def ids(path: str, member: str = "id") -> list[str]:
        path += "&limit=200" if "?" in path else "?limit=200"
        return [row[member] for row in call(admin, "GET", BASE + path)["data"]]

    own_key = ids("/api-keys")[0]
    organization = credentials["organization"]["id"]
    features = {"features": {"sub_accounts": True, "tenant_release": True}, "reason": "for the suite"}
    call(operator, "PATCH", f"/backoffice/v1/organizations/{organization}", features)
    for start in range(0, 100, 50):
        emails = [f"local{n}@seed.example" for n in range(start, start + 50)]
        roles = ["admin"] if start else ["read_only", "billing"]
        make("/invitations", {"emails": emails, "roles": roles, "delivery": "link"})
    schema = "urn:ietf:params:scim:schemas:core:2.0:User"
    for n in range(40):
        body = {"schemas": [schema], "userName": f"pushed{n}", "externalId": f"x{n}", "active": n % 4 != 0}
        call(scim, "POST", "/Users", body)
    # Refused by the connection, for the log.
    call(scim, "POST", "/Users", {"schemas": [schema], "userName": "pushed1"}, 409)
    call(scim, "POST", "/Users", {"schemas": [schema]}, 400)
    users, active = ids("/users"), ids("/users?status=active")
    members, access = [], []
    for n in range(30):
        roles = ["team_management"] if n % 3 == 0 else []
        made = make("/groups", {"name": f"Group {n}", "members": users[n : n + 3], "roles": roles})
        members += [{"id": made["id"], "user": user} for user in users[n : n + 3]]
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Pushed group"}
    call(scim, "POST", "/Groups", group)
    bootstrapped = f"/connections/{credentials['connection']['id']}"
    call(admin, "PATCH", BASE + bootstrapped, {"scim": {"adoption": "review"}})
    for n in range(20):
        call(scim, "POST", "/Users", {"schemas": [schema], "userName": f"local{n}@seed.example"}, 409)
    for n in range(15):
        made = make("/connections", {"provider": "okta", "name": f"Connection {n}"})
        if n % 2:
            make(f"/connections/{made['id']}/activate", {})
        make(f"/connections/{made['id']}/scim-tokens", {"name": "First"})
        make("/domains", {"domain": f"d{n}.example"})
        account = make("/sub-accounts", {"name": f"Sub-account {n}"})["id"]
        for user in active[n : n + 3]:
            call(admin, "PUT", f"{BASE}/sub-accounts/{account}/access/{user}", {"roles": ["read_only"]})
            access.append({"id": account, "user": user})
        make("/api-keys", {"name": f"Key {n}", "roles": ["read_only"]})
    external, suspended = ids("/users?managed_by=external"), active[-10:]
    for user in suspended:
        make(f"/users/{user}/suspend", {})
    connections, groups = ids("/connections"), ids("/groups")
    tokens = [{"id": c, "tid": token} for c in connections for token in ids(f"/connections/{c}/scim-tokens")]
    adoptions = [{"id": c, "aid": adoption} for c in connections for adoption in ids(f"/connections/{c}/adoptions")]
    known = {
        "/api-keys/{id}": [{"id": key} for key in ids("/api-keys") if key != own_key],
        "/audit-events/{id}": [{"id": event} for event in ids("/audit-events")],
        "/connections/{id}": [{"id": c} for c in connections],
        "/connections/{id}/adoptions/{aid}": adoptions,
        "/connections/{id}/scim-tokens/{tid}": tokens,
        "/domains/{domain}": [{"domain": domain} for domain in ids("/domains", "domain")],
        "/groups/{id}": [{"id": group} for group in groups],
        "/groups/{id}/members/{user}": members,
        "/invitations/{id}": [{"id": invitation} for invitation in ids("/invitations")],
        "/provisioning-log/{id}": [{"id": entry} for entry in ids("/provisioning-log")],
        "/sub-accounts/{id}": [{"id": account} for account in ids("/sub-accounts")],
        "/sub-accounts/{id}/access/{user}": access,
        "/users/{id}": [{"id": user} for user in users],
        "/users/{id}/release": [{"id": user} for user in external],
        "/users/{id}/unsuspend": [{"id": user} for user in suspended],
    }
    paths = {}
    for path in call(admin, "GET", f"{BASE}/openapi.json")["paths"]:
        if "{" in path:
            longest = max((known_path for known_path in known if path.startswith(BASE + known_path)), key=len)
            if not known[longest]:
                raise RuntimeError(f"nothing was seeded for {path}")
            paths[path] = known[longest]
    return {"own_key": own_key, "paths": paths, "users": users, "groups": groups}


def examine(name: str, address: str, credentials: dict, folder: str) -> int:
    """Runs schemathesis against a server; answers how much was wrong."""
    seeds, counts, config = (os.path.join(folder, f"{name}.{part}") for part in ("seeds", "counts", "toml"))
    with open(seeds, "w") as file:
        json.dump(seed(address, credentials), file)
    with open(config, "w") as file:
        file.write(CONFIG.format(seed=os.environ.get("OPENAPI_SUITE_SEED", SEED), examples=os.environ.get("OPENAPI_SUITE_EXAMPLES", 25)))
    here = os.path.dirname(os.path.abspath(__file__))
    environment = {
        **os.environ,
        "OPENAPI_SUITE_SEEDS": seeds,
        "OPENAPI_SUITE_COUNTS": counts,
        "PYTHONPATH": here,
        "SCHEMATHESIS_HOOKS": "openapi_hooks",
    }
    program = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file", config, "run", f"{address}{BASE}/openapi.json",
        "--header", f"Authorization: Bearer {credentials['api']['key']}",
        "--checks", ",".join(CHECKS + os.environ.get("OPENAPI_SUITE_CHECKS", "").split()), "--no-color",
    ]
    ran = subprocess.run(program, env=environment, cwd=folder, capture_output=True, text=True)
    problems = []
    if ran.returncode != 0:
        problems.append(f"{ran.stdout}\n{ran.stderr}")
    with open(counts) as file:
        by_operation = json.load(file)
    cases = sum(sum(statuses.values()) for statuses in by_operation.values())
    if cases < LEAST:
        problems.append(f"only {cases} cases, of {LEAST} at least")
    # A run whose key is refused, or whose ids are of nothing, says little. Ids are new in each run, so that chance has
    # its part in what succeeds.
    barren = [op for op, statuses in by_operation.items() if not any(status[0] in "23" for status in statuses)]
    if len(barren) > MOST_BARREN * len(by_operation):
        problems.append(f"{len(barren)} operations never answered with success: {', '.join(sorted(barren))}")
    for problem in problems:
        print(f"{name}: {problem}")
    if os.environ.get("OPENAPI_SUITE_VERBOSE"):
        for operation, statuses in sorted(by_operation.items()):
            print(operation, dict(sorted(statuses.items())))
    print(f"{name}: schemathesis: {cases} cases, {'failed' if problems else 'passed'}")
    return len(problems)


def run(binary: str, name: str, database_url: str, folder: str) -> int:
    """Examines the server on one database; answers the number of problems."""
    with running(binary, "schemathesis", name, database_url, folder) as server:
        failures = examine(name, server.address, server.credentials, folder)
        if server.process.poll() is not None:
            print(f"{name}: the server ended by itself with {server.process.returncode}")
            failures += 1
    if failures:
        print(f"{name}: the end of the server's log:\n{end_of(server.log)}")
    return failures


def main() -> int:
    """Both databases, or the one that is named; exit code 1 when something was wrong."""
    binary, names = os.path.abspath(sys.argv[1]), sys.argv[2:] or ["sqlite", "postgres"]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            is_sqlite = name == "sqlite"
            url = f"sqlite://{folder}/test.db" if is_sqlite else os.environ["ROLLCALL_TEST_POSTGRES_URL"]
            failures += run(binary, name, url, folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
