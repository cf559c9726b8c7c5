"""What conversions between field types do to values, in Python and without a database.

A second opinion on what `template/migrations/toolkit/values.py` does in SQL, on both databases.
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
    """The kind of a column: several types are strings to a database."""
    return KINDS.get(spec["type"], spec["type"])


def places(spec: Spec) -> int:
    """The number of decimal places."""
    return int(spec.get("decimal_places", 2))


def exact(spec: Spec, number: Decimal) -> str:
    """A decimal as the API returns it."""
    kept = number.quantize(Decimal(1).scaleb(-places(spec)))
    if kept != number:
        raise Lost
    return str(kept)


def whole(number: Decimal) -> int:
    """A number as an integer."""
    if number != int(number):
        raise Lost
    return int(number)


def aware(text: str) -> str:
    """A datetime as it is read; its string must have an offset."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise Lost
    return str(found)


def midnight(text: str) -> str:
    """The date of a datetime at midnight in UTC."""
    day, _, clock = text.partition(" ")
    if clock != "00:00:00+00:00":
        raise Lost
    return day


def truth(text: str) -> bool:
    """The boolean that a string stands for."""
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
    ("string", "bool"): lambda value, _old, _new: truth(value),
    ("string", "float"): lambda value, _old, _new: float(value),
    ("string", "decimal"): lambda value, _old, new: exact(new, Decimal(value)),
    ("string", "int"): lambda value, _old, _new: int(value),
    ("string", "datetime"): lambda value, _old, _new: aware(value),
    ("string", "date"): lambda value, _old, _new: str(date.fromisoformat(value)),
    ("string", "uuid"): lambda value, _old, _new: str(UUID(value)),
}


def shown(spec: Spec, value: Any) -> Any:  # noqa: ANN401
    """A written value as it is read."""
    if value is None:
        return None
    if spec["type"] == "datetime":
        return str(datetime.fromisoformat(value))
    return exact(spec, Decimal(value)) if spec["type"] == "decimal" else value


def converted(value: Any, old: Spec, new: Spec) -> Any:  # noqa: ANN401
    """A value after a conversion.

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
