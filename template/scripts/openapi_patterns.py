"""Compare regular expressions by their text.

Whether one accepts all that another accepts is recognized in three common cases: other words in a
group like `(low|high)`, other numbers in quantifiers, and classes of excluded characters.
"""

import re

WORDS = re.compile(r"\((\w+(?:\|\w+)*)\)")
EXCLUDED = re.compile(r"\[\^((?:\\.|[^\]\\])*)\]")


def _skeleton(pattern: str) -> tuple[str, list[set[str]], list[int]]:
    """Split a pattern into what must stay, the words of its groups, and its numbers."""
    words = [set(group.split("|")) for group in WORDS.findall(pattern)]
    rest = WORDS.sub("()", pattern)
    numbers = [int(number) for number in re.findall(r"(?<=[{,])\d+(?=[},])", rest)]
    return re.sub(r"(?<=[{,])\d+(?=[},])", "0", rest), words, numbers


def lost_words(old: str, new: str) -> list[str]:
    """Return the words that groups no longer have, if the rest of the pattern stays."""
    before, after = _skeleton(old), _skeleton(new)
    if before[0] != after[0] or len(before[1]) != len(after[1]):
        return []
    return sorted(set().union(*(a - b for a, b in zip(before[1], after[1], strict=True))))


def _lower_bounds(pattern: str) -> list[str]:
    """Return the first numbers of quantifiers, which may only decrease."""
    return re.findall(r"\{(\d+)[,}]", WORDS.sub("()", pattern))


def widens(old: str, new: str) -> bool:
    """Return whether the new pattern is known to accept all that the old one accepts."""
    if old == new:
        return True
    excluded = EXCLUDED.fullmatch(new.removeprefix("^").removesuffix("*$"))
    if excluded:
        rest = EXCLUDED.sub("", old)
        return not rest.strip("^$*+") and all(excluded[1] in each for each in EXCLUDED.findall(old))
    before, after = _skeleton(old), _skeleton(new)
    return (
        before[0] == after[0]
        and len(before[1]) == len(after[1])
        and all(a <= b for a, b in zip(before[1], after[1], strict=True))
        and all(a <= b for a, b in zip(before[2], after[2], strict=True))
        and _lower_bounds(old) == _lower_bounds(new)
    )
