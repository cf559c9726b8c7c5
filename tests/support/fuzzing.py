"""Fuzz a served app with all checks and phases of Schemathesis."""

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
# Each run sends the same requests.
SEED = 1

CONFIGURATION = """
hooks = {hooks}

[headers]
Authorization = {token}

[parameters]
user_id = {user_id}

# This operation makes the token invalid.
[[operations]]
include-operation-id = "delete_me"
headers = {{ Authorization = {other_token} }}
"""


@dataclass(frozen=True)
class Fuzzed:
    """The result of a run."""

    operations: int
    requests: int
    rejections: Counter[str]


def references(answers: dict[str, Any]) -> dict[str, str]:
    """Return the resource that each reference refers to, by the name of its field in a body."""
    specs = [answers["fields"], *(each["fields"] for each in answers.get("more_resources", []))]
    suffixes = {"reference": "_id", "references": "_ids"}
    return {
        f"{name}{suffixes[options['type']]}": options["to"]
        for fields in specs
        for name, options in fields.items()
        if isinstance(options, dict) and options["type"] in suffixes
    }


def creation(document: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the schema of the body that creates a row."""
    content = document["paths"][path]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def add_rows(api: Api, caller: Caller, targets: dict[str, str]) -> dict[str, list[Any]]:
    """Create the example row of each resource; return the ids by the fields that refer to them."""
    document = caller.get(200, "/openapi.json")
    missing = {
        route.rpartition("{")[2].removesuffix("_id}"): route.rpartition("/")[0]
        for verb, route in api.operations
        if verb == "GET" and route.endswith("_id}")
    }
    made: dict[str, Any] = {}
    while missing:
        schemas = {name: creation(document, path) for name, path in missing.items()}
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
        target = missing.pop(name).replace("{user_id}", str(caller.id))
        made[name] = caller.post(201, target, body)["id"]
    return {field: [made[to]] for field, to in targets.items()}


def fuzz(api: Api, caller: Caller, other: Caller, scratch: Path, examples: int) -> Fuzzed:
    """Run Schemathesis with the token of a user who has rows."""
    scratch.mkdir()
    report, rejections = scratch / "report.json", scratch / "rejections"
    rejections.touch()
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
            # fuzz_hooks.py replaces this check.
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--max-examples", str(examples), "--seed", str(SEED), "--generation-deterministic"),
            *("--suppress-health-check", "all", "--continue-on-failure", "--no-shrink"),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        cwd=scratch,
        env={**os.environ, "FUZZ_ROWS": json.dumps(rows), "FUZZ_REJECTIONS": str(rejections)},
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
        rejections=Counter(rejections.read_text(encoding="utf-8").splitlines()),
    )
