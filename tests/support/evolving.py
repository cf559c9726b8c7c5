"""Pairs of answers, old and new, with rows; and what has to become of these rows.

What a value becomes is said here once more, in Python and without a database: a second opinion on
what `template/migrations/toolkit/steps.py` does in SQL, on both databases.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.support.walking import Rows

Spec = dict[str, Any]

CHOICES = ["low", "12", "true", "2030-01-31"]
VALUES: dict[str, list[Any]] = {
    "str": ["a", "12", "-7", "1.5", "1.555", "true", "2030-01-31", "it's", "long enough"],
    "text": ["a", "3", "false", "2031-02-28", "2030-01-31T10:00:00Z", "0.25", "words " * 60],
    "enum": CHOICES,
    "int": [0, 1, -2, 7, 120],
    "float": [0.0, 1.0, -2.0, 1.5, 0.125],
    "decimal": ["0.00", "1.50", "-2.00", "12.25", "-0.05"],
    "bool": [True, False],
    "date": ["2030-01-31", "1999-12-31", "2024-02-29", "2000-01-01"],
    "datetime": ["2030-01-31T00:00:00Z", "2030-01-31T12:30:00Z", "2024-02-29T00:00:00Z"],
    "uuid": [f"01890000-0000-7000-8000-00000000000{digit}" for digit in "abcdef"],
    "list": [["a"], [], ["a", "b"]],
    "json": [{"a": 1}, {}, {"a": [None]}],
}
# Texts that are all of one kind, so that a type may take them over.
TEXTS = [
    ["12", "-7", "0", "3", "120"],
    ["1.5", "-2.00", "12.25", "7"],
    ["true", "false"],
    ["2030-01-31", "2024-02-29"],
    ["2030-01-31T10:00:00+00:00", "2024-02-29T00:00:00Z"],
    VALUES["uuid"],
]
DEFAULTS = {kind: values[-1] for kind, values in VALUES.items()} | {"text": "words"}
# What reads alike through a model and without one, on both databases.
ALIKE = {"str", "text", "enum", "int", "float", "bool", "date", "list", "json"}
COMPARED = ("str", "int", "uuid", "date", "decimal")
KINDS = {"str": "text", "enum": "text", "list": "json"}
LENGTHS = {"str": 255, "enum": 100}
# A user's tables begin with a title, and the rows are told apart by it.
TITLE: Spec = {"type": "str", "max_length": 50}


class Lost(Exception):  # noqa: N818
    """A value that the new type has no place for."""


def kind(spec: Spec) -> str:
    """What a column holds: several types are texts to a database."""
    return KINDS.get(spec["type"], spec["type"])


def places(spec: Spec) -> int:
    """How many digits a decimal has behind its point."""
    return int(spec.get("decimal_places", 2))


def exact(spec: Spec, number: Decimal) -> str:
    """A decimal as it is shown."""
    kept = number.quantize(Decimal(1).scaleb(-places(spec)))
    if kept != number:
        raise Lost
    return str(kept)


def whole(number: Decimal) -> int:
    """A number as an integer."""
    if number != int(number):
        raise Lost
    return int(number)


def moment(text: str) -> str:
    """A point in time, as it is stored: a text without an offset names none."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise Lost
    return str(found)


def midnight(text: str) -> str:
    """The day of a point in time that has no time of day."""
    day, _, clock = text.partition(" ")
    if clock != "00:00:00+00:00":
        raise Lost
    return day


def truth(text: str) -> bool:
    """What a text says, as texts are made of booleans."""
    if text not in {"true", "false"}:
        raise Lost
    return text == "true"


