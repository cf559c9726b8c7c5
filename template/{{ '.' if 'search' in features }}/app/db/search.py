"""Search for a string in columns, case-insensitively, with or without composed accents."""

import unicodedata
from collections.abc import Callable
from functools import cache

from sqlalchemy import ColumnElement, String, and_, bindparam, or_, select

from app.db.filters import Condition
from app.db.folding import folded, like, pattern, position
from app.db.statements import Model

# The length from which the index of docs/search.md finds strings; None without the index. It has
# sequences of three characters, and would be read as a whole for shorter strings.
INDEXED_LENGTH: int | None = None

Comparison = Callable[[ColumnElement[str], ColumnElement[str]], ColumnElement[bool]]


def _parameter(name: str) -> ColumnElement[str]:
    return bindparam(f"_search_{name}", type_=String())


def _has(string: ColumnElement[str], wanted: ColumnElement[str]) -> ColumnElement[bool]:
    return position(string, select(wanted).scalar_subquery()) > 0


def _is_like(string: ColumnElement[str], wanted: ColumnElement[str]) -> ColumnElement[bool]:
    return like(string, select(pattern(wanted)).scalar_subquery())


def _contains(column: ColumnElement[str], form: str, has: Comparison) -> ColumnElement[bool]:
    # The database folds both sides, so its version of Unicode may differ from Python's. The wanted
    # string is in a subquery, which folds it once and not for each row.
    return has(folded(column), folded(_parameter(form)))


def _mark(composed: str, decomposed: str) -> str:
    """Return a character that every string containing the decomposed form must contain.

    There may be none: a change of case alone gives some letters an accent, such as `ǰ`, and these
    accents remain when the string is composed.
    """
    if any(map(unicodedata.combining, composed)):
        return ""
    marks = (each for each in decomposed if each not in composed and each.lower() == each.upper())
    return next(marks, "")


def _forms(wanted: str) -> dict[str, str]:
    """Return the forms to search for: as it was sent, and with its accents composed and decomposed."""
    composed, decomposed = (unicodedata.normalize(form, wanted) for form in ("NFC", "NFD"))
    forms = {"wanted": wanted}
    if composed != wanted:
        forms["composed"] = composed
    if decomposed not in {wanted, composed}:
        forms |= {"decomposed": decomposed, "mark": _mark(composed, decomposed)}
    return forms


def _contains_any(
    column: ColumnElement[str], forms: tuple[str, ...], has: Comparison
) -> ColumnElement[bool]:
    found = [_contains(column, form, has) for form in ("wanted", "composed") if form in forms]
    if "decomposed" in forms:
        # Few strings contain such a mark, and the others need not be folded again.
        marked = position(column, _parameter("mark")) > 0
        found.append(and_(marked, _contains(column, "decomposed", has)))
    return or_(*found)


@cache
def _condition(
    model: Model, names: tuple[str, ...], forms: tuple[str, ...], has: Comparison
) -> ColumnElement[bool]:
    columns = [model.__table__.c[name] for name in names]
    return or_(*(_contains_any(column, forms, has) for column in columns))


def matches(model: Model, wanted: str, *names: str) -> Condition:
    """Return the condition that one of the columns contains the string; there are no wildcards."""
    forms = _forms(wanted)
    values = {f"_search_{name}": form for name, form in forms.items()}
    is_indexed = INDEXED_LENGTH is not None and len(wanted) >= INDEXED_LENGTH
    has = _is_like if is_indexed else _has
    return Condition(_condition(model, names, tuple(forms), has), values, is_indexed)
