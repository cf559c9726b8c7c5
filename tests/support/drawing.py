"""Whole sets of answers, drawn by Hypothesis: what must work, what must be refused, and neither.

`valid` keeps every rule that the README and docs/reserved-names.md state. `broken` breaks one of
them, and knows whose fault that is. `careless` changes a valid set at random places, and knows
nothing: what comes of it is refused, or works.
"""

import copy
import math
import os
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.support.hooks import module
from tests.support.rendering import choices, questions, sources

DRAWN = os.environ.get("TEST_DRAWN", "")
# Each worker of pytest-xdist has to draw the same.
RUN = int(os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(4))[:8], 16)
SEED = int(os.environ.get("TEST_SEED", RUN if DRAWN else 1))

Answers = dict[str, Any]

reserved = module("check/reserved")
RULES = module("check/values")
TYPES: dict[str, list[str]] = RULES.OPTIONS
SCALARS = [name for name in TYPES if name not in {"reference", "references"}]
RANGED = {"int", "float", "decimal", "date", "datetime"}
SUFFIXES = {"reference": "_id", "references": "_ids"}
DEFAULT_LENGTHS = {"str": 255, "email": 254, "url": 2048}
SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_CONSTRAINT = 63
INT = 2**31

# ------------------------------------------------------------------------------------------ names

COMMON = [
    *(
        "task",
        "person",
        "category",
        "box",
        "child",
        "bus",
        "news",
        "matrix",
        "day",
        "key",
        "series",
    ),
    *("order", "group", "select", "table", "where", "user", "column", "default", "check", "index"),
    *("type", "match", "case", "status", "completed", "name", "data", "hash", "value", "items"),
    *("yes", "no", "on", "off", "null", "y", "n", "l", "o", "i", "e", "x", "t1", "a1b2", "utf8"),
    *(
        "t2",
        "t10",
        "t010",
        "a_b",
        "aa",
        "uuid4",
        "property",
        "format",
        "input",
        "print",
        "slice",
        "super",
        "exit",
        "range",
        "email",
    ),
    *("title", "titles", "title_gte", "due", "due_lte", "total", "parent", "parent_id", "label"),
    *("label_ids", "owner", "password", "secret", "token", "timestamp", "version", "note", "job"),
]


def words_of_the_code() -> list[str]:
    """Each name in the template's Python, in snake_case: the likeliest to meet one of an answer."""
    found = set()
    for path in sources("template"):
        if ".py" in path.name:
            for word in re.findall(r"[A-Za-z_]\w*", path.read_text(encoding="utf-8")):
                found.add(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower().strip("_"))
    return sorted(word for word in found if SNAKE_CASE.fullmatch(word) and len(word) <= 30)


WORDS = st.one_of(
    st.sampled_from(COMMON),
    st.sampled_from(words_of_the_code()),
    st.from_regex(r"[a-z][a-z0-9]{0,3}(_[a-z0-9]{1,4}){0,2}", fullmatch=True),
)


@st.composite
def names(draw: DrawFn, limit: int = 40) -> str:
    """A name in snake_case: a word, some words, or as long as may be."""
    parts = draw(st.lists(WORDS, min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 2, 3]))))
    if draw(st.integers(0, 7)) == 7:
        parts = list(islice(cycle(parts), 20))
        limit -= draw(st.integers(0, 2))
    return "_".join(parts)[:limit].rstrip("_")


def free_for_field(name: str) -> bool:
    """May a field be called so?"""
    return name not in reserved.FIELDS and not re.search(reserved.FIELD_PATTERN, name)


def free_for_table(plural: str, name: str) -> bool:
    """May a resource of that name have such a plural?"""
    return (
        len(plural) <= 38
        and plural != name
        and plural not in reserved.PLURALS
        and not re.search(reserved.PLURAL_PATTERN, plural)
    )


def plural_of(name: str) -> str:
    """The plural that is computed."""
    return str(module("write/names").plural(name))


def class_of(name: str) -> str:
    """The name of a resource's class."""
    return "".join(word.capitalize() for word in name.split("_"))


# ------------------------------------------------------------------------------------------ texts

HOSTILE = [
    "It's \"quoted\" '''thrice''' \"\"\"",
    "\\ \\N{BULLET} \\x41 \\u0041 \\",
    "{{ 7 + 7 }} {% raw %} {# note #} {0} {name} {",
    "${{ secrets.X }} $HOME %s %(a)s `tick`",
    "# hash --> */ <b> & | *bold* _it_ [a](b) ~x~",
    "SELECT * FROM t WHERE a = 1",
    *("'", '"', "\\", "{", "}", "#", "-", "- a", "1. b", "a: b", "yes", "null", "~", "2024-01-01"),
    *("/var/tmp/x", "0.0.0.0", "# noqa", "# type: ignore", "TODO: x", " padded ", "True", "0x1f"),
    *(
        "é 🦊 日本語",
        "👩\u200d👩\u200d👧",
        "e\u0301",
        "ﬁ",
        "\u00a0x",
        "x\u00ad",
        "ß",
        "İ",
        "\u2060",
    ),
    *("؟ سلام", "1e3", ".inf", "|", ">", "%", "@", "!", "&a", "*a", "?", ",", "[", "]"),
]
INVISIBLE = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
CHARACTERS = st.characters(
    exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters=INVISIBLE
)


