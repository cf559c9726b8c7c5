"""Compare two JSON Schemas of OpenAPI documents: does the new one still suit the clients of the old?

A request must be accepted if it was accepted before, so its schema may only become wider. A response
must be one that clients expect, so its schema may only become narrower: `wide` and `narrow` are the
new and the old schema of a request, and the old and the new schema of a response.

Schemas are data: whatever has an unexpected form is treated as absent.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from scripts.openapi_patterns import lost_words, widens

Schema = dict[str, Any]

PREFIX = "#/components/schemas/"
# Formats that say how to show or store a value, not which values there are.
WITHOUT_EFFECT = ("password", "binary", "byte", "int32", "int64", "float", "double")
# The limits of a value: their name, whether they are upper limits, and whether the limit is excluded.
LIMITS = (
    ("minimum", False, False),
    ("exclusiveMinimum", False, True),
    ("maximum", True, False),
    ("exclusiveMaximum", True, True),
    ("minLength", False, False),
    ("maxLength", True, False),
    ("minItems", False, False),
    ("maxItems", True, False),
)
KINDS = {
    "minimum": "minimum",
    "exclusiveMinimum": "minimum",
    "maximum": "maximum",
    "exclusiveMaximum": "maximum",
}


@dataclass(frozen=True)
class Change:
    """A change of the API: where, what, and whether it breaks clients."""

    where: str
    text: str
    breaking: bool = True


def mapping(value: Any) -> dict[str, Any]:
    """Return an object of the document, or an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """Return an array of the document, or an empty one."""
    return value if isinstance(value, list) else []


def schemas_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the named schemas of a document."""
    return mapping(mapping(document.get("components")).get("schemas"))


def alternatives(schema: Any, named: dict[str, Any], seen: frozenset[str]) -> Iterator[Schema]:
    """Yield the schemas of which a value matches one; each has one type, or any.

    References are replaced; the key `$name` is the name of the schema that they led to.
    """
    if schema is False:
        return
    schema = mapping(schema)
    reference = schema.get("$ref")
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    if isinstance(reference, str) and reference not in seen:
        name = reference.removeprefix(PREFIX).replace("~1", "/").replace("~0", "~")
        target = mapping(named.get(name)) or {"$unknown": reference}
        yield from alternatives({**target, **rest, "$name": name}, named, seen | {reference})
        return
    if "allOf" in rest:
        parts = listing(rest.pop("allOf"))
        for combined in product(*(list(alternatives(part, named, seen)) for part in parts)):
            yield from alternatives(merged([*combined, rest]), named, seen)
        return
    for key in ("anyOf", "oneOf"):
        if key in rest:
            for option in listing(rest.pop(key)):
                yield from alternatives({**rest, **mapping(option)}, named, seen)
            return
    types = rest.get("type")
    for each in types if isinstance(types, list) else [types]:
        yield {**rest, "type": each if isinstance(each, str) else None}


def merged(parts: list[Schema]) -> Schema:
    """Return one schema that requires what all parts require."""
    whole: Schema = {}
    for part in parts:
        properties = {**mapping(whole.get("properties")), **mapping(part.get("properties"))}
        required = [*listing(whole.get("required")), *listing(part.get("required"))]
        whole |= {key: value for key, value in part.items() if value is not None}
        whole |= {"properties": properties, "required": required}
    return whole


def choices(schema: Schema) -> list[Any] | None:
    """Return the only values that a schema accepts, if it lists them."""
    if "const" in schema:
        return [schema["const"]]
    return listing(schema["enum"]) if "enum" in schema else None


def words(values: list[Any]) -> str:
    """Return values as a list to read."""
    return ", ".join(map(str, values))


def kind(schema: Schema) -> str:
    """Return the type of a value in words."""
    name = str(schema.get("type") or "any")
    format_ = schema.get("format")
    return f"{name} ({format_})" if format_ and format_ not in WITHOUT_EFFECT else name


def kinds(schemas: list[Schema]) -> str:
    """Return the types of several alternatives in words."""
    return " or ".join(dict.fromkeys(map(kind, schemas))) or "nothing"


def accepts(wide: Schema, narrow: Schema) -> bool:
    """Return whether a type includes another."""
    if wide.get("$unknown") != narrow.get("$unknown"):
        return False
    if wide.get("type") not in {None, narrow.get("type")} and not (
        wide.get("type") == "number" and narrow.get("type") == "integer"
    ):
        return False
    return wide.get("format") in (None, narrow.get("format"), *WITHOUT_EFFECT)


def number(value: Any) -> Decimal | None:
    """Return a finite number of the document, exactly as it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return Decimal(str(value))


def limit(schema: Schema, name: str) -> tuple[Decimal, bool] | None:
    """Return the stricter of a limit and the limit that is excluded itself, as comparable values."""
    found = []
    for key, upper, excluded in LIMITS:
        value = number(schema.get(key))
        if KINDS.get(key, key) == name and value is not None:
            found.append((-value if upper else value, excluded))
    return max(found, default=None)


