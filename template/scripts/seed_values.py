"""Realistic values for the fields of a request body, from its JSON schema and the names of the fields."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import count, islice
from random import Random
from typing import Annotated, Any, cast
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

FIRST_NAMES = ("Ada", "Grace", "Alan", "Edith", "Linus", "Mary", "Omar", "Yuki")
LAST_NAMES = ("Hopper", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Silva", "Novak", "Haddad")
CITIES = ("Lisbon", "Nairobi", "Kyoto", "Oslo", "Montevideo", "Leipzig", "Chennai", "Halifax")
COUNTRIES = ("Portugal", "Kenya", "Japan", "Norway", "Uruguay", "Germany", "India", "Canada")
COLORS = ("teal", "crimson", "amber", "indigo", "olive", "coral", "navy", "plum")
WORDS = ("home", "work", "urgent", "garden", "travel", "reading", "family", "someday")
NAMES = (
    "Kitchen renovation",
    "Spring launch",
    "Hiring",
    "Garden",
    "Tax return",
    "Website",
    "Holiday in Norway",
    "Book club",
)
TITLES = (
    "Water the plants",
    "Book the train to Lyon",
    "Review the budget for spring",
    "Call the dentist",
    "Fix the dripping tap",
    "Prepare the slides for Monday",
    "Return the library books",
    "Write to Aunt Mary",
)
SENTENCES = (
    "Ask for a receipt, and keep it with the others.",
    "The first draft is in the shared folder.",
    "Nobody has answered yet; try again on Thursday.",
    "This takes about an hour.",
    "See the notes of the last meeting.",
    "It worked last time, so the cause must be new.",
    "Bring the blue folder.",
    "Depends on what the others decide.",
)
# The first of these that is a word in the name of a field decides about its texts.
TEXTS: dict[tuple[str, ...], Sequence[str]] = {
    ("description", "notes", "note", "details", "body", "text", "content", "comment"): SENTENCES,
    ("message", "summary", "remark", "bio", "reason", "review", "answer", "question"): SENTENCES,
    ("title", "subject", "headline", "reminder"): TITLES,
    ("first",): FIRST_NAMES,
    ("last", "surname", "family"): LAST_NAMES,
    ("author", "person", "contact", "assignee", "customer"): [
        f"{first} {last}" for first, last in zip(FIRST_NAMES, LAST_NAMES, strict=True)
    ],
    ("city", "town", "place", "location"): CITIES,
    ("country",): COUNTRIES,
    ("color", "colour"): COLORS,
    ("name", "label", "project", "group", "team"): NAMES,
    ("tag", "category", "topic", "kind"): WORDS,
}
# Words in the names of dates that are usually in the future.
PLANNED = {"due", "deadline", "starts", "start", "ends", "end", "until", "expires", "scheduled"}
# The share of other dates that are in the future as well.
SOME = 0.2
MAX_ITEMS = 3
USUAL_RANGE = 100
LARGEST = Decimal(10) ** 18
# How many values are tried before a field counts as one without valid values.
ATTEMPTS = 60
NULL = {"type": "null"}

Schema = dict[str, Any]


class NoValueError(Exception):
    """No valid value was found for a field."""


class Values:
    """Makes valid values of the fields of a schema: the same ones in each run."""

    def __init__(self, schema: type[BaseModel]) -> None:
        self.schema = schema
        self.document: Schema = schema.model_json_schema()
        self.random = Random(schema.__name__)
        self.adapters: dict[str, TypeAdapter[Any]] = {
            name: TypeAdapter(cast("type[Any]", Annotated[field.annotation, field]))
            for name, field in schema.model_fields.items()
        }

    def is_nullable(self, name: str) -> bool:
        """Return whether a field accepts null."""
        return NULL in self.document["properties"][name].get("anyOf", [])

    def is_required(self, name: str) -> bool:
        """Return whether a field must be sent."""
        return self.schema.model_fields[name].is_required()

    def value(self, name: str, number: int, used: set[str] | None) -> Any:
        """Return a value of a field that is not among the used ones, and add it to them.

        Raises:
            NoValueError: no value is left, or none of those that were tried is valid.
        """
        for value in islice(self._candidates(name, number), ATTEMPTS):
            try:
                key = repr(self.adapters[name].validate_json(json.dumps(value)))
            except ValidationError:
                continue
            if used is None:
                return value
            if key not in used:
                used.add(key)
                return value
        raise NoValueError(name)

    def _candidates(self, name: str, number: int) -> Iterator[Any]:
        schema = self._resolved(self.document["properties"][name])
        for following in count(number):
            yield self._candidate(name, schema, following)

    def _resolved(self, schema: Schema) -> Schema:
        """Return the schema of a value that is not null, with the definition that it refers to."""
        options = [one for one in schema.get("anyOf", []) if one != NULL]
        if len(options) > 1:  # A decimal: a number, or the same as a string.
            return {**options[0], "type": "decimal"}
        if options:
            return self._resolved(options[0])
        if "$ref" in schema:
            return {**self.document["$defs"][schema["$ref"].rpartition("/")[2]], **schema}
        return schema

    def _candidate(self, name: str, schema: Schema, number: int) -> Any:
        """Return a value that is probably valid; that of the next number is another one."""
        if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
            return choices[number % len(choices)]
        match schema.get("type"):
            case "boolean":
                value: Any = number % 3 == 1
            case "integer":
                value = int(self._number(schema, Decimal(1)))
            case "number":
                value = float(self._number(schema, Decimal("0.01")))
            case "decimal":
                step = Decimal(str(schema.get("multipleOf", 1)))
                value = f"{self._number(schema, step):f}"
            case "array":
                value = self._array(schema, number)
            case "object":
                entries = [("source", "import"), ("revision", number), ("checked", True)]
                value = dict(entries[: schema.get("maxProperties", len(entries))])
            case _:
                value = self._string(name, schema, number)
        return value

    def _number(self, schema: Schema, step: Decimal) -> Decimal:
        """Return a number between the bounds: a small positive one, if they allow it."""
        lows = [schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema]
        highs = [schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema]
        least = max((Decimal(str(low)) for low in lows), default=-LARGEST)
        most = min((Decimal(str(high)) for high in highs), default=LARGEST)
        if most <= 1:
            low, high = max(least, most - USUAL_RANGE), most
        else:
            low = max(least, Decimal(0))
            high = min(most, low + USUAL_RANGE)
        part = Decimal(self.random.randint(0, 1000)) / 1000
        return ((low + (high - low) * part) / step).to_integral_value() * step

    def _string(self, name: str, schema: Schema, number: int) -> str:
        match schema.get("format"):
            case "date":
                return self._moment(name).date().isoformat()
            case "date-time":
                return self._moment(name).isoformat()
            case "uuid":
                return str(UUID(int=self.random.getrandbits(128), version=4))
            case "email":
                return self._shortest(schema, self._email(number), f"{number}@b.co", "a@b.co")
            case "uri":
                slug = name.replace("_", "-")
                return self._shortest(
                    schema, f"https://example.com/{slug}/{number + 1}", f"http://{number}.co"
                )
        return self._text(name, schema, number)

    @staticmethod
    def _shortest(schema: Schema, *texts: str) -> str:
        """Return the first text that is not too long, or the last one."""
        fit = (text for text in texts if len(text) <= schema.get("maxLength", len(text)))
        return next(fit, texts[-1])

    @staticmethod
    def _email(number: int) -> str:
        first, last = FIRST_NAMES[number % 8], LAST_NAMES[(number + number // 8) % 8]
        return f"{first}.{last}{number // 8 or ''}@example.com".lower()

    def _moment(self, name: str) -> dt.datetime:
        """Return a full hour in the next two months, or in the last ones."""
        today = dt.datetime.now(dt.UTC).replace(hour=9, minute=0, second=0, microsecond=0)
        days, hours = self.random.randint(2, 60), self.random.randint(0, 8)
        is_planned = not PLANNED.isdisjoint(name.split("_")) or self.random.random() < SOME
        return today + dt.timedelta(days=days if is_planned else -days, hours=hours)

    def _text(self, name: str, schema: Schema, number: int) -> str:
        least, most = int(schema.get("minLength", 1)), int(schema.get("maxLength", 255))
        words = set(name.split("_"))
        texts = next((texts for names, texts in TEXTS.items() if words & set(names)), None)
        counter = f" {number + 1}"
        if texts is None:
            text = name.replace("_", " ").capitalize() + counter
        else:
            text = texts[number % len(texts)] + (counter if number >= len(texts) else "")
        if len(text) > most:  # The number distinguishes what is cut off.
            text = (text[: max(most - len(counter), 0)] + counter).strip()[-most:] if most else ""
        return text + "." * (least - len(text))

    def _array(self, schema: Schema, number: int) -> list[Any]:
        items = self._resolved(schema["items"])
        length = min(number % (MAX_ITEMS + 1), schema.get("maxItems", MAX_ITEMS))
        return [self._candidate("tag", items, number + 3 * index) for index in range(length)]