@st.composite
def texts(draw: DrawFn, longest: int, shortest: int = 0, *, blank: bool = False) -> str:
    """A text of one line whose length is in these bounds."""
    text = draw(
        st.one_of(
            st.sampled_from(HOSTILE),
            st.lists(st.sampled_from(HOSTILE), max_size=4).map(" ".join),
            st.text(CHARACTERS, max_size=30),
            st.builds(lambda piece: piece * longest, st.sampled_from(["x", "é", "🦊", "'", '"'])),
        )
    )[:longest]
    text += "x" * (shortest - len(text))
    return text if blank or text.strip() else "x" * max(1, shortest)


# ----------------------------------------------------------------------------------------- fields

Spec = dict[str, Any]


@st.composite
def text_options(draw: DrawFn, kind: str) -> Spec:
    """min_length, max_length and default of texts."""
    spec: Spec = {}
    shortest = {"email": 6, "url": 12}.get(kind, 1)
    if draw(st.booleans()):
        longest = 320 if kind == "email" else 10485760
        small = st.integers(shortest, shortest + 15)
        edges = st.sampled_from([40, 80, 200, 255, 256, 300, longest])
        spec["max_length"] = draw(st.one_of(small, small, edges))
    most = spec.get("max_length", DEFAULT_LENGTHS.get(kind, 4000))
    if kind in {"str", "text"} and draw(st.integers(0, 2)) == 2:
        spec["min_length"] = draw(
            st.one_of(st.integers(0, min(most, 14)), st.just(min(most, 10000)))
        )
    if draw(st.integers(0, 2)) == 2 and spec.get("min_length", 0) <= 200:
        if kind == "email":
            address = ["a@b.co", "o'brien+todo@mail.example.com", "x" * 64 + "@b.co", "{a}@b.de"]
            spec["default"] = draw(st.sampled_from([each for each in address if len(each) <= most]))
        elif kind == "url":
            address = ["http://a.b", "https://b.co", "https://e.com:8443/a?b={c}&d='e'#f%20\\\""]
            spec["default"] = draw(st.sampled_from([each for each in address if len(each) <= most]))
        else:
            least = spec.get("min_length", 0)
            spec["default"] = draw(texts(min(most, 200), least, blank=True))
    return spec


def bounds(draw: DrawFn, low: Any, high: Any, written: Callable[[Any], Any], *, room: bool) -> Spec:  # noqa: ANN401
    """Some of ge, gt, le, lt; exclusive ones where there is room between these two."""
    lower, upper = draw(st.sampled_from([(0, 1), (1, 0), (1, 1)]))
    spec: Spec = {}
    if lower:
        spec["gt" if room and draw(st.booleans()) else "ge"] = written(low)
    if upper:
        spec["lt" if room and draw(st.booleans()) else "le"] = written(high)
    return spec


@st.composite
def int_options(draw: DrawFn) -> Spec:
    """Bounds and default of an int."""
    value = st.one_of(
        st.integers(-30, 30), st.sampled_from([-INT, INT - 1, 0, 1, -1]), st.integers(-INT, INT - 1)
    )
    low, high = sorted([draw(value), draw(value)])
    spec: Spec = {}
    if draw(st.booleans()):
        spec = bounds(draw, low, high, int, room=high - low >= 2)
    if spec.get("gt") == INT - 1 or spec.get("lt") == -INT:
        spec = {}
    if draw(st.integers(0, 2)) == 2:
        first = spec.get("ge", spec.get("gt", -INT - 1) + 1)
        last = spec.get("le", spec.get("lt", INT) - 1)
        spec["default"] = draw(st.one_of(st.sampled_from([first, last]), st.integers(first, last)))
    return spec


FLOATS = st.one_of(
    st.sampled_from([0, 0.0, -0.0, 1, 0.5, 1e-7, 5e-324, 1e16, 1e22, -1e22, 9e299, -9e299, 100]),
    st.integers(-50, 50),
    st.floats(-1e3, 1e3),
    st.floats(-9e299, 9e299),
)


