"""Decimals in JSON: kept exactly as they are written, or refused, whatever their column is.

Every `max_digits` and `decimal_places` is a field of one project; every verb that writes is asked,
with numbers near the ends of each column. The oracle is the decimal number that the text says.
"""

import json
import math
import string
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.support.drawing import DRAWN, SEED
from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.preset_server import Answer, Caller, serve
from tests.support.rendering import render

MOST_DIGITS = 18
# No resource takes more than 60 fields.
RESOURCES = {
    "small": range(1, 10),
    "middle": range(10, 14),
    "large": range(14, 17),
    "huge": range(17, MOST_DIGITS + 1),
}
OTHERS: dict[str, Any] = {
    "ratio": {"type": "float", "required": False},
    "extra": {"type": "json", "default": {}},
}
EXAMPLES = 2000 if DRAWN else 120
VERBS = ["POST", "bulk", "PATCH", "PUT"]
SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=False,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Column(NamedTuple):
    """A decimal field."""

    resource: str
    digits: int
    places: int

    @property
    def name(self) -> str:
        """Its name in JSON."""
        return f"d{self.digits}_{self.places}"

    def takes(self, number: Decimal) -> bool:
        """Tell whether the column can hold a number as it is."""
        if not number:
            return True
        digits = "".join(map(str, number.as_tuple().digits))
        spare = len(digits) - len(digits.rstrip("0"))
        least = number.adjusted() - len(digits) + 1 + spare
        return number.adjusted() < self.digits - self.places and least >= -self.places


COLUMNS = [
    Column(resource, digits, places)
    for resource, sizes in RESOURCES.items()
    for digits in sizes
    for places in range(digits + 1)
]


def answers() -> dict[str, Any]:
    """Resources that have every column together."""
    first, *more = (
        {
            "name": resource,
            "fields": OTHERS
            | {
                column.name: {
                    "type": "decimal",
                    "max_digits": column.digits,
                    "decimal_places": column.places,
                    "required": False,
                }
                for column in COLUMNS
                if column.resource == resource
            },
            "operations": ["bulk"],
        }
        for resource in RESOURCES
    )
    return {
        "resource_name": first["name"],
        "fields": first["fields"],
        "operations": first["operations"],
        "more_resources": more,
        "update_method": "both",
    }


@st.composite
def numbers(draw: DrawFn, column: Column) -> str:
    """A number near the ends of a column, in one of the many ways that JSON has to write it."""
    count = draw(st.integers(1, column.digits + 2))
    nines = st.integers(10**count - 3, 10**count + 3)
    steps = draw(st.one_of(nines, st.integers(0, 10**count), st.integers(0, 20)))
    exponent = -column.places + draw(st.sampled_from([0, 0, 0, 0, -1, 1, 2]))
    digits = str(steps) + "0" * draw(st.sampled_from([0, 0, 0, 1, 5, 30, 400]))
    exponent -= len(digits) - len(str(steps))
    # A digit so far behind that only the whole text tells of it.
    if draw(st.integers(0, 5)) == 0:
        tail = "0" * draw(st.integers(0, 40)) + draw(st.sampled_from(["1", "5", "0"]))
        digits, exponent = digits + tail, exponent - len(tail)
    sign = draw(st.sampled_from(["", "", "-"]))
    shift = draw(st.sampled_from([0, 0, 0, 1, 7, -7, 25]))
    point = exponent + shift
    if point >= 0:
        plain = digits.lstrip("0") + "0" * point if digits.strip("0") else "0"
    else:
        digits = digits.rjust(1 - point, "0")
        plain = f"{digits[:point].lstrip('0') or '0'}.{digits[point:]}"
    mark = draw(st.sampled_from(["e", "E"]))
    written = f"{mark}{draw(st.sampled_from(['', '+'])) if shift <= 0 else ''}{-shift}"
    return f"{sign}{plain}{written if shift or draw(st.booleans()) else ''}"


STRANGE = st.sampled_from(
    [
        *("1e999999", "-1e999999999999999999999", "1e-999999", "0e999999", "-0", "-0.0", "0E-400"),
        *("NaN", "Infinity", "-Infinity", "9223372036854775808", "1" * 400, "0." + "3" * 5000),
        *("1" * 4300, "1" * 5000, "0.1000000000000000055", "999999999999999.99", "1e22", "1e-7"),
    ]
)


class Case(NamedTuple):
    """A number to write."""

    column: Column
    verb: str
    text: str
    as_string: bool


@st.composite
def cases(draw: DrawFn) -> Case:
    """A number, and how it is sent."""
    column = draw(st.sampled_from(COLUMNS))
    text = draw(st.one_of(numbers(column), numbers(column), numbers(column), STRANGE))
    verb = draw(st.sampled_from(VERBS))
    return Case(column, verb, text, draw(st.integers(0, 3)) == 0)


