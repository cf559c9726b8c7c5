"""Search for a string in columns, case-insensitively, with or without composed accents."""

import unicodedata
from functools import cache

from sqlalchemy import ColumnElement, String, and_, bindparam, or_, select

from app.db.filters import Condition
from app.db.folding import folded, position
from app.db.statements import Model


def _parameter(name: str) -> ColumnElement[str]:
    return bindparam(f"_search_{name}", type_=String())


def _has(string: ColumnElement[str], wanted: ColumnElement[str]) -> ColumnElement[bool]:
    return position(string, wanted) > 0


def _contains(column: ColumnElement[str], form: str) -> ColumnElement[bool]:
    # The database folds both sides, so its version of Unicode may differ from Python's. The
    # subquery folds the wanted string once and not for each row.
    return _has(folded(column), select(folded(_parameter(form))).scalar_subquery())


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


def _contains_any(column: ColumnElement[str], forms: tuple[str, ...]) -> ColumnElement[bool]:
    found = [_contains(column, form) for form in ("wanted", "composed") if form in forms]
    if "decomposed" in forms:
        # Few strings contain such a mark, and the others need not be folded again.
        marked = _has(column, _parameter("mark"))
        found.append(and_(marked, _contains(column, "decomposed")))
    return or_(*found)


@cache
def _condition(model: Model, names: tuple[str, ...], forms: tuple[str, ...]) -> ColumnElement[bool]:
    columns = [model.__table__.c[name] for name in names]
    return or_(*(_contains_any(column, forms) for column in columns))


def matches(model: Model, wanted: str, *names: str) -> Condition:
    """Return the condition that one of the columns contains the string; there are no wildcards."""
    forms = _forms(wanted)
    values = {f"_search_{name}": form for name, form in forms.items()}
    return Condition(_condition(model, names, tuple(forms)), values)
