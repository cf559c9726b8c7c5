"""Fuzz a served app with Schemathesis: every operation of its document, all checks and phases."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.preset_server import Api, Caller

HOOKS = Path(__file__).with_name("fuzz_hooks.py")
PHASES = {"examples", "coverage", "fuzzing", "stateful"}
# The same requests in each run; a failure is found again by its name in the output.
SEED = 1

CONFIGURATION = """
hooks = {hooks}

[headers]
Authorization = {token}

[parameters]
user_id = {user_id}

# After one of these, the token is invalid.
[[operations]]
include-operation-id = "delete_me"
headers = {{ Authorization = {other_token} }}
"""


@dataclass(frozen=True)
class Fuzzed:
    """What came of it."""

    operations: int
    requests: int
    excuses: Counter[str]


def references(answers: dict[str, Any]) -> dict[str, str]:
    """The fields that refer to rows, by their names in a body, with what they refer to."""
    specs = [answers["fields"], *(each["fields"] for each in answers.get("more_resources", []))]
    suffixes = {"reference": "_id", "references": "_ids"}
    return {
        f"{name}{suffixes[options['type']]}": options["to"]
        for fields in specs
        for name, options in fields.items()
        if isinstance(options, dict) and options["type"] in suffixes
    }


def creation(document: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema of the body that adds a row."""
    content = document["paths"][path]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def add_rows(api: Api, caller: Caller, targets: dict[str, str]) -> dict[str, list[Any]]:
    """Add the row that the document shows to each resource; the ids, by the fields for them."""
    document = caller.get(200, "/openapi.json")
    left = {
        route.rpartition("{")[2].removesuffix("_id}"): route.rpartition("/")[0]
        for verb, route in api.operations
        if verb == "GET" and route.endswith("_id}")
    }
    made: dict[str, Any] = {}
    while left:
        schemas = {name: creation(document, path) for name, path in left.items()}
        name, schema = next(
            (name, schema)
            for name, schema in schemas.items()
            if all(targets.get(field) in {None, *made} for field in schema["required"])
        )
        body = {}
        for field, value in schema["examples"][0].items():
            if field not in targets:
                body[field] = value
            elif targets[field] in made:
                one = made[targets[field]]
                body[field] = [one] if field.endswith("_ids") else one
        target = left.pop(name).replace("{user_id}", str(caller.id))
        made[name] = caller.post(201, target, body)["id"]
    return {field: [made[to]] for field, to in targets.items()}


def fuzz(api: Api, caller: Caller, other: Caller, scratch: Path, examples: int) -> Fuzzed:
    """Send what Schemathesis makes up, with the token of a user who has rows."""
    scratch.mkdir()
    report, excuses = scratch / "report.json", scratch / "excuses"
    excuses.touch()
    configuration = scratch / "schemathesis.toml"
    configuration.write_text(
        CONFIGURATION.format(
            hooks=json.dumps(str(HOOKS)),
            token=json.dumps(f"Bearer {caller.token}"),
            other_token=json.dumps(f"Bearer {other.token}"),
            user_id=json.dumps(str(caller.id)),
        ),
        encoding="utf-8",
    )
    rows = add_rows(api, caller, references(api.answers))
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--no-color"),
            *("--config-file", str(configuration), "run"),
            f"http://127.0.0.1:{api.port}/openapi.json",
            # Its own form of this check has the list of excuses.
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--max-examples", str(examples), "--seed", str(SEED), "--generation-deterministic"),
            *("--suppress-health-check", "all", "--continue-on-failure", "--no-shrink"),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        cwd=scratch,
        env={**os.environ, "FUZZ_ROWS": json.dumps(rows), "FUZZ_EXCUSES": str(excuses)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["complete"], done.stdout
    assert found["errors"] == [], done.stdout
    assert found["operations"]["tested"] == found["operations"]["total"] > 0, done.stdout
    phases = {name for name, phase in found["phases"].items() if phase["status"] != "skip"}
    assert phases == PHASES, done.stdout
    assert found["failures"] == [], done.stdout
    assert done.returncode == 0, done.stdout
    return Fuzzed(
        operations=found["operations"]["tested"],
        requests=found["test_cases"]["generated"],
        excuses=Counter(excuses.read_text(encoding="utf-8").splitlines()),
    )