def said(text: str) -> Decimal | None:
    """The number that a text says."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


class Writer:
    """Somebody who has a row of each resource, and writes numbers."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.rows = {name: caller.post(201, self.path(name), {})["id"] for name in RESOURCES}
        self.kept = self.refused = 0

    @staticmethod
    def path(resource: str) -> str:
        """Where a resource is."""
        return f"/api/{resource}s"

    def send(self, resource: str, verb: str, content: str) -> Answer:
        """Write, with a body as it is."""
        path, method = self.path(resource), "POST"
        if verb == "bulk":
            path, content = f"{path}/bulk", f"[{content}]"
        elif verb != "POST":
            path, method = f"{path}/{self.rows[resource]}", verb
        headers = {
            "Authorization": f"Bearer {self.caller.token}",
            "Content-Type": "application/json",
        }
        return self.caller.api.send(method, path, content.encode(), **headers)

    def found(self, case: Case, row_id: str, **filters: str) -> bool:
        """Tell whether the newest rows that fit filters have one among them."""
        newest = {"page_size": 100, "sort": "-updated_at"}
        rows = self.caller.get(200, self.path(case.column.resource), **newest, **filters)
        return row_id in [row["id"] for row in rows["items"]]

    def check_written(self, case: Case) -> Any:  # noqa: ANN401
        """Write a number, and compare what is answered and stored with what was said."""
        column, number = case.column, said(case.text)
        value = json.dumps(case.text) if case.as_string else case.text
        answer = self.send(column.resource, case.verb, f'{{"{column.name}": {value}}}')
        if answer.status == 422:
            # Zero may come with an exponent beyond all bounds.
            assert not number or not column.takes(number), f"{case}: {answer.text[:300]}"
            self.refused += 1
            return None
        assert answer.status in {200, 201}, f"{case}: {answer.text[:300]}"
        assert number is not None, case
        row = answer.json[0] if case.verb == "bulk" else answer.json
        path = f"{self.path(column.resource)}/{row['id']}"
        for text in (row[column.name], self.caller.get(200, path)[column.name]):
            assert Decimal(text) == number, f"{case}: {text}"
            assert not set(text) - set(string.digits + "-."), text
            assert len(text.partition(".")[2]) == column.places, text
        self.kept += 1
        return row["id"]

    def check(self, case: Case) -> None:
        """Write a number, and look for it among others."""
        row_id, column = self.check_written(case), case.column
        if row_id is None:
            return
        assert self.found(case, row_id, **{column.name: case.text}), f"{case} is not found"
        for sign, end in ((-1, "lte"), (1, "gte")):
            beside = Decimal(case.text) + sign * Decimal(1).scaleb(-column.places)
            if column.takes(beside):
                limit = {f"{column.name}_{end}": f"{beside:f}"}
                assert not self.found(case, row_id, **limit), f"{case} {limit}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def writer(
    request: pytest.FixtureRequest,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Writer]:
    """A served project, on either database."""
    folder = tmp_path_factory.mktemp("decimals")
    project = render(template, folder / "project", answers())
    recorded = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'decimals.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgres.database())
        api = stack.enter_context(serve(environment, project, recorded, url))
        yield Writer(api.register())


@pytest.mark.long
def test_every_size_is_a_column() -> None:
    assert {(column.digits, column.places) for column in COLUMNS} == {
        (digits, places) for digits in range(1, MOST_DIGITS + 1) for places in range(digits + 1)
    }


@pytest.mark.long
def test_decimals_are_kept_or_refused(writer: Writer, figure: Callable[[str], None]) -> None:
    @seed(SEED)
    @SETTINGS
    @given(cases())
    def check(case: Case) -> None:
        writer.check(case)

    check()
    assert writer.kept > EXAMPLES / 5
    assert writer.refused > EXAMPLES / 5
    figure(f"decimals written: {writer.kept} kept as they were, {writer.refused} refused")


@pytest.mark.long
def test_the_ends_of_every_column_are_kept(writer: Writer) -> None:
    for number, column in enumerate(COLUMNS):
        nines = f"{Decimal(10**column.digits - 1).scaleb(-column.places):f}"
        longer = f"{nines}0" if column.places else f"{nines}.0"
        for verb in VERBS if DRAWN else [VERBS[number % len(VERBS)]]:
            writer.check_written(Case(column, verb, longer, as_string=False))
            writer.check_written(Case(column, verb, f"-{longer}01", as_string=False))


@pytest.mark.long
def test_other_numbers_are_floats(writer: Writer) -> None:
    @seed(SEED)
    @SETTINGS
    @given(st.one_of(numbers(COLUMNS[-1]), STRANGE), st.sampled_from(["POST", "PATCH"]))
    def check(text: str, verb: str) -> None:
        if set(text.lower()) & set(".e"):
            content = f'{{"ratio": {text}, "extra": {{"numbers": [{text}]}}}}'
            answer = writer.send("small", verb, content)
            if math.isinf(float(text)):
                assert answer.status == 422
                return
            assert answer.status in {200, 201}, answer
            assert answer.json["ratio"] == float(text)
            assert answer.json["extra"] == {"numbers": [float(text)]}

    check()
