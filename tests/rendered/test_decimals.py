"""Decimals are exact: a number in a body is stored unchanged or rejected, never rounded."""

import random
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.environment import Environment
from tests.support.postgres import Postgres, empty_database
from tests.support.preset_server import Caller, serve
from tests.support.rendering import render

MAX_DIGITS = 18
# The digits and decimal places of every size of a field, by the field's name.
SIZES = {
    f"n{digits}_{places}": (digits, places)
    for digits in range(1, MAX_DIGITS + 1)
    for places in range(digits + 1)
}
# The number of fields in one resource.
WIDTH = 50
NAMES = sorted(SIZES)
RESOURCES = {
    f"part{number}": NAMES[start : start + WIDTH]
    for number, start in enumerate(range(0, len(NAMES), WIDTH))
}
HOLDER = {name: resource for resource, names in RESOURCES.items() for name in names}


def fields(names: list[str]) -> dict[str, Any]:
    """Return a decimal field for each name, with its size."""
    sizes = {name: SIZES[name] for name in names}
    return {
        name: {"type": "decimal", "max_digits": digits, "decimal_places": places, "default": 0}
        for name, (digits, places) in sizes.items()
    }


SPECS = [{"name": resource, "fields": fields(names)} for resource, names in RESOURCES.items()]
ANSWERS = {
    "resource_name": SPECS[0]["name"],
    "fields": SPECS[0]["fields"],
    "operations": ["bulk"],
    "more_resources": SPECS[1:],
    "auth": "external",
    "update_method": "both",
    "pagination": "list",
}
WRITES = ("POST", "BULK", "PATCH", "PUT")
EXAMPLES = 400

# Numbers in JSON (RFC 8259, section 6).
DIGITS = st.text("0123456789", min_size=1, max_size=24)
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    DIGITS.map(lambda digits: digits.lstrip("0") or "0"),
    st.one_of(st.just(""), DIGITS.map(".{}".format)),
    st.sampled_from(["", "", "", "e0", "E+1", "e-2", "e17", "e-400", "e99999"]),
)


@st.composite
def sized_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a field, and a number that fits its digits."""
    name = draw(st.sampled_from(NAMES))
    digits, places = SIZES[name]
    whole = draw(st.integers(-(10**digits) + 1, 10**digits - 1))
    return name, f"{Decimal(whole).scaleb(-places):f}"


def fits(name: str, number: Decimal) -> bool:
    """Return whether a number fits the digits of a field."""
    digits, places = SIZES[name]
    try:
        return number.scaleb(places) % 1 == 0 and abs(number.scaleb(places)) < 10**digits
    except InvalidOperation:  # The number has too many digits for the decimal context.
        return False


class Writer:
    """Writes numbers, and compares the response with the stored row."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.rows = {
            resource: caller.post(201, f"/api/{resource}s", {})["id"] for resource in RESOURCES
        }
        self.counts = dict.fromkeys(("stored", "rejected"), 0)

    def write(self, verb: str, resource: str, content: str) -> tuple[int, dict[str, Any]]:
        """Send a body unchanged; return the status, and the row or the errors."""
        bulk = verb == "BULK"
        path = f"/api/{resource}s"
        one = f"{path}/{self.rows[resource]}"
        answer = self.caller.api.send(
            "POST" if bulk else verb,
            {"POST": path, "BULK": f"{path}/bulk"}.get(verb, one),
            (f"[{content}]" if bulk else content).encode(),
            Authorization=f"Bearer {self.caller.token}",
            **{"Content-Type": "application/json"},
        )
        found = answer.json
        if answer.status == 422:
            return answer.status, found["errors"]
        row: dict[str, Any] = found[0] if bulk else found
        assert self.caller.get(200, f"{path}/{row['id']}") == row
        return answer.status, row

    def check(self, verb: str, name: str, written: str) -> None:
        """Check that a number is stored exactly, or rejected by the name of its field."""
        status, found = self.write(verb, HOLDER[name], f'{{"{name}": {written}}}')
        if status == 422:
            assert name in next(iter(found)), (verb, name, written, found)
            self.counts["rejected"] += 1
        else:
            assert Decimal(found[name]) == Decimal(written), (verb, name, written, found[name])
            assert fits(name, Decimal(written)), (verb, name, written, found[name])
            self.counts["stored"] += 1


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def writer(
    request: pytest.FixtureRequest,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Writer]:
    """A writer for an app with a field of every size."""
    folder = tmp_path_factory.mktemp("decimals")
    project = render(template, folder / "project", ANSWERS)
    with (
        empty_database(request.param, folder / "app.db", postgres) as url,
        serve(environment, project, url) as api,
    ):
        yield Writer(api.bearer("ada"))


@pytest.mark.long
@pytest.mark.parametrize("verb", WRITES)
def test_every_size_stores_all_its_digits(writer: Writer, verb: str) -> None:
    draw = random.Random(verb).randrange
    for resource, names in RESOURCES.items():
        numbers = {}
        for name in names:
            digits, places = SIZES[name]
            # No digit is zero, so that each lost digit is detected.
            whole = int("".join(str(draw(1, 10)) for _ in range(digits)))
            numbers[name] = f"{Decimal(whole).scaleb(-places):f}"
        body = ", ".join(f'"{name}": {written}' for name, written in numbers.items())
        status, row = writer.write(verb, resource, f"{{{body}}}")
        assert status == (201 if verb in {"POST", "BULK"} else 200)
        assert {name: row[name] for name in names} == numbers


@pytest.mark.long
def test_no_number_is_rounded(writer: Writer, figure: Callable[[str], None]) -> None:
    common = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    @common
    @given(st.sampled_from(WRITES), sized_numbers())
    def stored(verb: str, sized: tuple[str, str]) -> None:
        before = writer.counts["stored"]
        writer.check(verb, *sized)
        assert writer.counts["stored"] > before, (verb, sized)

    @common
    @given(st.sampled_from(WRITES), st.sampled_from(NAMES), NUMBERS)
    def stored_or_rejected(verb: str, name: str, written: str) -> None:
        writer.check(verb, name, written)

    stored()
    stored_or_rejected()
    counts = ", ".join(f"{many} {name}" for name, many in writer.counts.items())
    figure(f"decimals as JSON numbers, in {len(SIZES)} sizes of fields: {counts}")
    assert writer.counts["rejected"] > EXAMPLES / 4
