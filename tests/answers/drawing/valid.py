"""Sets of answers that follow every rule."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.answers.drawing.fields import options
from tests.answers.drawing.names import names
from tests.answers.drawing.rules import (
    LONGEST_CONSTRAINT,
    RANGED,
    SUFFIXES,
    TYPES,
    Answers,
    Spec,
    class_of,
    free_for_field,
    free_for_table,
    kind_of,
    looks_plural,
    plural_of,
    reserved,
)
from tests.answers.drawing.texts import texts
from tests.support.rendering import choices, questions


@dataclass
class Resource:
    """A resource that is being drawn."""

    name: str
    plural: str
    computed: bool
    scoped: bool
    fields: dict[str, Any] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    def filters(self) -> set[str]:
        """Return the names of the filters for ranges and for null."""
        ranged = [name for name, spec in self.fields.items() if kind_of(spec) in RANGED]
        ranges = {f"{name}_{end}" for name in ranged for end in ("gte", "lte")}
        return ranges | {f"{key}_is_null" for key in self.keys}

    def clashes(self, other: "Resource") -> bool:
        """Return whether the names of two resources clash."""
        if {self.name, self.plural} & {other.name, other.plural}:
            return True
        if class_of(self.name) == class_of(other.name):
            return True
        for a, b in ((self, other), (other, self)):
            rest = a.name.removeprefix(f"{b.name}_")
            if rest != a.name and rest.endswith("_link"):
                return True
        return False


@st.composite
def resources(draw: DrawFn) -> list[Resource]:
    """Draw resources without fields."""
    found: list[Resource] = []
    wanted = draw(st.sampled_from([1, 1, 2, 3, 4, 6]))
    for name in draw(st.lists(names(), min_size=wanted, max_size=wanted + 4, unique=True)):
        plural = plural_of(name)
        needed = looks_plural(name) or not free_for_table(plural, name)
        given = needed or draw(st.integers(0, 3)) == 3
        if given:
            plural = draw(names(38))
        scoped = draw(st.sampled_from([True, True, False]))
        one = Resource(name, plural, not given, scoped)
        free = name not in reserved.RESOURCES and free_for_table(plural, name)
        if free and len(found) < wanted and not any(one.clashes(other) for other in found):
            found.append(one)
    return found or [Resource("task", "tasks", computed=True, scoped=True)]


def links(resource: Resource) -> Iterator[str]:
    """Yield the names of the link tables of a resource."""
    for name, spec in resource.fields.items():
        if kind_of(spec) == "references":
            yield f"{resource.plural}_{plural_of(name)}"


@st.composite
def relation(draw: DrawFn, kind: str, name: str, home: int, known: list[Resource]) -> Spec | None:
    """Draw a valid reference, or return None."""
    own = known[home]
    target = draw(st.sampled_from(known))
    if target.scoped and not own.scoped:
        return None
    spec: Spec = {"type": kind, "to": target.name}
    if kind == "references":
        link = f"{own.plural}_{plural_of(name)}"
        constraints = [
            f"fk_{link}_{own.name}_id_{own.plural}",
            f"fk_{link}_{name}_id_{target.plural}",
            f"ix_{link}_{name}_id_{own.name}_id",
        ]
        tables = {table for each in known for table in (each.plural, *links(each))}
        if name == own.name or link in tables or max(map(len, constraints)) > LONGEST_CONSTRAINT:
            return None
        if draw(st.booleans()):
            spec |= draw(st.sampled_from([{"default": []}, {"required": False}, {"unique": False}]))
        return spec
    if len(f"fk_{own.plural}_{name}_id_{target.plural}") > LONGEST_CONSTRAINT:
        return None
    # Required references go only to later resources, so that there is no cycle.
    if known.index(target) <= home or draw(st.booleans()):
        spec["required"] = False
    rules = ["restrict", "cascade", *(["set_null"] if spec.get("required") is False else [])]
    if draw(st.booleans()):
        spec["on_delete"] = draw(st.sampled_from(rules))
    if spec.get("required") is False and draw(st.integers(0, 4)) == 4:
        spec["default"] = None
    return spec


@st.composite
def fields(  # noqa: PLR0912
    draw: DrawFn, home: int, known: list[Resource]
) -> dict[str, Any]:
    """Draw the fields of a resource."""
    own = known[home]
    former: set[str] = set()
    count = draw(st.sampled_from([1, 2, 3, 5, 8]))
    drawn = draw(st.lists(names(), min_size=count, max_size=count, unique=True))
    if draw(st.integers(0, 2)) == 2:
        drawn.append("completed")
    for name in drawn:
        kind = draw(st.sampled_from([*TYPES, *SUFFIXES]))
        if name == "completed" and draw(st.booleans()):
            kind = "bool"
        key = name + SUFFIXES.get(kind, "")
        filters = {f"{key}_is_null"}
        if kind in RANGED:
            filters |= {f"{name}_gte", f"{name}_lte"}
        if (
            not (free_for_field(name) and free_for_field(key))
            or key in own.keys | own.filters()
            or name in own.fields
            or filters & own.keys
        ):
            continue
        if kind in SUFFIXES:
            spec = draw(relation(kind, name, home, known))
            if spec is None:
                continue
        else:
            spec = {"type": kind} | draw(options(kind))
            if draw(st.integers(0, 2)) == 2:
                spec["required"] = draw(st.booleans())
            if spec.get("required") is False and "default" not in spec and draw(st.booleans()):
                spec["default"] = None
        if kind != "references" and draw(st.integers(0, 3)) == 3:
            spec["unique"] = draw(st.sampled_from([True, True, False]))
        if kind != "references" and draw(st.integers(0, 3)) == 3:
            spec["index"] = draw(st.sampled_from([True, True, False]))
        if len(f"uq_{own.plural}_user_id_{key}_not_deleted") > LONGEST_CONSTRAINT:
            spec.pop("unique", None)
        indexed = spec.get("index") or kind == "reference"
        if indexed and len(f"ix_{own.plural}_user_id_{key}") > LONGEST_CONSTRAINT:
            spec.pop("index", None)
            if kind == "reference":
                continue
        if draw(st.integers(0, 3)) == 3:
            spec["description"] = draw(texts(200))
        if draw(st.integers(0, 9)) == 9:
            old = draw(names())
            if old not in {*drawn, *former}:
                former.add(old)
                spec["renamed_from"] = old
        bare = len(spec) == 1 and draw(st.booleans())
        own.fields[name] = kind if bare else spec
        own.keys.add(key)
    if not own.fields:
        own.fields["title"] = "str"
    return own.fields


def allowed(fields: dict[str, Any]) -> list[str]:
    """Return the operations that the fields allow."""
    kinds = {kind_of(spec) for spec in fields.values()}
    completes = "completed" in fields and kind_of(fields["completed"]) == "bool"
    return [
        *(["complete"] if completes else []),
        *("stats", "bulk"),
        *(["search"] if kinds & {"str", "text"} else []),
    ]


SEGMENTS = st.one_of(
    st.sampled_from(["api", "v1", "API", "~a_b-c", "v1.0", "...", "-", "tasks", "auth", "user_id"]),
    st.from_regex(r"[A-Za-z0-9._~-]{1,8}", fullmatch=True),
)


@st.composite
def prefixes(draw: DrawFn) -> str:
    """Draw a value of api_prefix."""
    segments = [
        each
        for each in draw(st.lists(SEGMENTS, min_size=1, max_size=3))
        if each not in {".", ".."} and each.lower() not in reserved.PATHS
    ]
    return "".join(f"/{segment}" for segment in segments) or "/api"


@st.composite
def valid(draw: DrawFn) -> Answers:  # noqa: PLR0912
    """Draw a set of answers that follows every rule."""
    known = draw(resources())
    for number in range(len(known)):
        draw(fields(number, known))
    main, *further = known
    answers: Answers = {"resource_name": main.name, "fields": main.fields}
    if not main.computed:
        answers["resource_plural"] = main.plural
    if not main.scoped:
        answers["user_scoped"] = False
    more = []
    for one in further:
        entry: Answers = {"name": one.name, "fields": one.fields}
        if not one.computed:
            entry["plural"] = one.plural
        if not one.scoped or draw(st.booleans()):
            entry["user_scoped"] = one.scoped
        if draw(st.booleans()):
            entry["operations"] = draw(st.lists(st.sampled_from(allowed(one.fields)), unique=True))
        more.append(entry)
    if more:
        answers["more_resources"] = more
    if draw(st.booleans()):
        answers["operations"] = draw(st.lists(st.sampled_from(allowed(main.fields)), unique=True))
    for name, longest in (("project_name", 80), ("project_description", 300)):
        if draw(st.booleans()):
            answers[name] = draw(texts(longest))
    if draw(st.integers(0, 3)) == 3:
        answers["api_prefix"] = draw(prefixes())
    for name, question in questions().items():
        offered = choices(question)
        if offered and not question.get("multiselect") and name != "user_scoped":
            value = draw(st.sampled_from([*offered, None]))
            if value is not None:
                answers[name] = value
    if answers.get("auth") == "external" and answers.get("mail"):
        answers["mail"] = False
    return answers
