"""Small changes that no test of a project notices, each with the reason why none should."""

SURVIVORS: dict[str, str] = {}
