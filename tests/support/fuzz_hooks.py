"""Loaded by Schemathesis: rows to refer to, and refusals that the document does not foretell."""

import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Ids that there are, by the names of the fields that may refer to them.
ROWS: dict[str, list[Any]] = json.loads(os.environ["FUZZ_ROWS"])
EXCUSES = Path(os.environ["FUZZ_EXCUSES"])

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OUT_OF_BOUNDS = "a schema does not compare numbers in strings"
NO_INTEGER = "to a schema, 2.0 is an integer"
# Reasons that hold for values of one type alone.
ONLY_FOR = {OUT_OF_BOUNDS: str, NO_INTEGER: float}

# Messages of refusals that no JSON schema can foretell, by the reason why it cannot.
EXCUSED = {
    "a schema has no clock": r"Must be in the future",
    "a schema does not see rows": r"There is no such row\.|A row cannot be its own ancestor\.",
    "only the server knows its cursors": (
        r"Invalid cursor\.|This cursor belongs to a list with another order or other filters\."
    ),
    OUT_OF_BOUNDS: r"Input should be (greater|less) than( or equal to)? .*",
    NO_INTEGER: r"Input should be a valid integer",
    "floating-point numbers are no multiples of 0.01": (
        r"Decimal input should have no more than \d+ (digits|decimal places).*"
    ),
    "`email` allows domains that get no mail": (
        r"(value is not a valid email address: )?(After|An?|Quoting|The|There) .*(address|@-sign).*"
    ),
    "`uri` allows hosts that cannot be": r"Input should be a valid URL, .*",
    "`date-time` allows what UTC or the calendar has not": (
        r"Datetime is out of range in UTC|Input should be a valid datetime or date, .*"
    ),
    "an object of any shape may hold what no database can": (
        r"JSON object must not contain NUL characters|JSON object is nested too deeply"
    ),
}


def refused_fields(response: Any) -> dict[str, str]:  # noqa: ANN401
    """The fields that a refusal names, with its messages, in either format of errors."""
    body = response.json()
    return body.get("errors") or body.get("error", {}).get("details") or {}


def sent(body: Any, field: str) -> Any:  # noqa: ANN401
    """The value of a field such as `0.price`."""
    for part in field.split("."):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def excuse(case: Any, field: str, message: str) -> str:  # noqa: ANN401
    """Why a field may be refused, if it may."""
    reason = next((why for why, text in EXCUSED.items() if re.fullmatch(text, message)), "")
    if reason in ONLY_FOR and not isinstance(sent(case.body, field), ONLY_FOR[reason]):
        return ""
    return reason


@schemathesis.check
def valid_requests_are_accepted(ctx: Any, response: Any, case: Any) -> None:  # noqa: ANN401
    """The built-in check, apart from what is excused: a line in a file for each such request."""
    try:
        positive_data_acceptance(ctx, response, case)
    except Failure:
        fields = refused_fields(response) if response.status_code == 422 else {}
        excuses = {excuse(case, field, message) for field, message in fields.items()}
        if not excuses or "" in excuses:
            raise
        with EXCUSES.open("a", encoding="utf-8") as file:
            file.write(", ".join(sorted(excuses)) + "\n")


def with_rows(name: str, value: Any) -> Any:  # noqa: ANN401
    """The value of a field, which refers to a row that there is where it looks like an id."""
    known = ROWS.get(name)
    if isinstance(value, list):
        return [with_rows(name, each) for each in value]
    if not known or type(value) is not type(known[0]):
        return value
    if isinstance(value, str) and not UUID.fullmatch(value):
        return value
    chosen = zlib.crc32(repr(value).encode()) % (len(known) + 1)
    return [*known, value][chosen]


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:  # noqa: ANN401
    """Let most references lead somewhere."""

    def objects() -> Iterator[dict[str, Any]]:
        for each in body if isinstance(body, list) else [body]:
            if isinstance(each, dict):
                yield each

    for each in objects():
        each.update({name: with_rows(name, value) for name, value in each.items()})
    return body
