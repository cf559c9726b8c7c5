"""Sets of answers with one fault, and words that the message must contain."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.answers import wrong
from tests.answers.drawing.rules import SCALARS, SUFFIXES, TYPES, Answers, Spec, plural_of, reserved
from tests.answers.drawing.texts import texts
from tests.answers.drawing.valid import valid


@dataclass(frozen=True)
class Broken:
    """A set with one fault, and words that the message must contain."""

    answers: Answers
    words: tuple[str, ...]


Fault = Callable[[DrawFn, Answers, str, Answers], tuple[str, ...] | None]


def field_mappings(answers: Answers) -> list[tuple[str, Answers]]:
    """Return the fields of each resource, with their name in messages."""
    further = answers.get("more_resources", [])
    found = [(f"more_resources.{one['name']}.fields", one["fields"]) for one in further]
    return [("fields", answers["fields"]), *found]


def put(fields: Answers, name: str, spec: Any) -> None:  # noqa: ANN401
    """Put a field at the end."""
    fields.pop(name, None)
    fields[name] = spec


def wrong_question(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """An unknown question."""
    name = draw(st.sampled_from(["resource_nam", "Fields", "field", "resources", "id", "tasks"]))
    answers[name] = "x"
    return ("unknown question", f'"{name}"')


def wrong_choice(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A value that is not among the choices."""
    name = draw(
        st.sampled_from(
            [
                *("id_type", "user_id_type", "pagination", "auth"),
                *("route_scope", "update_method", "error_format"),
            ]
        )
    )
    answers[name] = draw(st.sampled_from(["UUID", "", "none", True, 7, None, ["uuid"], {"a": 1}]))
    return (f"{name}: ",)


