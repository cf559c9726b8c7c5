"""Rows that have expired: whatever adds a row also deletes some of these."""

from datetime import datetime

from sqlalchemy import Delete, Table, delete, select

# More than are added at once.
MAX_DELETED = 100


def delete_some_expired(table: Table, now: datetime) -> Delete:
    """Build the statement that deletes some expired rows, except those that are being deleted."""
    expired = (
        select(table.c.id)
        .where(table.c.expires_at <= now)
        .limit(MAX_DELETED)
        .with_for_update(skip_locked=True)
    )
    return delete(table).where(table.c.id.in_(expired))
