"""The macros in hooks/write/names.jinja."""

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
    """Return strings that mix quotes, backslashes and other characters, the same in each run."""
    dice = random.Random(2)
    drawn = ["".join(dice.choices(ALPHABET, k=dice.randrange(12))) for _ in range(3000)]
    return ["", "'", '"', "\\", "'\"", "''\"", '\'""', "\\'", '\\"', "'''", '"""', *drawn]


def test_py_returns_a_formatted_literal(tmp_path: Path) -> None:
    lines = [f"x = {names.py(text)}" for text in texts()]
    assert [ast.literal_eval(line[4:]) for line in lines] == texts()
    written = tmp_path / "literals.py"
    written.write_bytes(("\n".join(lines) + "\n").encode())
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "format", "--quiet", "--isolated", written], check=True)
    assert written.read_bytes().decode().removesuffix("\n").split("\n") == lines


def test_toml_and_yaml_return_literals() -> None:
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
def test_plural(name: str, expected: str) -> None:
    assert names.plural(name) == expected


def test_plural_differs_from_the_singular() -> None:
    for name in (*names.IRREGULAR, *names.UNCOUNTABLE, "x", "series_", "fish_tank"):
        assert names.plural(name) != name


@pytest.mark.parametrize(
    ("name", "pascal", "words"),
    [("task", "Task", "task"), ("work_item", "WorkItem", "work item"), ("a_1b", "A1b", "a 1b")],
)
def test_pascal_and_words(name: str, pascal: str, words: str) -> None:
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
def test_slug(text: str, expected: str) -> None:
    assert names.slug(text) == expected


def test_distributions_include_installed_packages() -> None:
    """This compares the packages that this repository and the projects have in common."""
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
def test_md_escapes_markdown(text: str, expected: str) -> None:
    assert names.md(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("task", "a"),
        ("agent", "an"),
        ("invoice", "an"),
        ("unit", "a"),
        ("university", "a"),
        ("unimportant_note", "an"),
        ("union", "a"),
        ("user", "a"),
        ("usage_report", "a"),
        ("utility", "a"),
        ("umbrella", "an"),
        ("one_time_code", "a"),
        ("onboarding", "an"),
        ("hour", "an"),
        ("honest_review", "an"),
        ("house", "a"),
        ("european_order", "a"),
        ("event", "an"),
    ],
)
def test_article_follows_the_sound(name: str, expected: str) -> None:
    assert names.article(name) == expected
