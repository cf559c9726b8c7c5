"""Small changes that no test of a project notices, each with the reason why none should."""

ONE_ROW = "there is one row: the first is the last"
NAMED_IN_WHERE = "the condition names the table anyway"
POSTGRESQL = "SQLite keeps the order by itself; PostgreSQL does not"
LOCKS = "a lock on PostgreSQL alone, for what two requests do in the same instant"
INSTANT = "no clock shows the very same instant twice"
SAME_LENGTH = "both have as many by then"
SECONDS = "Retry-After, a second more or less in the last one of a pause"
ONLY_LOGGED = "a line of the log, and nothing that depends on it"
MORE_THAN_NEEDED = "it reads more rows than are asked for below, and answers the same"
UNKNOWN_CORES = "only where Python cannot tell how many cores there are"
COMPILED = "whether compiled SQL is kept: speed alone"
LEEWAY = "how far clocks may differ is a guess, to the second"

SURVIVORS = {
    # services
    "defaults app/db/completion.py count_completed 2: True -> False": NAMED_IN_WHERE,
    "strictest app/db/stats.py count: True -> False": NAMED_IN_WHERE,
    "defaults app/db/search.py folded: True -> False": COMPILED,
    "defaults app/db/search.py position: True -> False": COMPILED,
    "defaults app/db/search.py _mark: each not in composed -> (each in composed)": (
        "which texts are spared the folding once more: speed alone"
    ),
    "strictest app/db/links.py insert_many_linked: True -> False": SAME_LENGTH,
    "strictest app/db/links.py insert_many_linked: "
    "inner.select(model).where(model.__table__.c.id.in_(ids)) -> "
    "inner.select(model)": MORE_THAN_NEEDED,
    # scope
    "defaults app/db/scope.py Scope.insert_many: True -> False": POSTGRESQL,
    "strictest app/db/scope.py Scope.insert_many: True -> False": POSTGRESQL,
    "graph app/db/scope.py Scope.insert_many: True -> False": POSTGRESQL,
    "defaults app/db/scope.py Scope.insert_many: "
    "self.connection is None -> (self.connection is not None)": (
        "with nothing unique and no references, one row cannot fail without the others"
    ),
    "defaults app/db/scope.py Scope._only: 0 -> (-1)": ONE_ROW,
    "strictest app/db/scope.py Scope._only: 0 -> (-1)": ONE_ROW,
    "strictest app/db/scope.py Scope.insert: 0 -> (-1)": ONE_ROW,
    "strictest app/db/scope.py Scope.update: 0 -> (-1)": ONE_ROW,
    "fastapi-sqlmodel-generator app/db/scope.py Scope._only: 0 -> (-1)": ONE_ROW,
    "graph app/db/scope.py Scope._only: 0 -> (-1)": ONE_ROW,
    "graph app/db/scope.py Scope.insert: 0 -> (-1)": ONE_ROW,
    "graph app/db/scope.py Scope.update: 0 -> (-1)": ONE_ROW,
    "strictest app/db/scope.py Scope.update: moved -> (not (moved))": LOCKS,
    "strictest app/db/scope.py Scope.update: "
    "await take_turns(self.connection, table, self.user_id) -> pass": LOCKS,
    "graph app/db/scope.py Scope.update: moved -> (not (moved))": LOCKS,
    "graph app/db/scope.py Scope.update: "
    "await take_turns(self.connection, table, self.user_id) -> pass": LOCKS,
    "strictest app/db/scope.py Scope._require_targets: "
    "select(target.c.id).where(target.c.id.in_(wanted), *self.visible(target)) -> "
    "select(target.c.id).where(*self.visible(target))": MORE_THAN_NEEDED,
    "graph app/db/scope.py Scope._require_targets: "
    "select(target.c.id).where(target.c.id.in_(wanted), *self.visible(target)) -> "
    "select(target.c.id).where(*self.visible(target))": MORE_THAN_NEEDED,
    # auth: own users
    "defaults app/auth/sessions.py open_session: True -> False": LOCKS,
    "defaults app/auth/sessions.py _forget_expired: True -> False": LOCKS,
    "defaults app/auth/sessions.py _forget_expired: "
    "sessions.c.expires_at <= now -> (sessions.c.expires_at < now)": INSTANT,
    "defaults app/auth/sessions.py renew_session: "
    "sessions.c.expires_at > now -> (sessions.c.expires_at >= now)": INSTANT,
    "defaults app/auth/sessions.py renew_session: "
    """ended["expires_at"] > now -> (ended['expires_at'] >= now)""": ONLY_LOGGED,
    "defaults app/auth/passwords.py module: os.cpu_count() or 1 -> (os.cpu_count() and 1)": (
        "one slot is within the bound, too"
    ),
    "defaults app/auth/passwords.py module 2: 1 -> 2": UNKNOWN_CORES,
    "defaults app/auth/passwords.py module 2: 1 -> (0)": UNKNOWN_CORES,
    "defaults app/auth/rate_limits.py _count: 0 -> (-1)": (
        "which of the counters that are used up says when to try again"
    ),
    "defaults app/auth/rate_limits.py RateLimits._apply: 1 -> 2": SECONDS,
    "defaults app/auth/rate_limits.py RateLimits._apply: 1 -> (0)": SECONDS,
    "defaults app/auth/rate_limits.py RateLimits._ask: "
    'logger.warning("Redis does not answer, counting in this process: %s", cause) -> '
    "pass": ONLY_LOGGED,
    # auth: tokens of another service
    "fastapi-sqlmodel-generator app/auth/tokens.py module: 30 -> 31": LEEWAY,
    "fastapi-sqlmodel-generator app/auth/tokens.py module: 30 -> (29)": LEEWAY,
    "fastapi-sqlmodel-generator app/auth/tokens.py TokenVerifier._claims: "
    """int(claims["exp"]) <= time.time() -> (int(claims['exp']) < time.time())""": INSTANT,
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache.close: "
    "self._background.cancel() -> pass": "the next line waits for it, as long as a fetch may take",
    "fastapi-sqlmodel-generator app/auth/keys.py KeyCache.close: "
    "await asyncio.gather(self._background, return_exceptions=True) -> "
    "pass": "what is cancelled ends by itself, a moment later",
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
    "defaults app/db/pagination.py paginate: True -> False": NAMED_IN_WHERE,
    "strictest app/db/pagination.py module: 20_000 -> 20001": (
        "no cursor is as long: what is longer is refused as no cursor"
    ),
    "strictest app/db/pagination.py module: 20_000 -> (19999)": (
        "no cursor is as long: what is longer is refused as no cursor"
    ),
    "strictest app/db/pagination.py _list_id: 16 -> 17": "a digit more of a hash",
    "strictest app/db/pagination.py _list_id: 16 -> (15)": "a digit less of a hash",
    "strictest app/db/pagination.py _after: 1 -> (0)": "the same condition, written out",
    "strictest app/db/pagination.py paginate: 1 -> 2": MORE_THAN_NEEDED,
    "fastapi-sqlmodel-generator app/db/pagination.py paginate: "
    "scope.select(model).where(*conditions(query, model), *extra) -> "
    "scope.select(model).where(*conditions(query, model))": "this project has no search",
    # errors
    "defaults app/db/integrity.py _unique_columns: 1 -> (0)": (
        "the words before the first column go with the name of its table"
    ),
}
