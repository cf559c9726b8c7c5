"""Mutants: small changes of a source file, one at a time, which good tests detect.

No library fits. cosmic-ray replaces each operator with every other one, which is mostly redundant,
and deletes no statements; here, deleted `raise`, calls and `.where` matter most. mutmut requires
its own configuration and test runner. Adapting either would take more code than this module.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.In: ast.NotIn,
}
NEGATED |= {negated: operator for operator, negated in NEGATED.items()}
BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.Gt: ast.GtE}
BOUNDARY |= {other: operator for operator, other in BOUNDARY.items()}

Scoped = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Mutant:
    """One change: its place, which does not depend on line numbers, and the changed source."""

    file: str
    place: str
    before: str
    after: str
    lines: tuple[int, int]
    text: str

    @property
    def key(self) -> str:
        """The name in the list of accepted mutants."""
        return f"{self.file} {self.place}: {self.before} -> {self.after}"


def mutants(file: str, source: str) -> list[Mutant]:
    """Return all mutants of a source file."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for place, node, after in _changes(ast.parse(source), ""):
        start, end = _offsets(source, node)
        before = " ".join(source.encode()[start:end].decode().split())
        seen[place, before, after] += 1
        number = seen[place, before, after]
        text = (source.encode()[:start] + after.encode() + source.encode()[end:]).decode()
        where = place or "module"
        where += f" {number}" * (number > 1)
        lines = (node.lineno, node.end_lineno or node.lineno)
        found.append(Mutant(file, where, before, after, lines, text))
    return found


def _offsets(source: str, node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Return the start and the end of a node, in bytes."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = starts[node.lineno - 1] + node.col_offset
    return start, starts[node.end_lineno - 1] + node.end_col_offset


def _changes(node: ast.AST, place: str) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """Walk a tree, and yield each change as its place, the replaced node and the new text."""
    # Positions within f-strings are wrong before Python 3.12.
    if isinstance(node, ast.JoinedStr):
        return
    for changed, after in _of_node(node):
        yield place, changed, after
    for name, value in ast.iter_fields(node):
        # Decorators and most annotations have no effect on the tested behaviour.
        if name in {"decorator_list", "annotation", "returns"} and not isinstance(
            node, ast.AnnAssign
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                inner = f"{place}.{child.name}".strip(".") if isinstance(child, Scoped) else place
                yield from _changes(child, inner)


def _of_node(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yield the changes of one node."""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield from _negated(node.test)
    elif isinstance(node, ast.comprehension):
        for condition in node.ifs:
            yield from _negated(condition)
    elif isinstance(node, ast.stmt):
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await)
        ):
            yield node, "pass"
    elif isinstance(node, ast.expr):
        for after in _of_expression(node):
            yield node, after


def _of_expression(node: ast.expr) -> Iterator[str]:
    """Yield the replacements of an expression."""
    match node:
        case ast.Compare(left, [operator], others):
            for table in (NEGATED, BOUNDARY):
                if other := table.get(type(operator)):
                    yield f"({ast.unparse(ast.Compare(left, [other()], others))})"
        case ast.BoolOp(operator, values):
            junction = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield f"({ast.unparse(ast.BoolOp(junction, values))})"
        case ast.UnaryOp(ast.Not(), operand):
            yield f"({ast.unparse(operand)})"
        case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
            negated = ast.Sub() if isinstance(sign, ast.Add) else ast.Add()
            yield f"({ast.unparse(ast.BinOp(left, negated, right))})"
        case ast.Constant(int() as value):
            more_or_less = (str(value + 1), f"({value - 1})")
            yield from (str(not value),) if isinstance(value, bool) else more_or_less
        case ast.Call(ast.Attribute(query, "where"), conditions):
            yield ast.unparse(query)
            for rest in _without_one(conditions):
                yield ast.unparse(ast.Call(node.func, rest, []))
        case ast.List(elements) | ast.Tuple(elements):
            for position, element in enumerate(elements):
                if isinstance(element, ast.Starred):
                    rest = elements[:position] + elements[position + 1 :]
                    yield ast.unparse(type(node)(rest, ast.Load()))


def _without_one(nodes: list[ast.expr]) -> list[list[ast.expr]]:
    """Return the lists without one of the nodes, if there are several."""
    return [nodes[:i] + nodes[i + 1 :] for i in range(len(nodes))] if len(nodes) > 1 else []


def _negated(condition: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """Negate a condition, unless its operator is negated elsewhere."""
    if not isinstance(condition, ast.Compare | ast.UnaryOp):
        yield condition, f"(not ({ast.unparse(condition)}))"
