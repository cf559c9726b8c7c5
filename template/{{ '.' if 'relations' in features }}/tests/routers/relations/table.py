"""Which rows refer to which."""

from dataclasses import dataclass

from tests.support.resource import Resource
from tests.support.rows import resource_named
from tests.support.samples import RESOURCES


@dataclass(frozen=True)
class Relation:
    """A field that refers to rows of another resource, or of the same."""

    source: Resource
    key: str
    target: Resource
    # What happens to the source when the target is deleted; links are only removed.
    rule: str = "unlinked"
    nullable: bool = False

    def __str__(self) -> str:
        return f"{self.source}.{self.key}"

    @property
    def bulk(self) -> bool:
        """Whether several rows of the source can be created at once."""
        return "bulk" in self.source.operations

    @property
    def completes(self) -> bool:
        """Whether any row of the source can be completed."""
        return "complete" in self.source.operations and "completed" not in self.source.unique


# A resource of which a user can have one row alone has no other row to refer to.
REFERENCES = [
    Relation(source, key, resource_named(given.target), given.rule, given.nullable)
    for source in RESOURCES
    for key, given in source.references.items()
    if given.target != source.name or source.rows > 1
]

LINKS = [
    Relation(source, key, resource_named(target))
    for source in RESOURCES
    for key, target in source.links.items()
]
