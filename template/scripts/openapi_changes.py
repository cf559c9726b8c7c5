"""Compare two OpenAPI documents: which changes break clients, and which do not.

No maintained Python package compares documents, so this covers what this API's documents have.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from scripts.openapi_schemas import Change, Comparison, listing, mapping

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Errors that a client cannot prevent or does not tell apart: documenting them changes nothing.
UNREMARKABLE = {"401", "413", "422"}
# Errors that say whether a row exists: a client that handles one of them does not expect the other.
TELLING = {"403", "404"}

Operation = dict[str, Any]
Key = tuple[str, str]


def operations(document: dict[str, Any]) -> dict[Key, tuple[str, Operation]]:
    """Return the operations by method and path, where names of path parameters do not count."""
    found = {}
    for path, item in mapping(document.get("paths")).items():
        shared = listing(mapping(item).get("parameters"))
        for method in METHODS:
            if method in mapping(item):
                operation = mapping(item[method])
                parameters = [*shared, *listing(operation.get("parameters"))]
                key = (method, re.sub(r"\{[^{}]*\}", "{}", path))
                name = f"{method.upper()} {path}"
                found[key] = (name, {**operation, "parameters": parameters})
    return found


def parameters(operation: Operation, path: str) -> dict[Key, dict[str, Any]]:
    """Return the parameters by place and name; those of the path by their position."""
    positions = {name: str(at) for at, name in enumerate(re.findall(r"\{([^{}]*)\}", path), 1)}
    found = {}
    for parameter in map(mapping, operation["parameters"]):
        place, name = str(parameter.get("in")), str(parameter.get("name"))
        key = positions.get(name, name) if place == "path" else name
        found[place, key.lower() if place == "header" else key] = parameter
    return found


def contents(body: Any) -> dict[str, Any]:
    """Return the schemas of a body by media type."""
    content = mapping(mapping(body).get("content"))
    return {media_type: mapping(each).get("schema", {}) for media_type, each in content.items()}


def is_success(status: str) -> bool:
    """Return whether a status reports success."""
    return status < "4"


def requires_credentials(security: Any) -> bool:
    """Return whether every alternative of a security requirement has a scheme."""
    return bool(security) and {} not in security


class Documents:
    """Two OpenAPI documents."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Prepare the comparison of schemas."""
        self.old, self.new = operations(old), operations(new)
        self.secured = [document.get("security") for document in (old, new)]
        self.requests = Comparison(old, new, request=True)
        self.responses = Comparison(old, new, request=False)

    def changes(self) -> Iterator[Change]:
        """Yield all changes."""
        added = {key: found for key, found in self.new.items() if key not in self.old}
        named = {operation.get("operationId"): key for key, (_, operation) in added.items()}
        for key, (name, before) in self.old.items():
            moved = named.get(before.get("operationId")) if "operationId" in before else None
            if key in self.new:
                yield from self._operation(name, before, *self.new[key])
            elif moved:
                new_name, after = self.new[moved]
                yield Change(name, f"moved to {new_name}")
                added.pop(moved, None)
                yield from self._operation(name, before, new_name, after, moved=True)
            else:
                yield Change(name, "removed")
        for name, _ in added.values():
            yield Change(name, "added", breaking=False)

    def _operation(
        self, name: str, old: Operation, new_name: str, new: Operation, *, moved: bool = False
    ) -> Iterator[Change]:
        """Yield the changes of an operation that both documents have."""
        yield from self._security(name, old, new)
        before, after = parameters(old, name), parameters(new, new_name)
        if moved:  # Other path parameters are what moved it.
            before, after = (
                {key: value for key, value in each.items() if key[0] != "path"}
                for each in (before, after)
            )
        yield from self._parameters(name, before, after)
        yield from self._body(name, old.get("requestBody"), new.get("requestBody"))
        responses = (mapping(each.get("responses")) for each in (old, new))
        yield from self._responses(name, *responses)

    def _security(self, name: str, old: Operation, new: Operation) -> Iterator[Change]:
        """Yield whether credentials become required."""
        before, after = (
            requires_credentials(operation.get("security", default))
            for operation, default in zip((old, new), self.secured, strict=True)
        )
        if after and not before:
            yield Change(name, "now requires credentials")

    def _parameters(
        self, name: str, old: dict[Key, dict[str, Any]], new: dict[Key, dict[str, Any]]
    ) -> Iterator[Change]:
        """Yield the changes of parameters."""
        for key in old | new:
            place, _ = key
            before, after = old.get(key, {}), new.get(key, {})
            separator = "?" if place == "query" else f" {place} parameter "
            where = f"{name}{separator}{(before or after).get('name')}"
            required = after.get("required") is True
            if not after:
                yield Change(where, "removed")
            elif not before:
                text = "added, and required" if required else "added"
                yield Change(where, text, breaking=required)
            else:
                if required and before.get("required") is not True:
                    yield Change(where, "now required")
                schemas = (each.get("schema", {}) for each in (before, after))
                yield from self.requests.compare(where, *schemas)

    def _body(self, name: str, old: Any, new: Any) -> Iterator[Change]:
        """Yield the changes of a request's body."""
        where = f"{name} request body"
        before, after = contents(old), contents(new)
        required = mapping(new).get("required") is True
        if before and not after:
            yield Change(where, "removed")
        elif after and not before:
            text = "added, and required" if required else "added"
            yield Change(where, text, breaking=required)
        else:
            if required and mapping(old).get("required") is not True:
                yield Change(where, "now required")
            yield from self._contents(where, before, after, self.requests.compare)

    def _responses(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        """Yield the changes of status codes, and of the bodies and headers of responses."""
        before, after = (sorted(filter(is_success, each)) for each in (old, new))
        if before != after:
            yield Change(name, f"status {', '.join(before)} → {', '.join(after)}")
        for status in sorted(old.keys() ^ new.keys()):
            if not is_success(status) and status not in UNREMARKABLE and status < "5":
                if status in new:
                    yield Change(name, f"can now answer {status}")
                else:
                    yield Change(name, f"no longer answers {status}", breaking=status in TELLING)
        # A response whose status changed is compared as well.
        pairs = [(status, status) for status in old if status in new]
        if len(before) == len(after) == 1 and before != after:
            pairs.append((before[0], after[0]))
        for one, other in pairs:
            where = f"{name} response {one}" if is_success(one) else "errors"
            schemas = contents(old[one]), contents(new[other])
            yield from self._contents(where, *schemas, self.responses.compare)
            headers = mapping(mapping(new[other]).get("headers"))
            for header in mapping(mapping(old[one]).get("headers")):
                if header not in headers:
                    yield Change(where, f"no longer has the header {header}")

    @staticmethod
    def _contents(
        where: str,
        old: dict[str, Any],
        new: dict[str, Any],
        compare: Callable[[str, Any, Any], list[Change]],
    ) -> Iterator[Change]:
        """Yield the changes of the content of one request or response."""
        if old and not old.keys() & new.keys():
            types = " → ".join(", ".join(each) or "nothing" for each in (old, new))
            yield Change(where, f"content {types}")
            if len(old) == len(new) == 1:
                yield from compare(where, *old.values(), *new.values())
            return
        for media_type, schema in old.items():
            if media_type in new:
                yield from compare(where, schema, new[media_type])
            else:
                yield Change(where, f"no longer {media_type}")


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return the changes of a document, each once, sorted by what they say."""
    return sorted(
        set(Documents(old, new).changes()), key=lambda change: (change.text, change.where)
    )
