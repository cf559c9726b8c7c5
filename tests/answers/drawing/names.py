"""Names of resources and fields."""

import re
from itertools import cycle, islice

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.answers.drawing.rules import SNAKE_CASE
from tests.support.rendering import sources

COMMON = [
    *(
        "task",
        "person",
        "category",
        "box",
        "child",
        "bus",
        "news",
        "matrix",
        "day",
        "key",
        "series",
    ),
    *("order", "group", "select", "table", "where", "user", "column", "default", "check", "index"),
    *("type", "match", "case", "status", "completed", "name", "data", "hash", "value", "items"),
    *("yes", "no", "on", "off", "null", "y", "n", "l", "o", "i", "e", "x", "t1", "a1b2", "utf8"),
    *(
        "t2",
        "t10",
        "t010",
        "a_b",
        "aa",
        "uuid4",
        "property",
        "format",
        "input",
        "print",
        "slice",
        "super",
        "exit",
        "range",
        "email",
    ),
    *("title", "titles", "title_gte", "due", "due_lte", "total", "parent", "parent_id", "label"),
    *("label_ids", "owner", "password", "secret", "token", "timestamp", "version", "note", "job"),
]


def names_in_the_code() -> list[str]:
    """Return the names in the template's Python code, in snake_case, because they may clash."""
    found = set()
    for path in sources("template"):
        if ".py" in path.name:
            for word in re.findall(r"[A-Za-z_]\w*", path.read_text(encoding="utf-8")):
                found.add(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower().strip("_"))
    return sorted(word for word in found if SNAKE_CASE.fullmatch(word) and len(word) <= 30)


WORDS = st.one_of(
    st.sampled_from(COMMON),
    st.sampled_from(names_in_the_code()),
    st.from_regex(r"[a-z][a-z0-9]{0,3}(_[a-z0-9]{1,4}){0,2}", fullmatch=True),
)


@st.composite
def names(draw: DrawFn, limit: int = 40) -> str:
    """Draw a name in snake_case of one or several words, or of the maximum length."""
    parts = draw(st.lists(WORDS, min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 2, 3]))))
    if draw(st.integers(0, 7)) == 7:
        parts = list(islice(cycle(parts), 20))
        limit -= draw(st.integers(0, 2))
    return "_".join(parts)[:limit].rstrip("_")
