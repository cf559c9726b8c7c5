"""The macros that make names and literals."""

import ast
import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.hooks import module
from tests.support.rendering import ROOT

names = module("write/names")

ALPHABET = "ab '\"\\{}#$%\n\t\r\x00\x1b\x7fé🦊\u200d日` /N{u"


def texts() -> list[str]:
    """Texts of every mixture of quotes, backslashes and signs, the same at each run."""
    dice = random.Random(2)
    drawn = ["".join(dice.choices(ALPHABET, k=dice.randrange(12))) for _ in range(3000)]
    return ["", "'", '"', "\\", "'\"", "''\"", '\'""', "\\'", '\\"', "'''", '"""', *drawn]


def test_a_python_literal_means_the_text_and_needs_no_formatter(tmp_path: Path) -> None:
    lines = [f"x = {names.py(text)}" for text in texts()]
    assert [ast.literal_eval(line[4:]) for line in lines] == texts()
    written = tmp_path / "literals.py"
    written.write_bytes(("\n".join(lines) + "\n").encode())
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "format", "--quiet", "--isolated", written], check=True)
    assert written.read_bytes().decode().removesuffix("\n").split("\n") == lines


def test_a_toml_or_yaml_string_means_the_text() -> None:
    for text in texts():
        plain = text.replace("\x7f", "")
        assert tomllib.loads(f"x = {names.toml(plain)}") == {"x": plain}
        assert yaml.safe_load(f"x: {names.yaml(plain)}") == {"x": plain}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("task", "tasks"),
        ("category", "categories"),
        ("box", "boxes"),
        ("bus", "buses"),
        ("status", "statuses"),
        ("branch", "branches"),
        ("dish", "dishes"),
        ("class_", "class_s"),
        ("day", "days"),
        ("key", "keys"),
        ("hero", "heroes"),
        ("todo", "todos"),
        ("photo", "photos"),
        ("person", "people"),
        ("salesperson", "salespeople"),
        ("child", "children"),
        ("grandchild", "grandchildren"),
        ("knife", "knives"),
        ("roof", "roofs"),
        ("analysis", "analyses"),
        ("quiz", "quizzes"),
        ("epoch", "epochs"),
        ("human", "humans"),
        ("work_item", "work_items"),
        ("blog_entry", "blog_entries"),
        ("news", "news_items"),
        ("company_news", "company_news_items"),
        ("y", "ys"),
        ("a1", "a1s"),
    ],
)
def test_the_plural_of_a_name(name: str, expected: str) -> None:
    assert names.plural(name) == expected


def test_a_plural_is_never_the_singular() -> None:
    for name in (*names.IRREGULAR, *names.UNCOUNTABLE, "x", "series_", "fish_tank"):
        assert names.plural(name) != name


@pytest.mark.parametrize(
    ("name", "pascal", "words"),
    [("task", "Task", "task"), ("work_item", "WorkItem", "work item"), ("a_1b", "A1b", "a 1b")],
)
def test_the_class_and_the_label_of_a_name(name: str, pascal: str, words: str) -> None:
    assert names.pascal(name) == pascal
    assert names.words(name) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Todo Backend", "todo-backend"),
        ("Übersicht", "bersicht"),
        ("日本語", "todo-backend"),
        ("2024", "todo-backend"),
        ("1st Choice!", "st-choice"),
        ("--", "todo-backend"),
        ("", "todo-backend"),
        ("FastAPI", "fastapi-backend"),
        ("x" * 59 + " y", "x" * 59),
    ],
)
def test_the_slug_of_a_text(text: str, expected: str) -> None:
    assert names.slug(text) == expected


def test_a_slug_is_no_distribution_that_the_project_installs() -> None:
    """The pins of this repository's own environment are a part of them."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    shared = {"anyio", "click", "pydantic", "pytest", "ruff", "typing-extensions"}
    installed = {package["name"] for package in locked} & shared
    assert installed <= set(names.DISTRIBUTIONS)
    assert sorted(set(names.DISTRIBUTIONS)) == names.DISTRIBUTIONS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Todo Backend", "Todo Backend"),
        ("a_b *c* `d`", r"a\_b \*c\* \`d\`"),
        ("[x](y) <b> | $z$ &amp; ~~s~~", r"\[x\](y) \<b\> \| \$z\$ \&amp; \~\~s\~\~"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        (" padded ", "padded"),
        ("a - b # c", "a - b # c"),
        ("\\", r"\\"),
    ],
)
def test_markdown_shows_the_text(text: str, expected: str) -> None:
    assert names.md(text) == expected
