"""The migration toolkit: writes revisions that keep existing rows, and runs them safely.

It is the same in every project and maintained as a whole: updates replace it, so do not edit it.
What may be edited are `migrations/env.py` and the revisions in `migrations/versions/`.

- `directives`: what `make migration` writes, from what Alembic's autogenerate finds
- `rendering`: how that is written in a revision
- `steps`: the operations that revisions call
- `values`: how values of one column type become values of another
- `reflection`: the column types of an existing SQLite database
- `connections`: locks, and checks of foreign keys
"""
