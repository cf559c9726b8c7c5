"""Hooks for Schemathesis: ids of existing rows, and rejections that no JSON schema expresses."""

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

# Ids of existing rows, by the names of the fields that refer to them.
ROWS: dict[str, list[Any]] = json.loads(os.environ["FUZZ_ROWS"])
REJECTIONS = Path(os.environ["FUZZ_REJECTIONS"])

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OUT_OF_BOUNDS = "a schema does not compare numbers in strings"
NO_INTEGER = "2.0 is an integer in JSON Schema"
OTHER_TAG = "a schema does not know the entity tag of a row"
# Reasons that apply only to values of one type.
ONLY_FOR = {OUT_OF_BOUNDS: str, NO_INTEGER: float}

# Messages of valid rejections, by the reason why a JSON schema cannot express them.
EXPECTED = {
    "a schema does not know the time": r"Must be in the future",
    "a pattern does not compare columns": r"Each column can be named once",
    "a schema does not see rows": r"There is no such row\.|A row cannot be its own ancestor\.",
    "a schema does not know earlier requests": r"Was used for another request\.",
    "a schema does not know the tokens of mails": r"Invalid or expired\.",
    "only the server can check cursors": (
        r"Invalid cursor\.|This cursor belongs to a list with another order or other filters\."
    ),
    "a schema does not know passwords that are easy to guess": (
        r"One of the most common passwords\.|Too similar to the email address\."
    ),
    OUT_OF_BOUNDS: r"Input should be (greater|less) than( or equal to)? .*",
    NO_INTEGER: r"Input should be a valid integer",
    "floating-point numbers are not exact multiples of 0.01": (
        r"Decimal input should have no more than \d+ (digits|decimal places).*"
    ),
    "`email` allows domains without mail": (
        r"(value is not a valid email address: )?(After|An?|Quoting|The|There) .*(address|@-sign).*"
    ),
    "`uri` allows invalid hosts": r"Input should be a valid URL, .*",
    "`date-time` allows values outside of UTC or the calendar": (
        r"Datetime is out of range in UTC|Input should be a valid datetime or date, .*"
    ),
    "a free-form object may contain values that a database cannot store": (
        r"JSON object must not contain NUL characters|JSON object is nested too deeply"
    ),
}


def rejected_fields(response: Any) -> dict[str, str]:  # noqa: ANN401
    """Return the rejected fields and their messages, from either error format."""
    body = response.json()
    return body.get("errors") or body.get("error", {}).get("details") or {}


def sent_value(body: Any, field: str) -> Any:  # noqa: ANN401
    """Return the value of a field such as `0.price`."""
    for part in field.split("."):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def rejection_reason(case: Any, field: str, message: str) -> str:  # noqa: ANN401
    """Return the reason for a valid rejection, or an empty string."""
    reason = next((why for why, text in EXPECTED.items() if re.fullmatch(text, message)), "")
    if reason in ONLY_FOR and not isinstance(sent_value(case.body, field), ONLY_FOR[reason]):
        return ""
    return reason


@schemathesis.check
def valid_requests_are_accepted(ctx: Any, response: Any, case: Any) -> None:  # noqa: ANN401
    """Run the built-in check, but record expected rejections in a file, one line each."""
    try:
        positive_data_acceptance(ctx, response, case)
    except Failure:
        fields = rejected_fields(response) if response.status_code == 422 else {}
        reasons = {rejection_reason(case, field, text) for field, text in fields.items()}
        if response.status_code == 412 and "If-Match" in case.headers:
            reasons = {OTHER_TAG}
        if not reasons or "" in reasons:
            raise
        with REJECTIONS.open("a", encoding="utf-8") as file:
            file.write(", ".join(sorted(reasons)) + "\n")


def with_rows(name: str, value: Any) -> Any:  # noqa: ANN401
    """Replace the value of a field with the id of an existing row, if it looks like an id."""
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
    """Make most references refer to existing rows."""

    def objects() -> Iterator[dict[str, Any]]:
        for each in body if isinstance(body, list) else [body]:
            if isinstance(each, dict):
                yield each

    for each in objects():
        each.update({name: with_rows(name, value) for name, value in each.items()})
    return body
