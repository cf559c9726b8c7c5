"""A strategy for changes of answers, with rows and the expected rows after the migration."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.migrations.conversions import CONVERSIONS, Lost, Spec, converted, kind, shown
from tests.migrations.rows import Rows

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
# Strings that can be parsed as the same type.
STRINGS = [
    ["12", "-7", "0", "3", "120"],
    ["1.5", "-2.00", "12.25", "7"],
    ["true", "false"],
    ["2030-01-31", "2024-02-29"],
    ["2030-01-31T10:00:00+00:00", "2024-02-29T00:00:00Z"],
    VALUES["uuid"],
]
DEFAULTS = {kind: values[-1] for kind, values in VALUES.items()} | {"text": "words"}
# Types whose values are the same with and without a model, on both databases.
ALIKE = {"str", "text", "enum", "int", "float", "bool", "date", "list", "json"}
COMPARED = ("str", "int", "uuid", "date", "decimal")
# Every table has a title, which identifies its rows.
TITLE: Spec = {"type": "str", "max_length": 50}


@dataclass
class DrawnChange:
    """Old answers, rows, new answers, and the expected rows or reasons for a rejection."""

    old: dict[str, Any]
    new: dict[str, Any]
    rows: dict[str, Rows]
    after: Rows = field(default_factory=list)
    # The reasons why rows prevent the upgrade or the downgrade.
    rejected: list[str] = field(default_factory=list)
    irreversible: list[str] = field(default_factory=list)
    # The columns that a downgrade restores and whose stored values can be compared.
    kept: list[str] = field(default_factory=lambda: ["title"])


def values(draw: DrawFn, spec: Spec, number: int) -> list[Any]:
    """Draw the values of a field, one for each row."""
    offered = VALUES[spec["type"]]
    if spec["type"] in {"str", "text"} and not spec.get("unique"):
        offered = draw(st.sampled_from([offered, *STRINGS]))
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
    """Draw a field of any type."""
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
    """Draw a changed version of a field."""
    kinds = [
        "same",
        "same",
        "retyped",
        "retyped",
        "replaced",
        "required",
        "unique",
        "default",
        "narrower",
    ]
    how = draw(st.sampled_from(kinds))
    new = dict(old)
    if how == "replaced":
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


class Expectations:
    """Collects what a change of the fields does to the rows."""

    def __init__(
        self, found: DrawnChange, number: int, deleted_before: list[bool], deleted: list[bool]
    ) -> None:
        self.found = found
        self.number = number
        self.shown = deleted_before.count(False)
        # A unique index does not contain soft-deleted rows.
        self.counted = [not one for one in deleted]

    def fill(self, name: str, new: Spec, given: list[Any]) -> list[Any]:
        """Replace the nulls of a required column by its default."""
        default = shown(new, new.get("default"))
        if new.get("required") is False or None not in given:
            return given
        if default is None:
            self.found.rejected.append(f"{name} is required")
        return [default if value is None else value for value in given]

    def change(self, names: tuple[str, str], old: Spec, new: Spec, given: list[Any]) -> list[Any]:
        """Return the values of a field that is changed, and possibly renamed."""
        before, name = names
        kinds = kind(old), kind(new)
        if kinds[0] != kinds[1] and kinds not in CONVERSIONS:
            if self.number:
                self.found.rejected.append(f"{name}: {kinds[0]} cannot become {kinds[1]}")
            return given
        try:
            kept = [converted(value, old, new) for value in given]
        except Lost:
            self.found.rejected.append(f"{name} loses values")
            return given
        kept = self.fill(name, new, kept)
        self.compare(name, new, kept)
        back = self.undo(before, old, new, kept)
        if back == given and old["type"] in ALIKE:
            self.found.kept.append(before)
        return kept

    def undo(self, name: str, old: Spec, new: Spec, kept: list[Any]) -> list[Any] | None:
        """Return the values after the downgrade, or record why rows prevent it."""
        kinds = kind(new), kind(old)
        if kinds[0] != kinds[1] and kinds not in CONVERSIONS and self.number:
            self.found.irreversible.append(f"{name}: {kinds[0]} cannot become {kinds[1]}")
            return None
        try:
            return [converted(value, new, old) for value in kept]
        except Lost:
            self.found.irreversible.append(f"{name} loses values")
            return None

    def add(self, name: str, new: Spec) -> list[Any]:
        """Return the values of a field that is added: its default, or null."""
        default = shown(new, new.get("default"))
        if default is None and new.get("required") is not False and self.number:
            self.found.rejected.append(f"{name} is required")
        given = [default] * self.number
        self.compare(name, new, given)
        return given

    def remove(self, name: str, old: Spec) -> None:
        """Record whether the downgrade can add a removed field again."""
        if old.get("unique") and old.get("required") is not False and self.shown > 1:
            self.found.irreversible.append(f"{name} is unique")

    def compare(self, name: str, new: Spec, given: list[Any]) -> None:
        """Record duplicates in a unique field."""
        seen = [
            str(value)
            for value, counts in zip(given, self.counted, strict=True)
            if value is not None and counts
        ]
        if new.get("unique") and len(set(seen)) < len(seen):
            self.found.rejected.append(f"{name} occurs twice")


@st.composite
def drawn_changes(draw: DrawFn) -> DrawnChange:
    """Draw two sets of answers with common fields, and rows."""
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
    deleted = [old["soft_delete"] and draw(st.integers(0, 3)) == 3 for _ in rows]
    found = DrawnChange(old, new, {"tasks": rows}, after)
    expected = Expectations(
        found, number, deleted, deleted if new["soft_delete"] else [False] * number
    )
    for name in names:
        spec = old_fields[name]
        given = values(draw, spec, number)
        for row, value in zip(rows, given, strict=True):
            row[name] = value
        action = draw(st.sampled_from(["changed", "changed", "renamed", "removed"]))
        if action == "removed":
            expected.remove(name, spec)
            continue
        later = name if action == "changed" else f"new_{name}"
        successor = draw(successors(spec))
        if action == "renamed":
            successor = successor | {"renamed_from": name}
        new_fields[later] = successor
        for row, value in zip(
            after, expected.change((name, later), spec, successor, given), strict=True
        ):
            row[later] = value
    for name in ["extra", "further"][: draw(st.integers(0, 2))]:
        new_fields[name] = draw(specs()) | draw(st.sampled_from([{}, {"required": False}]))
        for row, value in zip(after, expected.add(name, new_fields[name]), strict=True):
            row[name] = value
    for row, is_deleted in zip(rows, deleted, strict=True):
        if old["soft_delete"]:
            row["deleted_at"] = "2026-01-01T00:00:00Z" if is_deleted else None
    if any(deleted) and not new["soft_delete"]:
        found.rejected.append("rows are soft-deleted")
    if old["soft_delete"] and not new["soft_delete"]:
        # The migration is rejected if rows would become visible.
        expected.counted = [True] * number
    old["fields"], new["fields"] = old_fields, new_fields
    draw_relations(draw, found)
    return found


def draw_relations(draw: DrawFn, found: DrawnChange) -> None:
    """Add and remove resources and relations; no row refers to another."""
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
