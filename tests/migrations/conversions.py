"""Conversions between field types in Python, without a database.

The tests compare them with the conversions in SQL by `template/migrations/toolkit/values.py`.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

Spec = dict[str, Any]

KINDS = {"str": "string", "text": "string", "enum": "string", "list": "json"}
LENGTHS = {"str": 255, "enum": 100}


class Lost(Exception):  # noqa: N818
    """A value that the new type cannot represent."""


def kind(spec: Spec) -> str:
    """Return the kind of a column: a database stores several types as strings."""
    return KINDS.get(spec["type"], spec["type"])


def places(spec: Spec) -> int:
    """Return the number of decimal places."""
    return int(spec.get("decimal_places", 2))


def exact(spec: Spec, number: Decimal) -> str:
    """Format a decimal as the API does."""
    kept = number.quantize(Decimal(1).scaleb(-places(spec)))
    if kept != number:
        raise Lost
    return str(kept)


def whole(number: Decimal) -> int:
    """Convert a number to an integer."""
    if number != int(number):
        raise Lost
    return int(number)


def aware(text: str) -> str:
    """Convert a string with an offset to a datetime, as a string."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise Lost
    return str(found)


def midnight(text: str) -> str:
    """Convert a datetime at midnight in UTC to a date."""
    day, _, clock = text.partition(" ")
    if clock != "00:00:00+00:00":
        raise Lost
    return day


def boolean(text: str) -> bool:
    """Convert a string to a boolean."""
    if text not in {"true", "false"}:
        raise Lost
    return text == "true"


Conversion = Callable[[Any, Spec, Spec], Any]
CONVERSIONS: dict[tuple[str, str], Conversion] = {
    ("bool", "string"): lambda value, _old, _new: str(value).lower(),
    ("bool", "int"): lambda value, _old, _new: int(value),
    ("float", "string"): lambda value, _old, _new: value,  # Each database formats it differently.
    ("float", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("float", "int"): lambda value, _old, _new: whole(Decimal(value)),
    ("decimal", "string"): lambda value, _old, _new: value,
    ("decimal", "float"): lambda value, _old, _new: float(value),
    ("decimal", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("decimal", "int"): lambda value, _old, _new: whole(Decimal(value)),
    ("int", "string"): lambda value, _old, _new: str(value),
    ("int", "float"): lambda value, _old, _new: float(value),
    ("int", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("date", "string"): lambda value, _old, _new: value,
    ("date", "datetime"): lambda value, _old, _new: f"{value} 00:00:00+00:00",
    ("datetime", "date"): lambda value, _old, _new: midnight(value),
    ("uuid", "string"): lambda value, _old, _new: value,
    ("string", "string"): lambda value, _old, _new: value,
    ("string", "bool"): lambda value, _old, _new: boolean(value),
    ("string", "float"): lambda value, _old, _new: float(value),
    ("string", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("string", "int"): lambda value, _old, _new: int(value),
    ("string", "datetime"): lambda value, _old, _new: aware(value),
    ("string", "date"): lambda value, _old, _new: str(date.fromisoformat(value)),
    ("string", "uuid"): lambda value, _old, _new: str(UUID(value)),
}


def shown(spec: Spec, value: Any) -> Any:  # noqa: ANN401
    """Return a value as it is read from the database."""
    if value is None:
        return None
    if spec["type"] == "datetime":
        return str(datetime.fromisoformat(value))
    return exact(spec, Decimal(value)) if spec["type"] == "decimal" else value


def converted(value: Any, old: Spec, new: Spec) -> Any:  # noqa: ANN401
    """Return a value after a conversion.

    Raises:
        Lost: the new type cannot represent it.
    """
    if value is None:
        return None
    before, after = kind(old), kind(new)
    if before != after or before in {"string", "decimal"}:
        try:
            value = CONVERSIONS[before, after](value, old, new)
        except (ArithmeticError, ValueError) as error:
            raise Lost from error
    length = new.get("max_length", LENGTHS.get(new["type"]))
    if after == "string" and length is not None and len(str(value)) > length:
        raise Lost
    return value
