"""Response bodies: nulls that another version of the app has stored."""

import json
import warnings
from datetime import UTC, datetime

from app.schemas.base import ReadSchema

SENT_AT = datetime(2030, 1, 31, 12, tzinfo=UTC)


class ParcelRead(ReadSchema):
    weight: float
    sent_at: datetime
    labels: list[str]
    note: str | None


class LetterRead(ParcelRead):
    stamps: int


def test_a_null_in_a_required_field_is_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for schema in (ParcelRead, LetterRead):
            row = dict.fromkeys(schema.model_fields)
            assert json.loads(schema.model_validate(row).model_dump_json()) == row
        letter = LetterRead(weight=1, sent_at=SENT_AT, labels=["a"], note=None, stamps=2)
        assert json.loads(letter.model_dump_json()) == {
            "weight": 1,
            "sent_at": "2030-01-31T12:00:00Z",
            "labels": ["a"],
            "note": None,
            "stamps": 2,
        }


def test_only_nullable_fields_are_documented_as_such() -> None:
    properties = LetterRead.model_json_schema(mode="serialization")["properties"]
    assert [name for name, schema in properties.items() if "null" in str(schema)] == ["note"]
