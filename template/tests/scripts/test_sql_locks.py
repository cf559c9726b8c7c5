"""The locks of SQL statements."""

import pytest

from scripts.sql_locks import lock, statements


def test_sql_is_split_into_statements() -> None:
    sql = """
    BEGIN;
    -- A comment; with a semicolon
    ALTER TABLE "a;b"
        ADD COLUMN c VARCHAR DEFAULT 'it''s; fine'; /* more; */
    DO $do$ BEGIN PERFORM 1; END $do$;
    SET LOCAL lock_timeout = '5s';
    INSERT INTO alembic_version (version_num) VALUES ('a');
    COMMIT;
    """
    assert statements(sql) == [
        """ALTER TABLE "a;b" ADD COLUMN c VARCHAR DEFAULT 'it''s; fine'""",
        "DO $do$ BEGIN PERFORM 1; END $do$",
    ]


@pytest.mark.parametrize(
    ("statement", "name", "blocks"),
    [
        ("ALTER TABLE a ADD COLUMN b INTEGER", "ACCESS EXCLUSIVE", "reads and writes, briefly"),
        ("alter table a drop column b", "ACCESS EXCLUSIVE", "reads and writes, briefly"),
        ("ALTER TABLE a ALTER COLUMN b TYPE TEXT", "ACCESS EXCLUSIVE", "written again"),
        ("ALTER TABLE a ALTER COLUMN b SET NOT NULL", "ACCESS EXCLUSIVE", "all rows are read"),
        ("ALTER TABLE a ADD CONSTRAINT c UNIQUE (b)", "ACCESS EXCLUSIVE", "all rows are read"),
        ("ALTER TABLE a ADD CONSTRAINT c UNIQUE USING INDEX d", "ACCESS EXCLUSIVE", "briefly"),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)", "ACCESS EXCLUSIVE", "all rows are read"),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID", "ACCESS EXCLUSIVE", "briefly"),
        ("ALTER TABLE a VALIDATE CONSTRAINT c", "SHARE UPDATE EXCLUSIVE", "neither"),
        (
            "ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY(b) REFERENCES d (id)",
            "SHARE ROW EXCLUSIVE on both tables",
            "writes while all rows are read",
        ),
        (
            "ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY(b) REFERENCES d (id) NOT VALID",
            "SHARE ROW EXCLUSIVE on both tables",
            "writes, briefly",
        ),
        ("CREATE UNIQUE INDEX a ON b (c)", "SHARE", "writes, not reads"),
        ("CREATE UNIQUE INDEX CONCURRENTLY a ON b (c)", "SHARE UPDATE EXCLUSIVE", "neither"),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS a ON b (c)", "SHARE UPDATE EXCLUSIVE", "neither"),
        ("DROP INDEX a", "ACCESS EXCLUSIVE", "reads and writes, briefly"),
        ("DROP INDEX CONCURRENTLY a", "SHARE UPDATE EXCLUSIVE", "neither"),
        ("CREATE TABLE a (b INTEGER)", "no lock on a table with rows", "neither"),
        ("CREATE TABLE a (b INTEGER, FOREIGN KEY(b) REFERENCES c (id))", "SHARE ROW", "briefly"),
        ("ALTER TYPE a ADD VALUE 'b'", "no lock on a table with rows", "neither"),
        ("DROP TABLE a", "ACCESS EXCLUSIVE", "reads and writes, briefly"),
        ("UPDATE a SET b = 1", "ROW EXCLUSIVE", "only changes of the same rows"),
        ("DELETE FROM a", "ROW EXCLUSIVE", "only changes of the same rows"),
        ("SELECT 1", "ACCESS SHARE", "neither"),
        ("DO $$ BEGIN END $$", "the locks of its statements", "code"),
        ("ALTER TABLE a ADD COLUMN b TEXT DEFAULT 'NOT VALID USING INDEX'", "ACCESS", "briefly"),
        ('ALTER TABLE "x VALIDATE CONSTRAINT y" DROP COLUMN b', "ACCESS EXCLUSIVE", "briefly"),
        ("LISTEN something", "not known here", "manual"),
    ],
)
def test_locks(statement: str, name: str, blocks: str) -> None:
    found = lock(statement)
    assert found[0].startswith(name)
    assert blocks in found[1]
