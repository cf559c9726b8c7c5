"""Search for a string in columns, case-insensitively, with or without composed accents."""

import unicodedata

from sqlalchemy import ColumnElement, and_, literal, or_, select

from app.db.folding import folded, position
from app.db.scope import Model


def _has(string: ColumnElement[str], wanted: ColumnElement[str]) -> ColumnElement[bool]:
    return position(string, wanted) > 0


def _contains(column: ColumnElement[str], wanted: str) -> ColumnElement[bool]:
    # The database folds both sides, so its version of Unicode may differ from Python's. The
    # subquery folds the wanted string once and not for each row.
    return _has(folded(column), select(folded(literal(wanted))).scalar_subquery())


def _mark(composed: str, decomposed: str) -> str:
    """Return a character that every string containing the decomposed form must contain.

    There may be none: a change of case alone gives some letters an accent, such as `ǰ`, and these
    accents remain when the string is composed.
    """
    if any(map(unicodedata.combining, composed)):
        return ""
    marks = (each for each in decomposed if each not in composed and each.lower() == each.upper())
    return next(marks, "")


def _contains_in_any_form(column: ColumnElement[str], wanted: str) -> ColumnElement[bool]:
    """Search for a string as it was sent, and with its accents composed and decomposed."""
    composed, decomposed = (unicodedata.normalize(form, wanted) for form in ("NFC", "NFD"))
    found = [_contains(column, form) for form in dict.fromkeys((wanted, composed))]
    if decomposed not in {wanted, composed}:
        # Few strings contain such a mark, and the others need not be folded again.
        marked = _has(column, literal(_mark(composed, decomposed)))
        found.append(and_(marked, _contains(column, decomposed)))
    return or_(*found)


def matches(model: Model, wanted: str, *names: str) -> ColumnElement[bool]:
    """Return the condition that one of the columns contains the string; there are no wildcards."""
    columns = [model.__table__.c[name] for name in names]
    return or_(*(_contains_in_any_form(column, wanted) for column in columns))
