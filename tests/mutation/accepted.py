"""Accepted mutants: no test of a project detects them, each for the given reason."""

ONE_ROW = "there is only one row"
NAMED_IN_WHERE = "the condition names the table anyway"
POSTGRESQL = "SQLite keeps the order anyway; PostgreSQL does not"
LOCKS = "a lock that only concurrent requests on PostgreSQL need"
LONG_AGO = "the window of no request"
INSTANT = "two times are never exactly equal"
SAME_LENGTH = "both have the same length here"
SECONDS = "Retry-After differs by one second"
ONLY_LOGGED = "it only changes the log"
MORE_THAN_NEEDED = "it reads unneeded rows, with the same result"
FOLDED_TWICE = "it only avoids folding some strings twice"
UNKNOWN_CORES = "it matters only if Python cannot count the cores"
EXISTENCE = "only whether there is a row counts"
NOTHING_ABOVE = "no class above adds conditions"
CACHE_SIZE = "the exact size of a cache is arbitrary"
LEEWAY = "the exact tolerance for clock differences is arbitrary"

ACCEPTED = {
    # services
    "defaults app/db/completion_stats.py _count 2: True -> False": NAMED_IN_WHERE,
    "strictest app/db/stats.py _count: True -> False": NAMED_IN_WHERE,
    "defaults app/db/search.py _mark: each not in composed -> (each in composed)": FOLDED_TWICE,
    "defaults app/db/search.py _contains_any: "
    """position(column, _parameter("mark")) > 0 -> """
    """(position(column, _parameter('mark')) >= 0)""": FOLDED_TWICE,
    "defaults app/db/search.py _contains_any: 0 -> (-1)": FOLDED_TWICE,
    "strictest app/db/bulk_links.py insert_many_linked: True -> False": SAME_LENGTH,
    "strictest app/db/bulk_links.py insert_many_linked: "
    "select_rows(model).where(model.__table__.c.id.in_(ids)) -> "
    "select_rows(model)": MORE_THAN_NEEDED,
    # scope
    "defaults app/db/bulk.py _insert_in_order: True -> False": POSTGRESQL,
    "defaults app/db/scope.py Scope.execute_on: 0 -> (-1)": ONE_ROW,
    "defaults app/db/scope.py Scope.insert: await self._check() -> pass": (
        "every row of this project has an owner"
    ),
    "defaults app/db/prepared.py module: 1024 -> 1025": CACHE_SIZE,
    "defaults app/db/prepared.py module: 1024 -> (1023)": CACHE_SIZE,
    "defaults app/db/prepared.py Prepared._rows: True -> False": SAME_LENGTH,
    "defaults app/models/owned.py Owned.__accessible__: "
    "[*super().__accessible__(table), table.c.user_id == CALLER_ID] -> "
    "[table.c.user_id == CALLER_ID]": NOTHING_ABOVE,
    "strictest app/models/shared.py Shared.__accessible__: "
    "[*super().__accessible__(table), *CALLER_CONDITIONS] -> "
    "[*CALLER_CONDITIONS]": NOTHING_ABOVE,
    "strictest app/db/restoring.py restore: 0 -> (-1)": ONE_ROW,
    "strictest app/db/references.py failed: True -> False": SAME_LENGTH,
    "strictest app/db/references.py insert_checked: 0 -> (-1)": ONE_ROW,
    "strictest app/db/references.py update_checked: 0 -> (-1)": ONE_ROW,
    "strictest app/db/references.py _select_ids: "
    "select(table.c.id).where(wanted, *model.__visible__(table)) -> "
    "select(table.c.id).where(*model.__visible__(table))": MORE_THAN_NEEDED,
    # auth: own users
    "defaults app/auth/tokens.py module: 1024 -> 1025": CACHE_SIZE,
    "defaults app/auth/tokens.py module: 1024 -> (1023)": CACHE_SIZE,
    "defaults app/auth/tokens.py _select_session: 1 -> 2": EXISTENCE,
    "defaults app/auth/tokens.py _select_session: 1 -> (0)": EXISTENCE,
    "defaults app/auth/sessions.py open_session: True -> False": LOCKS,
    "defaults app/db/expired.py delete_some_expired: True -> False": LOCKS,
    "defaults app/db/expired.py delete_some_expired: "
    "table.c.expires_at <= now -> (table.c.expires_at < now)": INSTANT,
    "defaults app/auth/sessions.py renew_session: "
    "sessions.c.expires_at > now -> (sessions.c.expires_at >= now)": INSTANT,
    "defaults app/auth/sessions.py renew_session: "
    """ended["expires_at"] > now -> (ended['expires_at'] >= now)""": ONLY_LOGGED,
    "defaults app/auth/passwords.py module: os.cpu_count() or 1 -> (os.cpu_count() and 1)": (
        "one slot is also within the limit"
    ),
    "defaults app/auth/passwords.py module 2: 1 -> 2": UNKNOWN_CORES,
    "defaults app/auth/passwords.py module 2: 1 -> (0)": UNKNOWN_CORES,
    "defaults app/auth/rate_limits.py _count: 0 -> (-1)": (
        "which exhausted counter determines Retry-After"
    ),
    "defaults app/auth/rate_limits.py RateLimits._apply: 1 -> 2": SECONDS,
    "defaults app/auth/rate_limits.py RateLimits._apply: 1 -> (0)": SECONDS,
    # limits
    "defaults app/http/shared_storage.py SharedStorage.use: "
    "now >= self._available_from -> (now > self._available_from)": INSTANT,
    "defaults app/http/addresses.py module: TYPE_CHECKING -> (not (TYPE_CHECKING))": (
        "the import is needed for types only, and works"
    ),
    "graph app/mcp/resource_tools.py module: TYPE_CHECKING -> (not (TYPE_CHECKING))": (
        "the import is needed for types only, and works"
    ),
    "defaults app/http/request_limits.py module: 50_000 -> 50001": CACHE_SIZE,
    "defaults app/http/request_limits.py module: 50_000 -> (49999)": CACHE_SIZE,
    "defaults app/http/request_limits.py _Policy.__init__: 0 -> 1": LONG_AGO,
    "defaults app/http/request_limits.py _Policy.__init__: 0 -> (-1)": LONG_AGO,
    # auth: tokens of another service
    "fastapi-sqlmodel-generator app/auth/tokens.py module: 30 -> 31": LEEWAY,
    "fastapi-sqlmodel-generator app/auth/tokens.py module: 30 -> (29)": LEEWAY,
    "fastapi-sqlmodel-generator app/auth/tokens.py TokenVerifier._claims: "
    """int(claims["exp"]) <= time.time() -> (int(claims['exp']) < time.time())""": INSTANT,
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache.close: "
    "self._background.cancel() -> pass": "the next line waits for the task anyway",
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache.close: "
    "await asyncio.gather(self._background, return_exceptions=True) -> "
    "pass": "a cancelled task ends anyway, a little later",
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache.get: "
    "clock() >= max(self._stale_from, self._failed_until) -> "
    "(clock() > max(self._stale_from, self._failed_until))": INSTANT,
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache.get: 1 -> 2": SECONDS,
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache.get: 1 -> (0)": SECONDS,
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache._search: "
    "clock() >= self._search_from -> (clock() > self._search_from)": INSTANT,
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache._fetch: "
    "self._attempted_at >= asked_at -> (self._attempted_at > asked_at)": INSTANT,
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache._fetch: "
    "clock() < self._failed_until -> (clock() <= self._failed_until)": INSTANT,
    # pagination
    "defaults app/db/filters.py Condition: False -> True": "searches always say it",
    "defaults app/db/pagination.py _total: True -> False": NAMED_IN_WHERE,
    "defaults app/db/pagination.py paginate: 0 -> (-1)": "each row has the same total",
    "defaults app/db/pagination.py paginate: "
    "rows or offset == 0 -> (rows and offset == 0)": MORE_THAN_NEEDED,
    "defaults app/db/pagination.py paginate 2: 0 -> 1": MORE_THAN_NEEDED,
    "defaults app/db/pagination.py paginate 2: 0 -> (-1)": MORE_THAN_NEEDED,
    "defaults app/http/query.py QueryParameters.__call__: False -> True": (
        "the response does not contain the URL"
    ),
    "strictest app/db/pagination.py _list_id: 16 -> 17": "a hash with one more digit",
    "strictest app/db/pagination.py _list_id: 16 -> (15)": "a hash with one digit less",
    "strictest app/db/pagination.py _after: 1 -> (0)": "an equivalent condition",
    "strictest app/db/pagination.py paginate: 1 -> 2": MORE_THAN_NEEDED,
    # errors
    "defaults app/db/integrity.py refusal: 0 -> (-1)": "at most one of the states matches",
    "defaults app/db/integrity.py _unique_columns: 1 -> (0)": (
        "the text before the first column is removed with the name of its table"
    ),
}
