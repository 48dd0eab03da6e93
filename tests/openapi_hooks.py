"""What `openapi_suite.py` gives schemathesis to load: paths get ids that exist, and every answer is counted.

OPENAPI_SUITE_SEEDS names a JSON file: for each path of the document the parameters that exist. OPENAPI_SUITE_COUNTS names
the file that the counts are written to: for each operation how often each status was answered.
"""

import atexit
import json
import os
import zlib
from collections import Counter, defaultdict

import schemathesis

with open(os.environ["OPENAPI_SUITE_SEEDS"]) as file:
    SEEDS = json.load(file)
COUNTS = defaultdict(Counter)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Most cases go to what exists; fewer of those that take it away. Which ones depends on the case alone."""
    path, method = case.operation.path, case.method
    number = zlib.crc32(repr((method, path, case.path_parameters, case.query, case.body)).encode(errors="replace"))
    seeds = SEEDS["paths"].get(path)
    if seeds and case.path_parameters:
        # What the run itself lives on is never its target.
        is_own = SEEDS["own_key"] in case.path_parameters.values()
        takes_away = path.endswith(("/archive", "/decommission")) or (method == "DELETE" and path.count("{") == 1)
        if is_own or number % 8 < (1 if takes_away else 6):
            case.path_parameters = dict(seeds[number // 8 % len(seeds)])
    # Any other text is a cursor of nothing, and a version of nothing: such requests end before they do anything.
    if number % 4:
        if case.query:
            case.query.pop("cursor", None)
        if case.headers:
            case.headers.pop("If-Match", None)
        if isinstance(case.body, dict):
            case.body = with_existing(path, case.body, number)


def with_existing(path, body, number):
    """A body whose ids, where it has any, are those of what exists."""
    users = SEEDS["users"]
    some = [users[(number + n) % len(users)] for n in range(3)]
    existing = {"ids": some, "members": some, "group": SEEDS["groups"][number % len(SEEDS["groups"])], "groups": []}
    if path.endswith("/invitations"):
        existing["emails"] = [f"new{number}@seed.example"]
    # Of another type it is there to be refused.
    same = {name: value for name, value in existing.items() if type(body.get(name)) is type(value)}
    return {**body, **same}


@schemathesis.hook
def after_call(context, case, response):
    """Counts."""
    COUNTS[f"{case.operation.method.upper()} {case.operation.path}"][response.status_code] += 1


@atexit.register
def write():
    """Leaves the counts to the suite."""
    with open(os.environ["OPENAPI_SUITE_COUNTS"], "w") as file:
        json.dump(COUNTS, file)