Conversion = Callable[[Any, Spec, Spec], Any]
CONVERSIONS: dict[tuple[str, str], Conversion] = {
    ("bool", "text"): lambda value, _old, _new: str(value).lower(),
    ("bool", "int"): lambda value, _old, _new: int(value),
    ("float", "text"): lambda value, _old, _new: value,  # Its text is the database's own.
    ("float", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("float", "int"): lambda value, _old, _new: whole(Decimal(value)),
    ("decimal", "text"): lambda value, _old, _new: value,
    ("decimal", "float"): lambda value, _old, _new: float(value),
    ("decimal", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("decimal", "int"): lambda value, _old, _new: whole(Decimal(value)),
    ("int", "text"): lambda value, _old, _new: str(value),
    ("int", "float"): lambda value, _old, _new: float(value),
    ("int", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("date", "text"): lambda value, _old, _new: value,
    ("date", "datetime"): lambda value, _old, _new: f"{value} 00:00:00+00:00",
    ("datetime", "date"): lambda value, _old, _new: midnight(value),
    ("uuid", "text"): lambda value, _old, _new: value,
    ("text", "text"): lambda value, _old, _new: value,
    ("text", "bool"): lambda value, _old, _new: truth(value),
    ("text", "float"): lambda value, _old, _new: float(value),
    ("text", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("text", "int"): lambda value, _old, _new: int(value),
    ("text", "datetime"): lambda value, _old, _new: moment(value),
    ("text", "date"): lambda value, _old, _new: str(date.fromisoformat(value)),
    ("text", "uuid"): lambda value, _old, _new: str(UUID(value)),
}


def shown(spec: Spec, value: Any) -> Any:  # noqa: ANN401
    """A value that was written, as it is read again."""
    if value is None:
        return None
    if spec["type"] == "datetime":
        return str(datetime.fromisoformat(value))
    return exact(spec, Decimal(value)) if spec["type"] == "decimal" else value


def converted(value: Any, old: Spec, new: Spec) -> Any:  # noqa: ANN401
    """What a value becomes.

    Raises:
        Lost: nothing.
    """
    if value is None:
        return None
    before, after = kind(old), kind(new)
    if before != after or before in {"text", "decimal"}:
        try:
            value = CONVERSIONS[before, after](value, old, new)
        except (ArithmeticError, ValueError) as error:
            raise Lost from error
    length = new.get("max_length", LENGTHS.get(new["type"]))
    if after == "text" and length is not None and len(str(value)) > length:
        raise Lost
    return value


@dataclass
class Evolution:
    """Old answers, rows, new answers; what the rows are to hold then, unless it is refused."""

    old: dict[str, Any]
    new: dict[str, Any]
    rows: dict[str, Rows]
    after: Rows = field(default_factory=list)
    # Why it cannot be done, and why it cannot be undone, where rows stand in the way.
    refused: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    # The columns whose values come back when it is undone, and can be compared as they are stored.
    kept: list[str] = field(default_factory=lambda: ["title"])


def values(draw: DrawFn, spec: Spec, number: int) -> list[Any]:
    """The values of a field in some rows."""
    offered = VALUES[spec["type"]]
    if spec["type"] in {"str", "text"} and not spec.get("unique"):
        offered = draw(st.sampled_from([offered, *TEXTS]))
    pool = st.sampled_from(offered)
    length = spec.get("max_length")
    if length:
        pool = pool.filter(lambda value: len(value) <= length)
    pool = pool.map(lambda value: shown(spec, value))
    if spec.get("unique"):
        return draw(st.lists(pool, min_size=number, max_size=number, unique=True))
    if spec.get("required") is False:
        pool = st.none() | pool
    return draw(st.lists(pool, min_size=number, max_size=number))


@st.composite
def specs(draw: DrawFn) -> Spec:
    """A field of some type."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    spec: Spec = {"type": kind}
    if kind == "enum":
        spec["choices"] = CHOICES
    if kind == "str" and draw(st.booleans()):
        spec["max_length"] = draw(st.sampled_from([5, 20, 100]))
    if kind == "decimal" and draw(st.booleans()):
        spec["decimal_places"] = draw(st.sampled_from([2, 3, 5]))
    if draw(st.booleans()):
        spec["required"] = False
    if draw(st.booleans()):
        default = DEFAULTS[kind]
        if "max_length" not in spec or len(default) <= spec["max_length"]:
            spec["default"] = default
    if kind in COMPARED:
        flag = draw(st.sampled_from(["unique", "index", "", ""]))
        if flag:
            spec[flag] = True
    return spec


@st.composite
def successors(draw: DrawFn, old: Spec) -> Spec:
    """The same field, some time later."""
    ways = [
        "same",
        "same",
        "retyped",
        "retyped",
        "anew",
        "required",
        "unique",
        "default",
        "narrower",
    ]
    how = draw(st.sampled_from(ways))
    new = dict(old)
    if how == "anew":
        return draw(specs())
    if how == "retyped":
        able = [after for before, after in CONVERSIONS if before == kind(old)]
        fits = specs().filter(lambda spec: kind(spec) in able)
        later = draw(fits) if able else dict(old)
        later.pop("unique", None)
        return later | ({"required": False} if old.get("required") is False else {})
    if how == "required":
        new["required"] = new.get("required", True) is False
    if how == "unique" and old["type"] in COMPARED:
        new.pop("index", None)
        new["unique"] = not new.get("unique", False)
    if how == "default":
        new.pop("default", None)
    if how == "narrower" and old["type"] == "str":
        new["max_length"] = draw(st.sampled_from([4, 9, 60]))
        new.pop("default", None)
    if how == "narrower" and old["type"] == "decimal":
        new["decimal_places"] = draw(st.sampled_from([1, 2, 4]))
        new.pop("default", None)
    return new


class Walk:
    """Goes from an old field to its new one, and notes what becomes of the rows."""

    def __init__(
        self, found: Evolution, number: int, hidden_before: list[bool], hidden: list[bool]
    ) -> None:
        self.found = found
        self.number = number
        self.shown = hidden_before.count(False)
        # A unique index leaves out what is hidden, if rows stay hidden.
        self.counted = [not one for one in hidden]

    def fill(self, name: str, new: Spec, given: list[Any]) -> list[Any]:
        """Put the default where a required column has nothing."""
        default = shown(new, new.get("default"))
        if new.get("required") is False or None not in given:
            return given
        if default is None:
            self.found.refused.append(f"{name} is required")
        return [default if value is None else value for value in given]

    def change(self, names: tuple[str, str], old: Spec, new: Spec, given: list[Any]) -> list[Any]:
        """Keep the values of a field, which may get another name."""
        before, name = names
        kinds = kind(old), kind(new)
        if kinds[0] != kinds[1] and kinds not in CONVERSIONS:
            if self.number:
                self.found.refused.append(f"{name}: {kinds[0]} is never {kinds[1]}")
            return given
        try:
            kept = [converted(value, old, new) for value in given]
        except Lost:
            self.found.refused.append(f"{name} loses values")
            return given
        kept = self.fill(name, new, kept)
        self.compare(name, new, kept)
        back = self.undo(before, old, new, kept)
        if back == given and old["type"] in ALIKE:
            self.found.kept.append(before)
        return kept

    def undo(self, name: str, old: Spec, new: Spec, kept: list[Any]) -> list[Any] | None:
        """Bring a field back to what it was, or note what stands in the way."""
        kinds = kind(new), kind(old)
        if kinds[0] != kinds[1] and kinds not in CONVERSIONS and self.number:
            self.found.stuck.append(f"{name}: {kinds[0]} is never {kinds[1]}")
            return None
        try:
            return [converted(value, new, old) for value in kept]
        except Lost:
            self.found.stuck.append(f"{name} loses values")
            return None

    def add(self, name: str, new: Spec) -> list[Any]:
        """Give rows a field that they had not: its default, which may be null."""
        default = shown(new, new.get("default"))
        if default is None and new.get("required") is not False and self.number:
            self.found.refused.append(f"{name} is required")
        given = [default] * self.number
        self.compare(name, new, given)
        return given

    def remove(self, name: str, old: Spec) -> None:
        """Note what stands in the way of bringing a field back."""
        if old.get("unique") and old.get("required") is not False and self.shown > 1:
            self.found.stuck.append(f"{name} is unique")

    def compare(self, name: str, new: Spec, given: list[Any]) -> None:
        """Note doubles where there may be none."""
        seen = [
            str(value)
            for value, counts in zip(given, self.counted, strict=True)
            if value is not None and counts
        ]
        if new.get("unique") and len(set(seen)) < len(seen):
            self.found.refused.append(f"{name} occurs twice")


@st.composite
def evolutions(draw: DrawFn) -> Evolution:
    """A pair of answers that have fields in common."""
    number = draw(st.integers(0, 4))
    names = ["amount", "group", "moment", "note"][: draw(st.integers(1, 4))]
    old_fields: dict[str, Spec] = {"title": TITLE} | {name: draw(specs()) for name in names}
    new_fields: dict[str, Spec] = {"title": TITLE}
    toggles = ("soft_delete", "timestamps")
    old: dict[str, Any] = {name: draw(st.booleans()) for name in toggles}
    new: dict[str, Any] = {
        name: draw(st.sampled_from([value, value, not value])) for name, value in old.items()
    }
    rows: Rows = [{"title": f"row {row}"} for row in range(number)]
    after: Rows = [dict(row) for row in rows]
    hidden = [old["soft_delete"] and draw(st.integers(0, 3)) == 3 for _ in rows]
    found = Evolution(old, new, {"tasks": rows}, after)
    walk = Walk(found, number, hidden, hidden if new["soft_delete"] else [False] * number)
    for name in names:
        spec = old_fields[name]
        given = values(draw, spec, number)
        for row, value in zip(rows, given, strict=True):
            row[name] = value
        fate = draw(st.sampled_from(["changed", "changed", "renamed", "removed"]))
        if fate == "removed":
            walk.remove(name, spec)
            continue
        later = name if fate == "changed" else f"new_{name}"
        successor = draw(successors(spec))
        if fate == "renamed":
            successor = successor | {"renamed_from": name}
        new_fields[later] = successor
        for row, value in zip(
            after, walk.change((name, later), spec, successor, given), strict=True
        ):
            row[later] = value
    for name in ["extra", "further"][: draw(st.integers(0, 2))]:
        new_fields[name] = draw(specs()) | draw(st.sampled_from([{}, {"required": False}]))
        for row, value in zip(after, walk.add(name, new_fields[name]), strict=True):
            row[name] = value
    for row, hides in zip(rows, hidden, strict=True):
        if old["soft_delete"]:
            row["deleted_at"] = "2026-01-01T00:00:00Z" if hides else None
    if any(hidden) and not new["soft_delete"]:
        found.refused.append("rows are hidden")
    if old["soft_delete"] and not new["soft_delete"]:
        # What was hidden, and is counted again, stops it in any case.
        walk.counted = [True] * number
    old["fields"], new["fields"] = old_fields, new_fields
    relate(draw, found)
    return found


def relate(draw: DrawFn, found: Evolution) -> None:
    """Let resources and relations come and go; no row refers to anything."""
    project = {"name": "project", "fields": {"name": "str"}, "operations": []}
    for answers in (found.old, found.new):
        answers["more_resources"] = []
        if draw(st.booleans()):
            answers["more_resources"] = [project]
            if draw(st.booleans()):
                answers["fields"]["label"] = {"type": "references", "to": "project"}
            if draw(st.booleans()):
                answers["fields"]["project"] = {
                    "type": "reference",
                    "to": "project",
                    "required": False,
                    "on_delete": draw(st.sampled_from(["set_null", "cascade", "restrict"])),
                }