@st.composite
def float_options(draw: DrawFn) -> Spec:
    """Bounds and default of a float."""
    low, high = sorted([draw(FLOATS), draw(FLOATS)])
    spec: Spec = {}
    room = math.nextafter(math.nextafter(low, math.inf), math.inf) <= high
    if draw(st.booleans()):
        spec = bounds(draw, low, high, lambda value: value, room=room)
    if draw(st.integers(0, 2)) == 2:
        first = spec.get("ge", math.nextafter(spec.get("gt", -9e299), math.inf))
        last = spec.get("le", math.nextafter(spec.get("lt", 9e299), -math.inf))
        inner = st.floats(first, last)
        spec["default"] = draw(st.one_of(st.sampled_from([first, last]), inner))
    return spec


@st.composite
def decimal_options(draw: DrawFn) -> Spec:
    """Digits, bounds and default of a decimal."""
    spec: Spec = {}
    if draw(st.booleans()):
        spec["max_digits"] = draw(st.integers(1, 18))
    if spec.get("max_digits", 18) < 2 or draw(st.booleans()):
        spec["decimal_places"] = draw(st.integers(0, spec.get("max_digits", 18)))
    digits, places = spec.get("max_digits", 18), spec.get("decimal_places", 2)

    def written(steps: int) -> str | int | float:
        text = f"{'-' if steps < 0 else ''}{abs(steps) // 10**places}"
        if places:
            text += f".{abs(steps) % 10**places:0{places}}"
        if draw(st.booleans()) and steps % 10**places == 0:
            return steps // 10**places
        if draw(st.booleans()) and len(text) < 12 and "e" not in repr(float(text)):
            return float(text)
        return text

    most = 10**digits - 1
    value = st.one_of(
        st.integers(-min(most, 30), min(most, 30)),
        st.sampled_from([-most, most, 0]),
        st.integers(-most, most),
    )
    low, high = sorted([draw(value), draw(value)])
    limits: Spec = {}
    first, last = -most, most
    if draw(st.booleans()):
        limits = bounds(draw, low, high, lambda steps: steps, room=high - low >= 2)
        if limits.get("gt") == most or limits.get("lt") == -most:
            limits = {}
        first = limits.get("ge", limits.get("gt", first - 1) + 1)
        last = limits.get("le", limits.get("lt", last + 1) - 1)
    spec |= {name: written(steps) for name, steps in limits.items()}
    if draw(st.integers(0, 2)) == 2:
        default = draw(st.one_of(st.sampled_from([first, last]), st.integers(first, last)))
        spec["default"] = written(default)
    return spec


@st.composite
def moment_options(draw: DrawFn, kind: str) -> Spec:
    """`future`, or a default."""
    spec: Spec = {}
    if draw(st.booleans()):
        spec["future"] = draw(st.booleans())
    if not spec.get("future") and draw(st.booleans()):
        days = ["2024-02-29", "2000-02-29", "1999-12-31", "1900-01-01", "2038-01-19"]
        if kind == "date":
            spec["default"] = draw(st.sampled_from([*days, "0001-01-01", "9999-12-31"]))
        else:
            day = draw(st.sampled_from([*days, "0002-01-01", "9998-12-31"]))
            clock = draw(st.sampled_from(["00:00", "23:59:59", "23:59:59.999999", "12:00:00.5"]))
            offset = draw(st.sampled_from(["Z", "+05:30", "-23:59", "+00:00", "+23:59"]))
            spec["default"] = f"{day}T{clock}{offset}"
    return spec


@st.composite
def enum_options(draw: DrawFn) -> Spec:
    """Choices, one of them the default."""
    count = draw(st.sampled_from([1, 2, 3, 5, 50]))
    given = draw(st.lists(texts(100), min_size=1, max_size=min(count, 6), unique=True))
    given += [f"choice {number}" for number in range(count - len(given))] if count == 50 else []
    spec: Spec = {"choices": given}
    if draw(st.booleans()):
        spec["default"] = draw(st.sampled_from(given))
    return spec


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(-9e299, 9e299),
        texts(40, blank=True),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(texts(20, blank=True), inner, max_size=3)
    ),
    max_leaves=6,
)


def depth(value: Any) -> int:  # noqa: ANN401
    """How deep a value is nested."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 1


@st.composite
def container_options(draw: DrawFn, kind: str) -> Spec:
    """max_items, and a default within it."""
    spec: Spec = {}
    if draw(st.booleans()):
        spec["max_items"] = draw(st.sampled_from([1, 2, 5, 50, 51, 10000]))
    if draw(st.booleans()):
        most = min(spec.get("max_items", 50), 4)
        item = texts(200, blank=True)
        document = st.dictionaries(item, JSON, max_size=most).filter(lambda each: depth(each) <= 8)
        spec["default"] = draw(st.lists(item, max_size=most) if kind == "list" else document)
    return spec


def options(kind: str) -> SearchStrategy[Spec]:
    """The options of a type's own, and its default."""
    if kind in {"str", "text", "email", "url"}:
        return text_options(kind)
    if kind in {"date", "datetime"}:
        return moment_options(kind)
    if kind in {"list", "json"}:
        return container_options(kind)
    if kind == "uuid":
        known = st.sampled_from(
            ["0198C5F0-7b1a-7000-8000-000000000000", "0" * 8 + "-0000" * 3 + "-" + "0" * 12]
        )
        return st.one_of(st.just({}), st.fixed_dictionaries({"default": known}))
    if kind == "bool":
        return st.one_of(st.just({}), st.fixed_dictionaries({"default": st.booleans()}))
    found = {"int": int_options, "float": float_options, "decimal": decimal_options}
    return found.get(kind, enum_options)()