class Comparison:
    """Compares schemas of two documents, in requests or in responses."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any], *, request: bool) -> None:
        """Read the named schemas."""
        self.old = schemas_of(old)
        self.new = schemas_of(new)
        self.request = request
        self.within = " in requests" if request else " in responses"

    def compare(
        self, where: str, old: Any, new: Any, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> list[Change]:
        """Return the changes between two schemas."""
        olds = list(alternatives(old, self.old, frozenset()))
        news = list(alternatives(new, self.new, frozenset()))
        changes = []
        wide, narrow = (news, olds) if self.request else (olds, news)
        accepted = {each["type"] for each in wide}
        for each in narrow:
            if each["type"] == "null" and not accepted & {"null", None}:
                text = "null is no longer accepted" if self.request else "can now be null"
                changes.append(Change(where, text + self.within))
        typed = [[each for each in side if each["type"] != "null"] for side in (olds, news)]
        found: list[Change] = []
        for each in narrow:
            if each["type"] == "null":
                continue
            candidates = [other for other in wide if accepts(other, each)]
            if not candidates:
                text = f"type {kinds(typed[0])} → {kinds(typed[1])}"
                return [*changes, Change(where, text + self.within)]
            results = [self._details(where, each, other, seen) for other in candidates]
            found += min(results, key=lambda some: sum(change.breaking for change in some))
        return changes + found

    def _details(
        self, where: str, narrow: Schema, wide: Schema, seen: frozenset[tuple[str, str]]
    ) -> list[Change]:
        """Return the changes between two alternatives whose types agree."""
        old, new = (narrow, wide) if self.request else (wide, narrow)
        names = (str(old.get("$name")), str(new.get("$name")))
        if "$name" in old and "$name" in new:
            if names in seen:
                return []
            seen |= {names}
        where = str(old.get("$name", where))
        changes = self._values(where, old, new)
        if self.request:
            changes += self._limits(where, old, new)
        if old["type"] == new["type"]:
            changes += self._fields(where, old, new, seen)
        if "items" in wide:
            changes += self.compare(f"{where}[]", old.get("items"), new.get("items"), seen)
        any_before, any_after = (mapping(each.get("additionalProperties")) for each in (old, new))
        closed = [each.get("additionalProperties") is False for each in (old, new)]
        if self.request and closed == [False, True] and not old.get("properties"):
            changes.append(Change(where, "any other fields are no longer accepted in requests"))
        if any_before or any_after:
            changes += self.compare(f"{where}.*", any_before, any_after, seen)
        return changes

    def _values(self, where: str, old: Schema, new: Schema) -> list[Change]:
        """Return the changes of listed values."""
        before, after = choices(old), choices(new)
        if before is None and after is not None and self.request:
            text = f"only accepts {words(after)} now"
        elif before is not None and after is None and not self.request:
            text = f"can be any {kind(new)}, no longer only {words(before)}"
        elif before is None or after is None:
            return []
        elif self.request and (gone := [value for value in before if value not in after]):
            text = f"no longer accepts {words(gone)}"
        elif added := [value for value in after if value not in before]:
            does = "also accepts" if self.request else "can also be"
            return [Change(where, f"{does} {words(added)}{self.within}", breaking=False)]
        else:
            return []
        return [Change(where, text + self.within)]

    def _limits(self, where: str, old: Schema, new: Schema) -> list[Change]:
        """Return the limits of requests that are stricter."""
        found = []
        for name in dict.fromkeys(KINDS.get(key, key) for key, _, _ in LIMITS):
            before, after = limit(old, name), limit(new, name)
            if after is not None and (before is None or after > before):
                was = "none" if before is None else abs(before[0])
                found.append(f"{name} {was} → {abs(after[0])}")
        if new.get("uniqueItems") is True and old.get("uniqueItems") is not True:
            found.append("items must be unique")
        step, finer = number(old.get("multipleOf")), number(new.get("multipleOf"))
        if finer and (step is None or step % finer):
            found.append(f"must be a multiple of {finer}")
        before, after = (each.get("pattern") for each in (old, new))
        if isinstance(after, str) and not (isinstance(before, str) and widens(before, after)):
            lost = words(lost_words(str(before), after))
            found.append(f"no longer accepts {lost}" if lost else f"pattern {before} → {after}")
        return [Change(where, text + self.within) for text in found]

    def _fields(
        self, where: str, old: Schema, new: Schema, seen: frozenset[tuple[str, str]]
    ) -> list[Change]:
        """Return the changes of the fields of an object."""
        before, after = mapping(old.get("properties")), mapping(new.get("properties"))
        needed_before, needed = listing(old.get("required")), listing(new.get("required"))
        changes = []
        for name in before | after:
            field = f"{where}.{name}"
            if name not in after:
                changes.append(Change(field, "removed" + self.within))
                continue
            if name not in before:
                breaking = self.request and name in needed
                text = "added, and required" if breaking else "added"
                changes.append(Change(field, text + self.within, breaking=breaking))
                continue
            if self.request and name in needed and name not in needed_before:
                changes.append(Change(field, "now required in requests"))
            if not self.request and name in needed_before and name not in needed:
                changes.append(Change(field, "can be absent in responses"))
            changes += self.compare(field, before[name], after[name], seen)
        return changes
