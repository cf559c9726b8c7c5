"""Realistic values for the fields of a request body, from its JSON schema and the names of the fields."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Annotated, Any
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
TEXTS = {
    ("description", "notes", "note", "details", "body", "text", "content", "comment"): SENTENCES,
    ("message", "summary", "remark", "bio", "reason", "review", "answer", "question"): SENTENCES,
    ("title", "subject", "task", "todo", "headline"): TITLES,
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
# How many values are tried before a field counts as one without valid values.
ATTEMPTS = 60

Schema = dict[str, Any]


class NoValueError(Exception):
    """No valid value was found for a field."""


class Values:
    """Makes valid values of the fields of a schema: the same ones in each run."""

    def __init__(self, schema: type[BaseModel]) -> None:
        self.schema = schema
        self.document: Schema = schema.model_json_schema()
        self.random = Random(schema.__name__)  # noqa: S311
        self.adapters: dict[str, TypeAdapter[Any]] = {
            name: TypeAdapter(Annotated[field.annotation, field])
            for name, field in schema.model_fields.items()
        }

    def is_nullable(self, name: str) -> bool:
        """Return whether a field may be left out, and is null then."""
        return {"type": "null"} in self.document["properties"][name].get("anyOf", [])

    def value(self, name: str, number: int, used: set[str] | None) -> Any:
        """Return the value of a field in a row; it is not among the used values, and joins them.

        Raises:
            NoValueError: no value is left, or none of those that were tried is valid.
        """
        for attempt, value in zip(range(ATTEMPTS), self._candidates(name, number), strict=False):
            try:
                key = repr(self.adapters[name].validate_json(json.dumps(value)))
            except ValidationError:
                continue
            if used is None:
                return value
            if key not in used:
                used.add(key)
                return value
            del attempt
        raise NoValueError(name)

    def _candidates(self, name: str, number: int) -> Iterator[Any]:
        schema = self._resolved(self.document["properties"][name])
        while True:
            yield self._candidate(name, schema, number)
            number += 1

    def _resolved(self, schema: Schema) -> Schema:
        """Return the schema of a value that is not null, with the definition that it refers to."""
        options = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
        if len(options) > 1:  # A decimal: a number, or the same as a string.
            return {**options[0], "type": "decimal"}
        if options:
            return self._resolved(options[0])
        if "$ref" in schema:
            return {**self.document["$defs"][schema["$ref"].rpartition("/")[2]], **schema}
        return schema

    def _candidate(self, name: str, schema: Schema, number: int) -> Any:
        if "enum" in schema:
            return schema["enum"][number % len(schema["enum"])]
        makers: dict[str, Callable[[str, Schema, int], Any]] = {
            "boolean": lambda *_: number % 3 == 1,
            "integer": lambda *_: int(self._number(schema, Decimal(1))),
            "number": lambda *_: float(self._number(schema, Decimal("0.01"))),
            "decimal": lambda *_: str(
                self._number(schema, Decimal(str(schema.get("multipleOf", 1))))
            ),
            "string": self._string,
            "array": self._array,
            "object": lambda *_: dict(
                list({"source": "import", "revision": number, "checked": True}.items())[
                    : schema.get("maxProperties", 3)
                ]
            ),
        }
        return makers[schema["type"]](name, schema, number)

    def _number(self, schema: Schema, step: Decimal) -> Decimal:
        """Return a number between the bounds: a small positive one, if they allow it."""
        bounds = {key: Decimal(str(value)) for key, value in schema.items() if "imum" in key}
        low = max((bounds[key] for key in bounds if "Min" in key or "min" in key), default=None)
        high = min((bounds[key] for key in bounds if "Max" in key or "max" in key), default=None)
        if high is not None and high <= 1:
            low, high = max(low, high - 100) if low is not None else high - 100, high
        else:
            low = max(low, Decimal(0)) if low is not None else Decimal(0)
            high = min(high, low + 100) if high is not None else low + 100
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
        """Return a time in the next or last months, at a full hour of today's calendar."""
        today = dt.datetime.now(dt.UTC).replace(hour=9, minute=0, second=0, microsecond=0)
        ahead = bool(PLANNED & set(name.split("_"))) or self.random.random() < 0.2  # noqa: PLR2004
        days = self.random.randint(2, 60)
        return today + dt.timedelta(days=days if ahead else -days, hours=self.random.randint(0, 8))

    def _text(self, name: str, schema: Schema, number: int) -> str:
        least, most = schema.get("minLength", 1), schema.get("maxLength", 255)
        words = set(name.split("_"))
        texts = next((texts for names, texts in TEXTS.items() if words & set(names)), None)
        text = texts[number % 8] if texts else f"{name.replace('_', ' ').capitalize()} {number + 1}"
        if texts and number >= len(texts):
            text += f" {number // 8 + 1}"
        if len(text) > most:  # Keep what distinguishes it.
            text = f"{number + 1}"[-most:] if most <= 8 else f"{text[: most - 4]} {number + 1}"  # noqa: PLR2004
        return text + "." * (least - len(text))

    def _array(self, _name: str, schema: Schema, number: int) -> list[Any]:
        items = self._resolved(schema["items"])
        count = min(number % 4, schema.get("maxItems", 3))
        return [self._candidate("tag", items, number + 3 * index) for index in range(count)]
