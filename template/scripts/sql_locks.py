"""The locks that SQL statements take on PostgreSQL, and what these block.

After https://www.postgresql.org/docs/current/explicit-locking.html and the pages of the commands. A
lock is held until its transaction ends.
"""

import re

BRIEFLY = "blocks reads and writes, briefly"
SCAN = "blocks reads and writes while all rows are read"
UNCHECKED = f"{SCAN}, unless a valid check says that there are no nulls"
REWRITE = "blocks reads and writes while the table is written again, if its values change"
WRITES = "blocks writes, not reads"
NOTHING = "blocks neither reads nor writes"
NO_LOCK = "no lock on a table with rows"
ROWS = "blocks only changes of the same rows"

# The first pattern that a statement begins with applies.
LOCKS: tuple[tuple[str, str, str], ...] = (
    (r"ALTER TABLE .* VALIDATE CONSTRAINT", "SHARE UPDATE EXCLUSIVE", NOTHING),
    (r"ALTER TABLE .* ALTER (COLUMN )?\S+ SET STATISTICS", "SHARE UPDATE EXCLUSIVE", NOTHING),
    (
        r"ALTER TABLE .* ADD .*FOREIGN KEY.* NOT VALID",
        "SHARE ROW EXCLUSIVE on both tables",
        "blocks writes, briefly",
    ),
    (
        r"ALTER TABLE .* ADD (CONSTRAINT \S+ )?FOREIGN KEY",
        "SHARE ROW EXCLUSIVE on both tables",
        "blocks writes while all rows are read",
    ),
    (r"ALTER TABLE .* ADD .*USING INDEX", "ACCESS EXCLUSIVE", BRIEFLY),
    (r"ALTER TABLE .* ADD .*NOT VALID", "ACCESS EXCLUSIVE", BRIEFLY),
    (
        r"ALTER TABLE .* ADD (CONSTRAINT \S+ )?(CHECK|UNIQUE|PRIMARY|EXCLUDE)\b",
        "ACCESS EXCLUSIVE",
        SCAN,
    ),
    (r"ALTER TABLE .* ALTER (COLUMN )?\S+ SET NOT NULL", "ACCESS EXCLUSIVE", UNCHECKED),
    (r"ALTER TABLE .* ALTER (COLUMN )?\S+ (SET DATA )?TYPE\b", "ACCESS EXCLUSIVE", REWRITE),
    (r"ALTER TABLE .* ADD .*\bGENERATED\b", "ACCESS EXCLUSIVE", REWRITE),
    (r"ALTER TABLE", "ACCESS EXCLUSIVE", BRIEFLY),
    (
        r"(CREATE (UNIQUE )?INDEX|DROP INDEX|REINDEX( \w+)?) CONCURRENTLY",
        "SHARE UPDATE EXCLUSIVE",
        NOTHING,
    ),
    (r"CREATE (UNIQUE )?INDEX|REINDEX", "SHARE", WRITES),
    (r"CREATE (CONSTRAINT )?TRIGGER", "SHARE ROW EXCLUSIVE", WRITES),
    (r"ALTER INDEX .* RENAME|COMMENT ON|ANALYZE", "SHARE UPDATE EXCLUSIVE", NOTHING),
    (r"VACUUM (FULL|\(.*FULL)", "ACCESS EXCLUSIVE", REWRITE),
    (r"VACUUM", "SHARE UPDATE EXCLUSIVE", NOTHING),
    (r"ALTER (TYPE|SEQUENCE|FUNCTION|DOMAIN|SCHEMA|EXTENSION)", NO_LOCK, NOTHING),
    (
        r"DROP (TABLE|INDEX|TRIGGER|VIEW)|TRUNCATE|CLUSTER|REFRESH|ALTER",
        "ACCESS EXCLUSIVE",
        BRIEFLY,
    ),
    (
        r"CREATE (TEMP\w* |UNLOGGED )?TABLE .*\bREFERENCES\b",
        "SHARE ROW EXCLUSIVE on the tables that it refers to",
        "blocks writes, briefly",
    ),
    (r"INSERT|UPDATE|DELETE|MERGE|WITH", "ROW EXCLUSIVE", ROWS),
    (r"SELECT .* FOR (NO KEY )?(UPDATE|SHARE)|SELECT .* FOR KEY SHARE", "ROW SHARE", ROWS),
    (r"SELECT|COPY .* TO", "ACCESS SHARE", NOTHING),
    (r"CREATE|DROP|GRANT|REVOKE", NO_LOCK, NOTHING),
    (r"DO|CALL", "the locks of its statements", "see its code"),
)
# Quoted text, in which a semicolon ends nothing; comments; the end of a statement.
TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/|;|.", re.DOTALL
)
# Statements about the transaction, the session, and the version that Alembic records.
BOOKKEEPING = re.compile(
    r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|RESET|START)\b|(INSERT INTO|UPDATE|DELETE FROM"
    r"|CREATE TABLE) alembic_version\b",
    re.IGNORECASE,
)


def statements(sql: str) -> list[str]:
    """Split SQL into statements of one line each, without comments and bookkeeping."""
    found = [""]
    for token in TOKEN.finditer(sql):
        text = token[0]
        if text == ";":
            found.append("")
        else:
            found[-1] += " " if text.startswith(("--", "/*")) else text
    lines = (" ".join(each.split()) for each in found)
    return [line for line in lines if line and not BOOKKEEPING.match(line)]


def lock(statement: str) -> tuple[str, str]:
    """Return the lock that a statement takes on its table, and what that blocks."""
    # Names and strings can contain any words.
    bare = re.sub(r"'(?:[^']|'')*'", "''", re.sub(r'"(?:[^"]|"")*"', '""', statement))
    for pattern, name, blocks in LOCKS:
        if re.match(rf"(?:{pattern})(?:\b|$)", bare, re.IGNORECASE):
            return name, blocks
    return "not known here", "see the manual of PostgreSQL"
