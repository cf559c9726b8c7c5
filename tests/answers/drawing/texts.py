"""Strings with characters that a template may fail to escape."""

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

HOSTILE = [
    "It's \"quoted\" '''thrice''' \"\"\"",
    "\\ \\N{BULLET} \\x41 \\u0041 \\",
    "{{ 7 + 7 }} {% raw %} {# note #} {0} {name} {",
    "${{ secrets.X }} $HOME %s %(a)s `tick`",
    "# hash --> */ <b> & | *bold* _it_ [a](b) ~x~",
    "SELECT * FROM t WHERE a = 1",
    *("'", '"', "\\", "{", "}", "#", "-", "- a", "1. b", "a: b", "yes", "null", "~", "2024-01-01"),
    *("/var/tmp/x", "0.0.0.0", "# noqa", "# type: ignore", "TODO: x", " padded ", "True", "0x1f"),
    *(
        "é 🦊 日本語",
        "👩\u200d👩\u200d👧",
        "e\u0301",
        "ﬁ",
        "\u00a0x",
        "x\u00ad",
        "ß",
        "İ",
        "\u2060",
    ),
    *("؟ سلام", "1e3", ".inf", "|", ">", "%", "@", "!", "&a", "*a", "?", ",", "[", "]"),
]
INVISIBLE = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
CHARACTERS = st.characters(
    exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters=INVISIBLE
)


@st.composite
def texts(draw: DrawFn, longest: int, shortest: int = 0, *, blank: bool = False) -> str:
    """Draw a string of one line whose length is within the bounds."""
    text = draw(
        st.one_of(
            st.sampled_from(HOSTILE),
            st.lists(st.sampled_from(HOSTILE), max_size=4).map(" ".join),
            st.text(CHARACTERS, max_size=30),
            st.builds(lambda piece: piece * longest, st.sampled_from(["x", "é", "🦊", "'", '"'])),
        )
    )[:longest]
    text += "x" * (shortest - len(text))
    return text if blank or text.strip() else "x" * max(1, shortest)
