"""Decimal numbers, exact from the request to the database and back."""

import re
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# As in JSON: no spaces, no plus sign, no leading zeros.
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class WrittenFloat(float):
    """A float that keeps the text it was parsed from, which may be more precise."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        """Parse a number."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def _require_number(value: Any) -> Any:
    if isinstance(value, WrittenFloat):
        return value.text
    if isinstance(value, float):
        # It has been rounded already.
        raise PydanticCustomError("decimal", 'Decimal must be sent as a string like "12.50"')
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        raise PydanticCustomError("decimal", "Decimal must be a number or a string like 12.50")
    return value


class Exact:
    """Marks exact decimals: strings in responses, strings or numbers in requests."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        plain = core_schema.format_ser_schema("f", when_used="json")
        return core_schema.no_info_before_validator_function(
            _require_number, handler(source), serialization=plain
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.BeforeValidatorFunctionSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if handler.mode == "serialization":
            return {"type": "string"}
        number, text = handler(schema)["anyOf"]
        limits: Any = schema["schema"]
        places = limits["decimal_places"]
        whole = limits["max_digits"] - places
        number = {"exclusiveMinimum": -(10**whole), "exclusiveMaximum": 10**whole, **number}
        sign = "" if limits.get("ge", limits.get("gt", -1)) >= 0 else "-?"
        digits = "(0|[1-9][0-9]{0," + str(whole - 1) + "})" if whole else "0"
        fraction = r"(\.[0-9]{1," + str(places) + "})?" if places else ""
        return {
            "anyOf": [
                {**number, "multipleOf": 10**-places},
                {**text, "pattern": f"^{sign}{digits}{fraction}$"},
            ]
        }


StoredDecimal = Annotated[Decimal, Exact()]
