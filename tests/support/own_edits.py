"""Own lines that the owner of a project adds to its files, by the place where they go."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# Returns the text of a file with own lines in it.
Place = Callable[[str, str], str]


def insert(text: str, line: int, own: str) -> str:
    """Insert own lines behind a line, which is counted from 1."""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], own, *lines[line:]])


def end(text: str, own: str) -> str:
    """At the end of the file, which may be new."""
    return text + own


def after(anchor: str) -> Place:
    """Behind a string that the file contains once."""

    def place(text: str, own: str) -> str:
        assert text.count(anchor) == 1, f"not one {anchor!r}"
        return text.replace(anchor, anchor + own)

    return place


def before(anchor: str) -> Place:
    """In front of a string that the file contains once."""

    def place(text: str, own: str) -> str:
        assert text.count(anchor) == 1, f"not one {anchor!r}"
        return text.replace(anchor, own + anchor)

    return place


def instead(anchor: str) -> Place:
    """In the place of a string that the file contains once."""

    def place(text: str, own: str) -> str:
        assert text.count(anchor) == 1, f"not one {anchor!r}"
        return text.replace(anchor, own)

    return place


def class_in(text: str, name: str) -> ast.ClassDef:
    """Return a class of a module."""
    [found] = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    return found


def first_in(name: str) -> Place:
    """First in a class, below its docstring."""

    def place(text: str, own: str) -> str:
        return insert(text, class_in(text, name).body[0].end_lineno or 0, f"\n{own}")

    return place


def last_in(name: str) -> Place:
    """Last in a class."""

    def place(text: str, own: str) -> str:
        return insert(text, class_in(text, name).end_lineno or 0, own)

    return place


def below_imports(text: str, own: str) -> str:
    """Below all imports."""
    imports = [
        node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return insert(text, imports[-1].end_lineno or 0, f"\n{own}")


def imports_apart(text: str, own: str) -> str:
    """Imports in a block of their own, unless they are there."""
    return text if own in text else below_imports(text, f"# isort: split\n{own}")


def imports_apart_in_schemas(text: str, own: str) -> str:
    """Imports in a block of their own, above those of the app."""
    above = before("from app.models import ")
    return text if own in text else above(text, f"# isort: split\n{own}\n")


def above_first(*kinds: type[ast.AST]) -> Place:
    """Above the first function, or the first class."""

    def place(text: str, own: str) -> str:
        [found, *_] = [node for node in ast.parse(text).body if isinstance(node, kinds)]
        decorators = getattr(found, "decorator_list", [])
        line = min(node.lineno for node in [found, *decorators])  # type: ignore[attr-defined]
        return insert(text, line - 1, f"{own}\n\n")

    return place


FIRST_FUNCTION = above_first(ast.FunctionDef, ast.AsyncFunctionDef)
FIRST_CLASS = above_first(ast.ClassDef)


@dataclass(frozen=True)
class Part:
    """Own lines in one file."""

    path: str
    own: str
    place: Place

    def apply(self, text: str) -> str:
        """Return the text of the file with the own lines."""
        return self.place(text, self.own)


@dataclass(frozen=True)
class Kind:
    """A kind of own edits: in the documented places, and elsewhere."""

    name: str
    documented: list[Part]
    elsewhere: list[Part]


def own_member(name: str, path: str, cls: str, own: str, *imported: tuple[str, str]) -> Kind:
    """Return the kind of a member of a class; imports come with the line that they would follow."""
    apart = imports_apart_in_schemas if path.startswith("app/schemas/") else imports_apart
    return Kind(
        name,
        [
            *(Part(path, line, apart) for line, _ in imported),
            Part(path, own, first_in(cls)),
        ],
        [
            *(Part(path, line, after(anchor)) for line, anchor in imported),
            Part(path, own, last_in(cls)),
        ],
    )


def anywhere(name: str, *parts: Part) -> Kind:
    """Return a kind of edits in files that no answer changes there."""
    return Kind(name, [*parts], [*parts])


def edited(files: dict[str, str], parts: Iterable[Part]) -> dict[str, str]:
    """Return the edited files of a project, given all its files."""
    found: dict[str, str] = {}
    for part in parts:
        text = found.get(part.path, files.get(part.path, ""))
        found[part.path] = part.apply(text)
    return found