# -------------------------------------------------------------------------------------- resources


@dataclass
class Resource:
    """One of the resources, while it grows."""

    name: str
    plural: str
    computed: bool
    scoped: bool
    fields: dict[str, Any] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    def filters(self) -> set[str]:
        """Names of filters for ranges and for null."""
        ranged = [name for name, spec in self.fields.items() if kind_of(spec) in RANGED]
        ranges = {f"{name}_{end}" for name in ranged for end in ("gte", "lte")}
        return ranges | {f"{key}_is_null" for key in self.keys}

    def meets(self, other: "Resource") -> bool:
        """Do the names of two resources clash?"""
        if {self.name, self.plural} & {other.name, other.plural}:
            return True
        if class_of(self.name) == class_of(other.name):
            return True
        for a, b in ((self, other), (other, self)):
            rest = a.name.removeprefix(f"{b.name}_")
            if rest != a.name and (rest in reserved.SUFFIXES or rest.endswith("_link")):
                return True
        return False


def kind_of(spec: Any) -> str:  # noqa: ANN401
    """The type of a field, however it is written."""
    return str(spec["type"] if isinstance(spec, dict) else spec)


@st.composite
def resources(draw: DrawFn) -> list[Resource]:
    """One to a few resources that have no fields yet."""
    found: list[Resource] = []
    wanted = draw(st.sampled_from([1, 1, 2, 3, 4, 6]))
    for name in draw(st.lists(names(), min_size=wanted, max_size=wanted + 4, unique=True)):
        plural = plural_of(name)
        given = not free_for_table(plural, name) or draw(st.integers(0, 3)) == 3
        if given:
            plural = draw(names(38))
        scoped = draw(st.sampled_from([True, True, False]))
        one = Resource(name, plural, not given, scoped)
        free = name not in reserved.RESOURCES and free_for_table(plural, name)
        if free and len(found) < wanted and not any(one.meets(other) for other in found):
            found.append(one)
    return found or [Resource("task", "tasks", computed=True, scoped=True)]


def links(resource: Resource) -> Iterator[str]:
    """The link tables of a resource."""
    for name, spec in resource.fields.items():
        if kind_of(spec) == "references":
            yield f"{resource.plural}_{plural_of(name)}"


@st.composite
def relation(draw: DrawFn, kind: str, name: str, home: int, known: list[Resource]) -> Spec | None:
    """A reference that may be there, or none."""
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
    # What is required refers only forward: no cycle leaves a resource without a first row.
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
    """The fields of a resource: at least one."""
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
    """The operations that the fields allow."""
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
    """A value of api_prefix."""
    segments = [
        each
        for each in draw(st.lists(SEGMENTS, min_size=1, max_size=3))
        if each not in {".", ".."} and each.lower() not in reserved.PATHS
    ]
    return "".join(f"/{segment}" for segment in segments) or "/api"


@st.composite
def valid(draw: DrawFn) -> Answers:  # noqa: PLR0912
    """A set of answers that keeps every rule."""
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
    return answers


# ----------------------------------------------------------------------------------------- broken


@dataclass(frozen=True)
class Broken:
    """A set with one fault, and what the message has to say."""

    answers: Answers
    words: tuple[str, ...]


Fault = Callable[[DrawFn, Answers, str, Answers], tuple[str, ...] | None]


def homes(answers: Answers) -> list[tuple[str, Answers]]:
    """Each mapping of fields, and how messages call it."""
    further = answers.get("more_resources", [])
    found = [(f"more_resources.{one['name']}.fields", one["fields"]) for one in further]
    return [("fields", answers["fields"]), *found]


def put(fields: Answers, name: str, spec: Any) -> None:  # noqa: ANN401
    """A field at the end, whatever stood there."""
    fields.pop(name, None)
    fields[name] = spec


