"""Decimal numbers: exact, written plainly, and never larger than their column."""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import Dialect, make_url

from app.models.decimals import ExactDecimal
from app.schemas.types.decimals import Exact, WrittenFloat

PRICE = TypeAdapter[Decimal](
    Annotated[Decimal, Field(ge=Decimal(0), max_digits=5, decimal_places=2), Exact()]
)
CHANGE = TypeAdapter[Decimal](Annotated[Decimal, Field(max_digits=2, decimal_places=2), Exact()])
DIALECTS = [make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql+asyncpg")]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0", "0"),
        ("999.99", "999.99"),
        ("1.50", "1.5"),
        (7, "7"),
        (WrittenFloat("0.10"), "0.1"),
        (WrittenFloat("1e2"), "100"),
        (WrittenFloat("-0.0"), "0"),
    ],
)
async def test_is_exact(value: Any, number: str) -> None:
    assert PRICE.validate_python(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    ["", " 1", "+1", "1_0", "01", ".5", "1.", "NaN", "Infinity", "1000", "0.001", "-1", True, None],
)
async def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        PRICE.validate_python(value)


@pytest.mark.parametrize("text", ["999.990000000000000001", "1e999999", "1E-3", "9" * 400 + ".0"])
async def test_numbers_are_refused_as_they_were_written(text: str) -> None:
    with pytest.raises(ValidationError):
        PRICE.validate_python(WrittenFloat(text))


@pytest.mark.parametrize("number", [0.1, 7.0, float("inf"), float("nan")])
async def test_what_was_rounded_is_asked_for_as_a_string(number: float) -> None:
    with pytest.raises(ValidationError, match="as a string"):
        PRICE.validate_python(number)


async def test_is_written_without_an_exponent() -> None:
    assert CHANGE.dump_json(Decimal("1E-7")) == b'"0.0000001"'
    assert CHANGE.dump_json(Decimal(0).scaleb(-8)) == b'"0.00000000"'
    assert CHANGE.dump_python(Decimal("1.50")) == Decimal("1.50")


async def test_schema_says_what_is_taken() -> None:
    number, text = PRICE.json_schema()["anyOf"]
    assert number == {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": -1000,
        "exclusiveMaximum": 1000,
        "multipleOf": 0.01,
    }
    assert text == {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?$"}
    assert CHANGE.json_schema()["anyOf"][1]["pattern"] == r"^-?0(\.[0-9]{1,2})?$"
    assert PRICE.json_schema(mode="serialization") == {"type": "string"}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_column_refuses_what_is_too_large(dialect: Dialect) -> None:
    column = ExactDecimal(5, 2)
    assert column.process_bind_param(None, dialect) is None
    assert column.process_bind_param(Decimal("1.25"), dialect) in {125, Decimal("1.25")}
    for zero in ("0", "-0.0", "0e99", "0e-99"):
        assert column.process_bind_param(Decimal(zero), dialect) == 0
    for huge in ("1e3", "-1e999999999"):
        with pytest.raises(ValueError, match="more digits"):
            column.process_bind_param(Decimal(huge), dialect)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_column_rounds_nothing(dialect: Dialect) -> None:
    for fine in ("1.255", "999.999", "1e-999999999"):
        with pytest.raises(ValueError, match="more decimal places"):
            ExactDecimal(5, 2).process_bind_param(Decimal(fine), dialect)
