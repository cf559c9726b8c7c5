"""Decimal numbers that are exact on SQLite and PostgreSQL."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Dialect, Numeric, TypeDecorator
from sqlalchemy.types import TypeEngine, UserDefinedType


class ScaledInteger(UserDefinedType[int]):
    """The SQLite type of a decimal number: an integer; the column type states the scale."""

    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        self.precision = precision
        self.scale = scale

    def get_col_spec(self, **_options: Any) -> str:
        """Return the type for CREATE TABLE."""
        return f"NUMERIC({self.precision}, {self.scale})"


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number of a fixed scale: NUMERIC on PostgreSQL, a scaled integer on SQLite.

    SQLite has no decimal type. An integer of at most 18 digits fits in 64 bits, so comparing and
    sorting are exact.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return ScaledInteger(self.precision, self.scale)
        return dialect.type_descriptor(Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value and value.adjusted() >= self.precision - self.scale:
            raise ValueError("The value has more digits than the column")
        exact = value.quantize(Decimal(1).scaleb(-self.scale))
        if exact != value:
            raise ValueError("The value has more decimal places than the column")
        return int(exact.scaleb(self.scale)) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        number = Decimal(value)
        return number.scaleb(-self.scale) if dialect.name == "sqlite" else number