def wrong_question(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A question that nobody asks."""
    name = draw(st.sampled_from(["resource_nam", "Fields", "field", "resources", "id", "tasks"]))
    answers[name] = "x"
    return ("there is no question", f'"{name}"')


def wrong_choice(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A choice that is not offered, or of another kind."""
    name = draw(
        st.sampled_from(
            ["id_type", "pagination", "auth", "route_scope", "update_method", "error_format"]
        )
    )
    answers[name] = draw(st.sampled_from(["UUID", "", "none", True, 7, None, ["uuid"], {"a": 1}]))
    return (f"{name}: ",)


def wrong_kind(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A number, a truth or a list where something else is meant."""
    name, values = draw(
        st.sampled_from(
            [
                ("project_name", [True, 7, None, ["a"], {"a": "b"}, 1.5]),
                ("resource_name", [False, 7, None, ["a"]]),
                ("resource_plural", [False, 7, ["a"]]),
                ("api_prefix", [1, True, ["/api"]]),
                ("user_scoped", ["maybe", 2, None, [], "ja"]),
                ("soft_delete", ["maybe", 2, None, []]),
                ("fields", [None, True, 7, [], "title", ["title"], {}]),
                ("more_resources", [True, 7, {"name": "a"}, "a", ["a"], [None], [7]]),
                ("operations", [None, True, "export", ["export"], {"stats": True}, [["stats"]]]),
            ]
        )
    )
    answers[name] = draw(st.sampled_from(values))
    return (name,)


def wrong_text(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A text that is blank, too long, or not of one visible line."""
    marks = [
        "\n",
        "\0",
        "\t",
        "\x1b",
        "\x7f",
        "\x85",
        "\u2028",
        "\ud800",
        "\u202e",
        "\ufeff",
        "\u200b",
    ]
    mark = draw(st.sampled_from(marks))
    name, longest = draw(st.sampled_from([("project_name", 80), ("project_description", 300)]))
    text = draw(texts(longest - 1))
    answers[name] = draw(
        st.sampled_from([text + mark, mark + text, "", "   ", "x" * (longest + 1), "\u00a0"])
    )
    return (f"{name}: ",)


def wrong_prefix(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A prefix that is no path."""
    wrong = ["", "/", "api", "/api/", "//", "/a//b", "/{user_id}", "/a/../b", "/a b", "/é", "/docs"]
    answers["api_prefix"] = draw(
        st.sampled_from([*wrong, "/Health/x", "/a\n", "/" + "a" * 60, "/a?b"])
    )
    return ("api_prefix: ",)


NO_NAMES = [
    "Task",
    "a-b",
    "a b",
    "_a",
    "a_",
    "a__b",
    "2do",
    "tâche",
    "a\n",
    "",
    "a.b",
    "\uff41",
    "a" * 41,
]


def wrong_name(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A name of a resource that is none, or is reserved."""
    taken = st.sampled_from(sorted(set(reserved.RESOURCES)))
    name = draw(st.one_of(st.sampled_from(NO_NAMES), taken, st.sampled_from([True, 7, 1.5])))
    if draw(st.booleans()):
        answers["resource_name"] = name
        return ("resource_name: ",)
    answers.setdefault("more_resources", []).append({"name": name, "fields": {"title": "str"}})
    return ("more_resources.", ".name: ")


def wrong_plural(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A plural that is none, is reserved, or is the singular."""
    taken = st.sampled_from(sorted(set(reserved.PLURALS)))
    others = st.sampled_from(["pg_rows", "ix_rows", answers["resource_name"], "p" * 39])
    answers["resource_plural"] = draw(st.one_of(st.sampled_from(NO_NAMES), taken, others))
    return ("resource_plural: ",)


def wrong_field_name(
    draw: DrawFn, answers: Answers, where: str, fields: Answers
) -> tuple[str, ...]:
    """A name of a field that is none, or is reserved."""
    taken = sorted({*reserved.FIELDS, "model_x", "id_1", "param_2"})
    plain = [name for name in NO_NAMES if name.isascii() and name.isprintable() and len(name) < 40]
    name = draw(st.one_of(st.sampled_from(plain), st.sampled_from(taken)))
    put(fields, name, draw(st.sampled_from(SCALARS[:5])))
    return (f"{where}.{name}: ",)


def wrong_key(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A name that YAML reads as something else."""
    name = draw(st.sampled_from([True, False, 7, 1.5, None]))
    fields[name] = "str"
    return (f"{where}.{name}: ", "quote it")


def wrong_type(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A type that there is not, or none."""
    types = ["string", "STR", "varchar", "", None, 7, ["str"], "enum ", {"str": 1}]
    kind = draw(st.sampled_from(types))
    spec = kind if draw(st.booleans()) and not isinstance(kind, dict) else {"type": kind}
    put(fields, "broken", spec)
    return (f"{where}.broken",)


def wrong_option(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """An option of another type, or of none."""
    kind = draw(st.sampled_from(SCALARS))
    every = {option for own in TYPES.values() for option in own} - set(TYPES[kind])
    option = draw(st.sampled_from(sorted({*every, "Required", "nullable", "max_lenght", "pk"})))
    put(
        fields,
        "broken",
        {"type": kind, "choices": ["a"], option: 1}
        if kind == "enum"
        else {"type": kind, option: 1},
    )
    return (f"{where}.broken: ", f'"{option}"')


def wrong_common(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """An option of all types with a wrong value."""
    option, values = draw(
        st.sampled_from(
            [
                ("required", ["no", 0, None, []]),
                ("unique", ["yes", 1, None]),
                ("index", ["yes", 1, None, {}]),
                ("description", [7, None, True, "", " ", "a\nb", "x" * 201, ["a"], "\u2066"]),
                ("renamed_from", [*NO_NAMES, 7, None, True]),
            ]
        )
    )
    kind = draw(st.sampled_from(["str", "int", "date", "json", "bool"]))
    put(fields, "broken", {"type": kind, option: draw(st.sampled_from(values))})
    return (f"{where}.broken.{option}: ",)


# What an option refuses, by the type and the option.
REFUSED: dict[tuple[str, str], list[Any]] = {
    ("str", "max_length"): [0, -1, "9", True, 2**31, 1.0, None],
    ("str", "min_length"): [256],
    ("text", "min_length"): [-1, "9", False, 10001, None],
    ("email", "max_length"): [5, 321],
    ("url", "max_length"): [11],
    ("int", "ge"): [2**31, 1.5, "1", True, None],
    ("int", "lt"): [2**31, 1.5, "1", True, None],
    ("float", "gt"): [math.inf, math.nan, "1", 1e300, None],
    ("float", "le"): [math.inf, math.nan, "1", 1e300, None],
    ("decimal", "ge"): ["x", "1e3", "", math.inf, True, None, 10**16],
    ("decimal", "le"): ["x", "1e3", "", math.nan, False, None, -(10**16)],
    ("decimal", "max_digits"): [0, 19, "9", None],
    ("decimal", "decimal_places"): [-1, 19, "2", None],
    ("list", "max_items"): [0, 10001, "9", True, None],
    ("date", "future"): ["soon", 1, None],
    ("enum", "choices"): [
        *([], "a", {"a": 1}, ["a", "a"], [1], [True], [None], ["a\n"], [""], ["x" * 101], None),
        *([["a"]], [f"c{number}" for number in range(51)], ["🦊", "b", "🦊"]),
    ],
}
# Each with the option that is wrong; with none where several do not go together.
WRONG_OPTIONS: list[tuple[str, Spec]] = [
    *(
        (name, {"type": kind, name: value})
        for (kind, name), found in REFUSED.items()
        for value in found
    ),
    ("min_length", {"type": "text", "min_length": 9, "max_length": 8}),
    ("decimal_places", {"type": "decimal", "max_digits": 3, "decimal_places": 4}),
    ("choices", {"type": "enum"}),
    ("", {"type": "int", "ge": 2, "le": 1}),
    ("", {"type": "int", "gt": 1, "lt": 2}),
    ("", {"type": "int", "ge": 1, "gt": 1}),
    ("", {"type": "float", "ge": 1, "lt": 1}),
    ("", {"type": "float", "gt": 0, "le": 5e-324}),
    ("", {"type": "decimal", "gt": 0, "lt": "0.01"}),
]


def wrong_value(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """An option of the type's own with a wrong value."""
    option, spec = draw(st.sampled_from(WRONG_OPTIONS))
    put(fields, "broken", copy.deepcopy(spec))
    return (f"{where}.broken.{option}: " if option else f"{where}.broken: ",)


WRONG_DEFAULTS: dict[str, list[Any]] = {
    "str": [None, 5, True, "a\nb", "x" * 201, ["a"]],
    "email": ["a", "a@b", "a@b@c.de", "A@B.test", "a b@c.de", "", 7, "a@c.de\n"],
    "url": ["a", "ftp://a.b", "https://", "https://a b", "javascript:x", "https://a..b", ""],
    "int": ["1", 1.5, True, 2**31, -(2**31) - 1, []],
    "float": ["1", math.nan, math.inf, True, 1e300],
    "decimal": ["1.234", "x", "", "1e3", True, "NaN", "99999999999999999", 1234567890123456.5],
    "bool": ["yes", 1, 0, None],
    "date": ["2023-02-29", "2024-13-01", "01.02.2024", "2024-1-1", "", 20240101, "0000-01-01"],
    "datetime": ["2024-01-01T00:00:00", "2024-01-01", "2024-01-01T25:00Z", "9999-12-31T00:00Z"],
    "uuid": ["1234", "g" * 32, "", 7],
    "list": ["a", {}, [1], [None], ["a\0"], ["x" * 201], ["x"] * 51],
    "json": [[], "{}", {1: "a"}, {"a": math.nan}, {"a": 2**53}, {"a": "\0"}],
}
WRONG_TOGETHER: list[Spec] = [
    {"type": "str", "max_length": 3, "default": "long"},
    {"type": "str", "min_length": 3, "default": "🦊"},
    {"type": "int", "ge": 1, "default": 0},
    {"type": "int", "lt": 5, "default": 5},
    {"type": "float", "gt": 0, "default": 0},
    {"type": "float", "le": -0.5, "default": -0.25},
    {"type": "decimal", "le": 1, "default": "1.01"},
    {"type": "decimal", "max_digits": 3, "default": 10},
    {"type": "enum", "choices": ["a"], "default": "A"},
    {"type": "enum", "choices": ["1"], "default": 1},
    {"type": "date", "future": True, "default": "2999-01-01"},
    {"type": "list", "max_items": 1, "default": ["a", "b"]},
    {"type": "json", "max_items": 1, "default": {"a": 1, "b": 2}},
]


def wrong_default(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A default that its own field refuses."""
    alone = [
        {"type": kind, "default": value}
        for kind, found in WRONG_DEFAULTS.items()
        for value in found
    ]
    put(fields, "broken", copy.deepcopy(draw(st.sampled_from([*alone, *WRONG_TOGETHER]))))
    return (f"{where}.broken.default: ",)


def wrong_reference(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A reference to nothing, or with a rule that cannot be kept."""
    main = answers["resource_name"]
    spec: Spec
    option, spec = draw(
        st.sampled_from(
            [
                ("to", {"type": "reference", "to": "no_such_resource"}),
                ("to", {"type": "references", "to": "no_such_resource"}),
                ("to", {"type": "reference"}),
                ("to", {"type": "references", "to": None}),
                ("to", {"type": "reference", "to": 7, "required": False}),
                ("to", {"type": "reference", "to": [main]}),
                ("on_delete", {"type": "reference", "to": main, "on_delete": "explode"}),
                ("on_delete", {"type": "reference", "to": main, "on_delete": "set_null"}),
                ("default", {"type": "reference", "to": main, "required": False, "default": 1}),
                ("required", {"type": "references", "to": main, "required": True}),
                ("unique", {"type": "references", "to": main, "unique": True}),
            ]
        )
    )
    put(fields, "brk", dict(spec))
    return (f"{where}.brk.{option}: ",)


def wrong_cycle(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """References that no first row could satisfy."""
    main = answers["resource_name"]
    if draw(st.booleans()):
        put(answers["fields"], "brk", {"type": "reference", "to": main})
    else:
        put(answers["fields"], "brk", {"type": "reference", "to": "zz"})
        back = {"name": "zz", "fields": {"brk": {"type": "reference", "to": main}}}
        answers.setdefault("more_resources", []).append(back)
    return ("cycle", main)


def wrong_twice(  # noqa: PLR0911
    draw: DrawFn, answers: Answers, where: str, fields: Answers
) -> tuple[str, ...]:
    """Two resources, or two fields, that meet in a name."""
    further = answers.setdefault("more_resources", [])
    plural = answers.get("resource_plural", plural_of(answers["resource_name"]))
    one: Answers = {"name": "zz", "fields": {"title": "str"}}
    further.append(one)
    how = draw(st.sampled_from(["name", "plural", "suffix", "key", "filter", "former", "link"]))
    if how == "name":
        one |= {"name": answers["resource_name"], "plural": "zzz"}
        return (f"more_resources.{one['name']}.name: ", "another resource")
    if how == "plural":
        one["plural"] = plural
        return ("more_resources.zz.plural: ", "plural of")
    if how == "suffix":
        further.append({"name": "zz_a_link", "fields": {"title": "str"}})
        return ("more_resources.zz_a_link.name: ", "belongs to zz")
    where = "more_resources.zz.fields"
    if how == "key":
        one["fields"] = {
            "brk": {"type": "reference", "to": "zz", "required": False},
            "brk_id": "int",
        }
        return (f"{where}.brk_id: ", "rename one")
    if how == "filter":
        one["fields"] = draw(st.permutations([("brk", "date"), ("brk_gte", "str")]).map(dict))
        return (f"{where}.brk_gte: ", "filter of brk")
    if how == "former":
        one["fields"] = {"a": {"type": "str", "renamed_from": "b"}, "b": "str"}
        return (f"{where}.a.renamed_from: ", '"b"')
    one["fields"] = {"zz": {"type": "references", "to": "zz"}}
    return (f"{where}.zz: ", "both columns")


def wrong_length(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """Names that PostgreSQL would cut, and too much of something."""
    if draw(st.booleans()):
        name = "b" * 40
        table = {
            "name": "zz",
            "plural": "z" * 38,
            "fields": {name: {"type": "int", "unique": True}},
        }
        answers.setdefault("more_resources", []).append(table)
        return (f"more_resources.zz.fields.{name}: ", "63")
    fields |= {f"brk{number}": "int" for number in range(61)}
    return (f"{where}: ", "60")


def wrong_further(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A further resource of the wrong shape."""
    key, value, words = draw(
        st.sampled_from(
            [
                ("user_scoped", "no", "more_resources.zz.user_scoped: "),
                ("user_scoped", None, "more_resources.zz.user_scoped: "),
                ("operations", ["export"], "more_resources.zz.operations: "),
                ("operations", ["complete"], "more_resources.zz.operations: "),
                ("operations", "stats", "more_resources.zz.operations: "),
                ("operations", None, "more_resources.zz.operations: "),
                ("plural", "stats", "more_resources.zz.plural: "),
                ("plural", None, "more_resources.zz.plural: "),
                ("plural", "zz", "more_resources.zz.plural: "),
                ("scoped", True, '"scoped"'),
                (7, True, '"7"'),
                ("fields", {}, "more_resources.zz.fields: "),
                ("fields", None, "more_resources.zz.fields: "),
            ]
        )
    )
    one: Answers = {"name": "zz", "fields": {"n": "int"}, key: value}
    answers.setdefault("more_resources", []).append(one)
    return (words,)


def wrong_owner(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """What all share refers to what is somebody's."""
    shared = {
        "name": "zz",
        "user_scoped": False,
        "fields": {"brk": {"type": draw(st.sampled_from(list(SUFFIXES))), "to": "zy"}},
    }
    owned = {"name": "zy", "fields": {"title": "str"}}
    answers.setdefault("more_resources", []).extend(draw(st.permutations([shared, owned])))
    return ("more_resources.zz.fields.brk.to: ", "zy belongs to users")


FAULTS = [
    wrong_question, wrong_choice, wrong_kind, wrong_text, wrong_prefix, wrong_name, wrong_plural,
    wrong_field_name, wrong_key, wrong_type, wrong_option, wrong_common, wrong_value, wrong_default,
    wrong_reference, wrong_cycle, wrong_twice, wrong_length, wrong_further, wrong_owner,
]  # fmt: skip


@st.composite
def broken(draw: DrawFn) -> Broken:
    """A valid set in which one thing is wrong."""
    answers = copy.deepcopy(draw(valid()))
    where, fields = draw(st.sampled_from(homes(answers)))
    fault = draw(st.sampled_from(FAULTS))
    return Broken(answers, fault(draw, answers, where, fields))


# --------------------------------------------------------------------------------------- careless

ODDITIES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 20, 63, 255, 1.5, 1e16, 2**31 - 1, 2**53, -0.0, "", "0"),
    *("1", "1.50", "task", "tasks", "title", "restrict", "set_null", "cascade", "uuid", "a@b.co"),
    *("2024-02-29", "https://b.co", "2024-01-01T00:00Z", "x" * 40, "{{ 7 + 7 }}", "🦊"),
    *([], {}, ["a"], ["1", "2"], {"a": 1}, [[]]),
]


def spots(value: Any, parent: Any = None, key: Any = None) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """Each place in a tree, as what holds it and its key there."""
    if parent is not None:
        yield parent, key
    pairs: list[Any] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for inner, child in pairs:
        yield from spots(child, value, inner)


@st.composite
def careless(draw: DrawFn) -> Answers:
    """A valid set that somebody changed with closed eyes."""
    answers: Answers = copy.deepcopy(draw(valid()))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(list(spots(answers))))
        how = draw(st.sampled_from(["value", "word", "key", "option", "gone", "swap"]))
        if how == "gone":
            del holder[key]
        elif how == "swap":
            other, place = draw(st.sampled_from(list(spots(answers))))
            other[place], holder[key] = copy.deepcopy((holder[key], other[place]))
        elif how == "key" and isinstance(holder, dict):
            holder[draw(names())] = holder.pop(key)
        elif how == "option" and isinstance(holder[key], dict) and "type" in holder[key]:
            kind = draw(st.sampled_from(sorted(TYPES)))
            holder[key] |= draw(options(kind)) if kind in SCALARS else {"unique": True}
        elif how == "word":
            holder[key] = draw(names())
        else:
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODDITIES)))
        if not answers:
            break
    return answers


def sample(strategy: SearchStrategy[Answers], number: int) -> Answers:
    """One set, the same for the same number; Hypothesis begins with the least, which is skipped."""
    found: list[Answers] = []

    @seed(number)
    @settings(
        max_examples=2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(answers: Answers) -> None:
        found.append(answers)

    keep()
    return found[-1]
