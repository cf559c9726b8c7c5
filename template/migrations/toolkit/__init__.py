"""The migration toolkit: writes revisions that keep existing rows, and runs them safely.

It is the same in every project and maintained as a whole: updates replace it, so do not edit it.
What may be edited are `migrations/env.py` and the revisions in `migrations/versions/`.

What `make migration` writes, from what Alembic's autogenerate finds:

- `directives`: the revisions of a change
- `pieces`, `groups`, `tables`, `defaults`, `unsupported`: their parts, and the values of existing rows
- `rendering`, `reflection`: how types are written, and read from a database

What revisions call:

- `steps`: the operations
- `online`: how PostgreSQL does them while others read and write
- `conversions`, `values`, `refusals`: how values become those of another type, or are refused

What runs them:

- `connections`: one process at a time, with short waits for locks
- `phases`: which revisions come before the new version starts
- `sqlite`: tables that are replaced, with what belongs to them
"""
