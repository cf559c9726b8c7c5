"""Loaded by Schemathesis: what may be refused although the document allows it, each with its reason."""

import json
import os
import re
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Messages of refusals that no JSON schema can foretell.
EXCUSED = {
    "a schema knows no clock": r"This must lie in the future",
    "a schema knows no rows": r"There is no such row\.",
    "a schema compares no numbers in strings": (
        r"Input should be (greater|less) than( or equal to)? -?[\d.]+"
    ),
    "multiples of 0.01 are no floating-point numbers": (
        r"Decimal input should have no more than \d+ (digits|decimal places).*"
    ),
    "`email` allows domains that get no mail": r"This is no email address",
    "`uri` allows hosts that cannot be": r"Input should be a valid URL, .*",
    "`date-time` allows times that UTC or the calendar has not": (
        r"This datetime does not exist in UTC|Input should be a valid datetime or date, .*"
    ),
    "only the server knows its cursors": (
        r"This is no cursor\.|This cursor belongs to a list with another order or other filters\."
    ),
    "an object of any shape may hold what PostgreSQL cannot": (
        r"An object must not contain NUL characters"
    ),
}


def messages(response: Any) -> list[str]:  # noqa: ANN401
    """The messages of a refusal, in either format of errors."""
    body = response.json()
    return list((body.get("errors") or body.get("error", {}).get("details") or {}).values())


def reasons(response: Any) -> list[str]:  # noqa: ANN401
    """Why a refusal is excused: a reason for each of its messages, or none at all."""
    found = [
        next((reason for reason, text in EXCUSED.items() if re.fullmatch(text, message)), "")
        for message in messages(response)
    ]
    return found if all(found) else []


@schemathesis.check
def valid_requests_are_accepted(ctx: Any, response: Any, case: Any) -> None:  # noqa: ANN401
    """The built-in check, apart from what is excused; that is counted in a file."""
    try:
        positive_data_acceptance(ctx, response, case)
    except Failure:
        excuses = reasons(response) if response.status_code == 422 else []
        if not excuses:
            raise
        with Path(os.environ["FUZZ_EXCUSES"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(excuses) + "\n")