def wrong_kind(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A value of the wrong type."""
    name, values = draw(
        st.sampled_from(
            [
                ("project_name", [True, 7, None, ["a"], {"a": "b"}, 1.5]),
                ("resource_name", [False, 7, None, ["a"]]),
                ("resource_plural", [False, 7, ["a"]]),
                ("api_prefix", [1, True, ["/api"]]),
                ("user_scoped", ["maybe", 2, None, [], "ja"]),
                ("soft_delete", ["maybe", 2, None, []]),
                ("mail", ["maybe", 2, None, []]),
                ("fields", [None, True, 7, [], "title", ["title"], {}]),
                ("more_resources", [True, 7, {"name": "a"}, "a", ["a"], [None], [7]]),
                ("operations", [None, True, "export", ["export"], {"stats": True}, [["stats"]]]),
            ]
        )
    )
    answers[name] = draw(st.sampled_from(values))
    return (name,)


def wrong_text(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A string that is blank, too long, or has line breaks, control or invisible characters."""
    marks = [
        "\n",
        "\0",
        "\t",
        "\x1b",
        "\x7f",
        "\x85",
        "\u2028",
        "\ud800",
        "\u202e",
        "\ufeff",
        "\u200b",
    ]
    mark = draw(st.sampled_from(marks))
    name, longest = draw(st.sampled_from([("project_name", 80), ("project_description", 300)]))
    text = draw(texts(longest - 1))
    answers[name] = draw(
        st.sampled_from([text + mark, mark + text, "", "   ", "x" * (longest + 1), "\u00a0"])
    )
    return (f"{name}: ",)


def wrong_prefix(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A prefix that is not a valid path."""
    answers["api_prefix"] = draw(st.sampled_from(list(wrong.PREFIXES)))
    return ("api_prefix: ",)


def wrong_name(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A resource name that is invalid or reserved."""
    taken = st.sampled_from(sorted(set(reserved.RESOURCES)))
    name = draw(st.one_of(st.sampled_from(wrong.NAMES), taken, st.sampled_from([True, 7, 1.5])))
    if draw(st.booleans()):
        answers["resource_name"] = name
        return ("resource_name: ",)
    answers.setdefault("more_resources", []).append({"name": name, "fields": {"title": "str"}})
    return ("more_resources.", ".name: ")


def wrong_plural(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A plural that is invalid, reserved, or equal to the singular."""
    taken = st.sampled_from(sorted(set(reserved.PLURALS)))
    others = st.sampled_from(["pg_rows", "ix_rows", answers["resource_name"], "p" * 39])
    answers["resource_plural"] = draw(st.one_of(st.sampled_from(wrong.NAMES), taken, others))
    return ("resource_plural: ",)


def wrong_field_name(
    draw: DrawFn, answers: Answers, where: str, fields: Answers
) -> tuple[str, ...]:
    """A field name that is invalid or reserved."""
    taken = sorted({*reserved.FIELDS, "model_x", "id_1", "param_2"})
    plain = [
        name for name in wrong.NAMES if name.isascii() and name.isprintable() and len(name) < 40
    ]
    name = draw(st.one_of(st.sampled_from(plain), st.sampled_from(taken)))
    put(fields, name, draw(st.sampled_from(SCALARS[:5])))
    return (f"{where}.{name}: ",)


def wrong_key(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A field name that is not a string in YAML."""
    name = draw(st.sampled_from([True, False, 7, 1.5, None]))
    fields[name] = "str"
    return (f"{where}.{name}: ", "quote it")


def wrong_type(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A field type that is unknown or missing."""
    types = ["string", "STR", "varchar", "", None, 7, ["str"], "enum ", {"str": 1}]
    kind = draw(st.sampled_from(types))
    spec = kind if draw(st.booleans()) and not isinstance(kind, dict) else {"type": kind}
    put(fields, "broken", spec)
    return (f"{where}.broken",)


def wrong_option(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """An option of another field type, or an unknown option."""
    kind = draw(st.sampled_from(SCALARS))
    every = {option for own in TYPES.values() for option in own} - set(TYPES[kind])
    option = draw(st.sampled_from(sorted({*every, "Required", "nullable", "max_lenght", "pk"})))
    put(
        fields,
        "broken",
        {"type": kind, "choices": ["a"], option: 1}
        if kind == "enum"
        else {"type": kind, option: 1},
    )
    return (f"{where}.broken: ", f'"{option}"')


def wrong_common(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A common option with an invalid value."""
    option = draw(st.sampled_from(list(wrong.COMMON)))
    value, _ = draw(st.sampled_from(wrong.COMMON[option]))
    kind = draw(st.sampled_from(["str", "int", "date", "json", "bool"]))
    put(fields, "broken", {"type": kind, option: value})
    return (f"{where}.broken.{option}: ",)


def wrong_value(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """An option of the field type with an invalid value."""
    option, spec, _ = draw(st.sampled_from(wrong.OPTIONS))
    put(fields, "broken", copy.deepcopy(spec))
    return (f"{where}.broken.{option}" if option else f"{where}.broken: ",)


def wrong_default(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A default that is invalid for its field."""
    _, spec, _ = draw(st.sampled_from(wrong.DEFAULTS))
    put(fields, "broken", copy.deepcopy(spec))
    return (f"{where}.broken.default",)


def wrong_reference(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A reference to a missing resource, or with conflicting options."""
    main = answers["resource_name"]
    spec: Spec
    option, spec = draw(
        st.sampled_from(
            [
                ("to", {"type": "reference", "to": "no_such_resource"}),
                ("to", {"type": "references", "to": "no_such_resource"}),
                ("to", {"type": "reference"}),
                ("to", {"type": "references", "to": None}),
                ("to", {"type": "reference", "to": 7, "required": False}),
                ("to", {"type": "reference", "to": [main]}),
                ("on_delete", {"type": "reference", "to": main, "on_delete": "explode"}),
                ("on_delete", {"type": "reference", "to": main, "on_delete": "set_null"}),
                ("default", {"type": "reference", "to": main, "required": False, "default": 1}),
                ("required", {"type": "references", "to": main, "required": True}),
                ("unique", {"type": "references", "to": main, "unique": True}),
            ]
        )
    )
    put(fields, "brk", dict(spec))
    return (f"{where}.brk.{option}: ",)


def wrong_cycle(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A cycle of required references."""
    main = answers["resource_name"]
    if draw(st.booleans()):
        put(answers["fields"], "brk", {"type": "reference", "to": main})
    else:
        put(answers["fields"], "brk", {"type": "reference", "to": "zz"})
        back = {"name": "zz", "fields": {"brk": {"type": "reference", "to": main}}}
        answers.setdefault("more_resources", []).append(back)
    return ("cycle", main)


def wrong_clash(  # noqa: PLR0911
    draw: DrawFn, answers: Answers, where: str, fields: Answers
) -> tuple[str, ...]:
    """Two resources or fields whose names clash."""
    further = answers.setdefault("more_resources", [])
    plural = answers.get("resource_plural", plural_of(answers["resource_name"]))
    one: Answers = {"name": "zz", "fields": {"title": "str"}}
    further.append(one)
    how = draw(st.sampled_from(["name", "plural", "suffix", "key", "filter", "former", "link"]))
    if how == "name":
        one |= {"name": answers["resource_name"], "plural": "zzz"}
        return (f"more_resources.{one['name']}.name: ", "another resource")
    if how == "plural":
        one["plural"] = plural
        return ("more_resources.zz.plural: ", "plural of")
    if how == "suffix":
        further.append({"name": "zz_a_link", "fields": {"title": "str"}})
        return ("more_resources.zz_a_link.name: ", "belongs to zz")
    where = "more_resources.zz.fields"
    if how == "key":
        one["fields"] = {
            "brk": {"type": "reference", "to": "zz", "required": False},
            "brk_id": "int",
        }
        return (f"{where}.brk_id: ", "rename one")
    if how == "filter":
        one["fields"] = draw(st.permutations([("brk", "date"), ("brk_gte", "str")]).map(dict))
        return (f"{where}.brk_gte: ", "filter of brk")
    if how == "former":
        one["fields"] = {"a": {"type": "str", "renamed_from": "b"}, "b": "str"}
        return (f"{where}.a.renamed_from: ", '"b"')
    one["fields"] = {"zz": {"type": "references", "to": "zz"}}
    return (f"{where}.zz: ", "both columns")


def wrong_length(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """Names that are too long for PostgreSQL, or too many fields."""
    if draw(st.booleans()):
        name = "b" * 40
        table = {
            "name": "zz",
            "plural": "z" * 38,
            "fields": {name: {"type": "int", "unique": True}},
        }
        answers.setdefault("more_resources", []).append(table)
        return (f"more_resources.zz.fields.{name}: ", "63")
    fields |= {f"brk{number}": "int" for number in range(61)}
    return (f"{where}: ", "60")


def wrong_further(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A further resource with an invalid key or value."""
    key, value, words = draw(
        st.sampled_from(
            [
                ("user_scoped", "no", "more_resources.zz.user_scoped: "),
                ("user_scoped", None, "more_resources.zz.user_scoped: "),
                ("operations", ["export"], "more_resources.zz.operations: "),
                ("operations", ["complete"], "more_resources.zz.operations: "),
                ("operations", "stats", "more_resources.zz.operations: "),
                ("operations", None, "more_resources.zz.operations: "),
                ("plural", "stats", "more_resources.zz.plural: "),
                ("plural", None, "more_resources.zz.plural: "),
                ("plural", "zz", "more_resources.zz.plural: "),
                ("scoped", True, '"scoped"'),
                (7, True, '"7"'),
                ("fields", {}, "more_resources.zz.fields: "),
                ("fields", None, "more_resources.zz.fields: "),
            ]
        )
    )
    one: Answers = {"name": "zz", "fields": {"n": "int"}, key: value}
    answers.setdefault("more_resources", []).append(one)
    return (words,)


def wrong_owner(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """A reference from a shared resource to one that users own."""
    shared = {
        "name": "zz",
        "user_scoped": False,
        "fields": {"brk": {"type": draw(st.sampled_from(list(SUFFIXES))), "to": "zy"}},
    }
    owned = {"name": "zy", "fields": {"title": "str"}}
    answers.setdefault("more_resources", []).extend(draw(st.permutations([shared, owned])))
    return ("more_resources.zz.fields.brk.to: ", "zy belongs to users")


def wrong_mail(draw: DrawFn, answers: Answers, where: str, fields: Answers) -> tuple[str, ...]:
    """Mail to the users of another service."""
    answers |= {"auth": "external", "mail": draw(st.sampled_from([True, "yes"]))}
    return ("mail: ", "auth: external")


FAULTS = [
    wrong_question, wrong_choice, wrong_kind, wrong_text, wrong_prefix, wrong_name, wrong_plural,
    wrong_field_name, wrong_key, wrong_type, wrong_option, wrong_common, wrong_value, wrong_default,
    wrong_reference, wrong_cycle, wrong_clash, wrong_length, wrong_further, wrong_owner,
    wrong_mail,
]  # fmt: skip


@st.composite
def broken(draw: DrawFn) -> Broken:
    """Draw a valid set, and add one fault."""
    answers = copy.deepcopy(draw(valid()))
    where, fields = draw(st.sampled_from(field_mappings(answers)))
    fault = draw(st.sampled_from(FAULTS))
    return Broken(answers, fault(draw, answers, where, fields))
