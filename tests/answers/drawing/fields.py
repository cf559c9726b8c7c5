"""Options and defaults of fields."""

import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.answers.drawing.rules import Spec
from tests.answers.drawing.texts import texts

DEFAULT_LENGTHS = {"str": 255, "email": 254, "url": 2048}
INT = 2**31


@st.composite
def text_options(draw: DrawFn, kind: str) -> Spec:
    """Draw the lengths and the default of a string type."""
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
    """Draw some of ge, gt, le and lt; gt and lt only if `room` is true."""
    lower, upper = draw(st.sampled_from([(0, 1), (1, 0), (1, 1)]))
    spec: Spec = {}
    if lower:
        spec["gt" if room and draw(st.booleans()) else "ge"] = written(low)
    if upper:
        spec["lt" if room and draw(st.booleans()) else "le"] = written(high)
    return spec


@st.composite
def int_options(draw: DrawFn) -> Spec:
    """Draw the bounds and the default of an int."""
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
    """Draw the bounds and the default of a float."""
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
    """Draw the digits, bounds and default of a decimal."""
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
def datetime_options(draw: DrawFn, kind: str) -> Spec:
    """Draw `future` or the default of a date or datetime."""
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
    """Draw choices, and one of them as the default."""
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
    """Return the nesting depth of a value."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 1


@st.composite
def container_options(draw: DrawFn, kind: str) -> Spec:
    """Draw max_items and the default of a list or JSON object."""
    spec: Spec = {}
    if draw(st.booleans()):
        spec["max_items"] = draw(st.sampled_from([1, 2, 5, 50, 51, 10000]))
    if draw(st.booleans()):
        most = min(spec.get("max_items", 50), 4)
        item = texts(200, blank=True)
        json_object = st.dictionaries(item, JSON, max_size=most).filter(
            lambda each: depth(each) <= 8
        )
        spec["default"] = draw(st.lists(item, max_size=most) if kind == "list" else json_object)
    return spec


def options(kind: str) -> SearchStrategy[Spec]:
    """Return a strategy for the options and the default of a type."""
    if kind in {"str", "text", "email", "url"}:
        return text_options(kind)
    if kind in {"date", "datetime"}:
        return datetime_options(kind)
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
