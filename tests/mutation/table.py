"""Deliberate defects of rendered projects: what people get wrong, one row each.

A row is what it spoils, and the text that it puts in the place of another, which must occur once in
its file: a row that no longer fits is an error. Small changes of every line are in `mutants.py`.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.mutation.runner import Run


@dataclass(frozen=True)
class Defect:
    """One defect, in one file of one project."""

    project: str
    file: str
    kind: str
    name: str
    old: str
    new: str

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.project}, {self.kind}: {self.name}"

    def run(self, project: Path) -> Run:
        """Put it into a project's file."""
        text = (project / self.file).read_text(encoding="utf-8")
        count = text.count(self.old)
        assert count == 1, f"{self.key}: {self.old!r} occurs {count} times in {self.file}"
        first = text[: text.index(self.old)].count("\n") + 1
        lines = (first, first + self.old.rstrip("\n").count("\n"))
        return Run(self.key, self.file, lines, text.replace(self.old, self.new))


VISIBLE_BY_ID = "where(table.c.id == row_id, *self.visible(table))"
BY_ID = "where(table.c.id == row_id)"
DEFAULTS = "defaults"
STRICTEST = "strictest"
EXTERNAL = "fastapi-sqlmodel-generator"
GRAPH = "graph"

# By project and file: what it is about, its name, what goes and what comes.
TABLE: dict[tuple[str, str], list[tuple[str, str, str, str]]] = {
    (DEFAULTS, "app/db/scope.py"): [
        (
            "isolation",
            "everybody's rows are visible",
            "return [table.c.user_id == self.user_id]",
            "return []",
        ),
        (
            "isolation",
            "queries without an owner",
            "return select(table).where(*self.visible(table))",
            "return select(table)",
        ),
        (
            "isolation",
            "one row, whoever's",
            "statement = self.select(model).where(model.__table__.c.id == row_id)",
            "statement = select(model.__table__).where(model.__table__.c.id == row_id)",
        ),
        (
            "isolation",
            "changes of others' rows",
            f"statement = update(table).{VISIBLE_BY_ID}",
            f"statement = update(table).{BY_ID}",
        ),
        (
            "isolation",
            "others' rows are turned round",
            f".{VISIBLE_BY_ID}\n            .values({{name",
            f".{BY_ID}\n            .values({{name",
        ),
        (
            "isolation",
            "many changes of others' rows",
            "found = [table.c.id.in_(row_ids), *self.visible(table)]",
            "found = [table.c.id.in_(row_ids)]",
        ),
        (
            "isolation",
            "deletion of others' rows",
            f"statement = delete(table).{VISIBLE_BY_ID}",
            f"statement = delete(table).{BY_ID}",
        ),
        (
            "isolation",
            "the body decides whose a row is",
            'values = {**data, "user_id": self.user_id}\n',
            'values = {"user_id": self.user_id, **data, "user_id": data.get("owner")}\n',
        ),
        (
            "scope",
            "every row of a user is deleted",
            f"delete(table).{VISIBLE_BY_ID}",
            "delete(table).where(*self.visible(table))",
        ),
        (
            "scope",
            "every row of a user is changed",
            f"statement = update(table).{VISIBLE_BY_ID}",
            "statement = update(table).where(*self.visible(table))",
        ),
        (
            "scope",
            "an absent row is no error",
            'raise NotFound(f"{model.__name__} not found.")',
            'return {"id": None}',
        ),
        (
            "services",
            "many rows come back in any order",
            "return await self.execute(statement, values)",
            "return (await self.execute(statement, values))[::-1]",
        ),
        (
            "services",
            "completed is set, not turned round",
            "{name: table.c[name].is_not(True)}",
            "{name: True}",
        ),
        (
            "services",
            "nothing sent moves the row",
            "if not data:\n            return await self.get(model, row_id)\n",
            'data = data or {"id": row_id}\n',
        ),
    ],
    (DEFAULTS, "app/db/database.py"): [
        (
            "services",
            "no commit of single statements",
            "create_engine(url, autocommit=True)",
            "create_engine(url)",
        ),
        (
            "services",
            "no commit of transactions",
            "await connection.commit()",
            "pass",
        ),
        (
            "services",
            "no foreign keys",
            "PRAGMA foreign_keys = ON",
            "PRAGMA foreign_keys = OFF",
        ),
        (
            "services",
            "transactions that begin by reading",
            "BEGIN IMMEDIATE",
            "BEGIN DEFERRED",
        ),
        (
            "errors",
            "a database that does not answer is a server error",
            "except (SQLAlchemyError, OSError) as error:\n                raise ServiceUnavailable",
            "except (SQLAlchemyError, OSError) as error:\n                raise RuntimeError",
        ),
        (
            "errors",
            "an error that passes is a server error",
            "if connection.invalidated or passes(error):",
            "if False:",
        ),
        (
            "outages",
            "no statement is sent again",
            "if not first or not error.connection_invalidated:",
            "if True:",
        ),
        (
            "outages",
            "statements that may have run are sent again",
            "if several or not did_nothing(error):",
            "if False:",
        ),
        (
            "errors",
            "a database that is slow to answer is a server error",
            "raise ServiceUnavailable from late",
            "raise late",
        ),
    ],
    (DEFAULTS, "app/db/outages.py"): [
        ("outages", "a full file is a server error", "    sqlite3.SQLITE_FULL,\n", ""),
        ("outages", "deadlocks are server errors", '    "40",  #', '    "4x",  #'),
        (
            "outages",
            "every write that failed is sent again",
            "return _state(driver.__cause__) in ENDED_STATES",
            "return True",
        ),
        (
            "outages",
            "a SELECT that writes is sent again",
            "return isinstance(statement, Select) and not any(",
            "return isinstance(statement, Select) or any(",
        ),
    ],
    (DEFAULTS, "app/db/connections.py"): [
        (
            "outages",
            "statements that were given up go on",
            "self._connection.interrupt()",
            "pass",
        ),
        (
            "outages",
            "dropped connections are not looked for",
            'event.listen(engine, "checkout", refuse_dropped)',
            "pass",
        ),
        (
            "outages",
            "connections that are closed are used",
            "if dbapi_connection.driver_connection.is_closed():",
            "if False:",
        ),
        ("outages", "idle connections are used", "if idle and", "if False and"),
        ("outages", "every connection is asked", "if idle and", "if"),
    ],
    (DEFAULTS, "app/services/task.py"): [
        (
            "services",
            "an update that writes what was not sent",
            "exclude_unset=True",
            "exclude_unset=False",
        ),
        (
            "services",
            "an update that drops null",
            "exclude_unset=True",
            "exclude_unset=True, exclude_none=True",
        ),
        ("services", "completion undone", '{"completed": True}', '{"completed": False}'),
        (
            "services",
            "doubled ids are counted twice",
            "wanted = list(dict.fromkeys(data.task_ids))",
            "wanted = list(data.task_ids)",
        ),
        (
            "services",
            "failed ids are those that succeeded",
            "if one not in updated]",
            "if one in updated]",
        ),
        ("services", "a deletion left out", "await scope.delete(Task, task_id)", "return"),
        (
            "services",
            "a search that finds everything",
            "paginate(scope, Task, query, TaskPage, found)",
            "paginate(scope, Task, query, TaskPage)",
        ),
        ("services", "a search in one column", '"title", "description")', '"title")'),
    ],
    (DEFAULTS, "app/db/completion.py"): [
        (
            "services",
            "stats that count the open ones",
            "completed.is_(True)",
            "completed.is_(False)",
        ),
        (
            "services",
            "pending is all",
            'pending=row["total"] - row["completed"]',
            'pending=row["total"]',
        ),
        (
            "services",
            "a rate of nothing",
            ' if row["total"] else 0',
            "",
        ),
        (
            "isolation",
            "stats of everybody",
            "scope.select(model).with_only_columns(",
            "__import__('sqlalchemy').select(model.__table__).with_only_columns(",
        ),
    ],
    (DEFAULTS, "app/db/search.py"): [
        ("services", "a search that tells case apart", "text.lower().upper()", "text"),
        ("services", "a search by lower case alone", "text.lower().upper()", "text.lower()"),
        ("services", "a search by upper case alone", "text.lower().upper()", "text.upper()"),
        ("services", "a search by case folding", "text.lower().upper()", "text.lower().casefold()"),
        (
            "services",
            "a search without composed accents",
            "dict.fromkeys((text, composed))",
            "[text]",
        ),
        (
            "services",
            "a search without accents of their own",
            "if apart not in {text, composed}:",
            "if False:",
        ),
        (
            "services",
            "a search that takes no accents from upper case",
            "if any(map(unicodedata.combining, composed)):",
            "if False:",
        ),
        (
            "services",
            "a search in the first column alone",
            "for column in columns))",
            "for column in columns[:1]))",
        ),
        (
            "services",
            "a search at the beginning alone",
            "position(text, wanted) > 0",
            "position(text, wanted) == 1",
        ),
    ],
    (DEFAULTS, "app/schemas/types/datetimes.py"): [
        ("listing", "no word about plus signs", "if LOST_PLUS.fullmatch(value):", "if False:"),
    ],
    (DEFAULTS, "app/models/timestamped.py"): [
        ("services", "updated_at stays", 'sa_column_kwargs={"onupdate": utc_now},', ""),
    ],
    (DEFAULTS, "app/schemas/task.py"): [
        (
            "services",
            "another default",
            'priority: Priority = "medium"',
            'priority: Priority = "low"',
        ),
        (
            "services",
            "no default",
            "completed: StrictBool = False",
            "completed: StrictBool",
        ),
        (
            "listing",
            "a filter of another column",
            "due_date_gte: AtLeast[UtcDatetime]",
            "due_date_gte: AtMost[UtcDatetime]",
        ),
        (
            "listing",
            "the oldest first",
            'default="-created_at"',
            'default="created_at"',
        ),
    ],
    (DEFAULTS, "app/schemas/base.py"): [
        ("errors", "unknown fields are passed over", 'extra="forbid"', 'extra="ignore"'),
    ],
    (DEFAULTS, "app/routers/task.py"): [
        (
            "routers",
            "created with 200",
            '@router.post("", status_code=201,',
            '@router.post("", status_code=200,',
        ),
        (
            "routers",
            "deleted with 200",
            "status_code=204",
            "status_code=200",
        ),
        (
            "routers",
            "no Location",
            'response.headers["Location"] = location(request, created.id)\n    ',
            "",
        ),
        (
            "routers",
            "a Location of nothing",
            "location(request, created.id)",
            "location(request, created.user_id)",
        ),
        ("routers", "bulk of any size", "max_length=100", "max_length=1000"),
        ("routers", "bulk of nothing", "min_length=1, ", ""),
        ("routers", "another path", '"/{task_id}/complete"', '"/{task_id}/done"'),
        (
            "routers",
            "bodies before tokens",
            "dependencies=[Depends(current_user)],",
            "dependencies=[],",
        ),
    ],
    (DEFAULTS, "app/dependencies.py"): [
        (
            "isolation",
            "one user for all",
            "app.state.database), user_id)",
            "app.state.database), type(user_id)(int=7))",
        ),
        (
            "listing",
            "parameters that are sent twice",
            "if len(sent) == len(request.query_params):",
            "if sent:",
        ),
        (
            "listing",
            "another parameter is named",
            "if names.count(name) > 1",
            "if names.count(name) == 1",
        ),
    ],
    (DEFAULTS, "app/db/pagination.py"): [
        (
            "pagination",
            "pages begin one row late",
            "(query.page - 1) * query.page_size",
            "(query.page - 1) * query.page_size + 1",
        ),
        ("pagination", "pages begin at the second", "(query.page - 1)", "query.page"),
        (
            "pagination",
            "pages of one row more",
            "limit(query.page_size)",
            "limit(query.page_size + 1)",
        ),
        ("pagination", "pages of any size", "le=MAX_PAGE_SIZE", "le=10_000"),
        ("pagination", "pages from zero", "default=1, ge=1", "default=1, ge=0"),
        (
            "pagination",
            "a next page that is not there",
            "query.page_size < total",
            "query.page_size <= total",
        ),
        (
            "pagination",
            "no next page",
            "has_next=offset + query.page_size < total",
            "has_next=False",
        ),
        ("pagination", "a page before the first", "query.page > 1", "query.page >= 1"),
        (
            "pagination",
            "pages rounded down",
            "-(-total // query.page_size)",
            "total // query.page_size",
        ),
        ("pagination", "a total of the page", "total=total,", "total=len(rows),"),
        (
            "pagination",
            "a total without the filters",
            "total_of = found.",
            "total_of = scope.select(model).",
        ),
    ],
    (DEFAULTS, "app/db/listing.py"): [
        (
            "listing",
            "ties in any order",
            'keys.append(SortKey(columns["id"], descending=keys[-1].descending))',
            "pass",
        ),
        (
            "listing",
            "ties the other way",
            "descending=keys[-1].descending",
            "descending=not keys[-1].descending",
        ),
        (
            "listing",
            "always ascending",
            "self.term.desc() if self.falls else self.term.asc()",
            "self.term.asc()",
        ),
        (
            "listing",
            "choices by alphabet",
            "if name in choices:",
            "if False:",
        ),
        (
            "listing",
            "choices in one direction",
            "reversed(self.choices) if self.descending else self.choices",
            "self.choices",
        ),
        (
            "listing",
            "former choices first",
            "len(self.choices)))",
            "-1))",
        ),
        (
            "listing",
            "former choices with nulls",
            "value=self.column, else_=others)",
            "value=self.column)",
        ),
        (
            "listing",
            "null is any value",
            "column.is_(None) if expected else",
            "column.is_not(None) if expected else",
        ),
        ("listing", "nulls first", "ordered.nulls_last()", "ordered.nulls_first()"),
        (
            "listing",
            "nulls anywhere",
            "return ordered.nulls_last() if self.column.nullable else ordered",
            "return ordered",
        ),
        (
            "listing",
            "filters passed over",
            "for name in sorted(query.model_fields_set)",
            "for name in []",
        ),
        ("listing", "at least is more than", "Comparison(operator.ge", "Comparison(operator.gt"),
        ("listing", "at most is less than", "Comparison(operator.le", "Comparison(operator.lt"),
        ("listing", "unknown parameters are passed over", 'extra="forbid"', 'extra="ignore"'),
        ("listing", "sorting by long texts", "and not isinstance(column.type, Text | JSON)", ""),
    ],
    (DEFAULTS, "app/schemas/status.py"): [
        ("listing", "pending is completed", 'value == "completed"', 'value != "completed"'),
        ("listing", "all is pending", "return true()", "return completed.is_(False)"),
    ],
    (DEFAULTS, "app/errors.py"): [
        (
            "errors",
            "no WWW-Authenticate",
            'headers={"WWW-Authenticate": challenge}',
            "headers=None",
        ),
        (
            "errors",
            "no Retry-After",
            'headers={"Retry-After": str(retry_after_seconds)})\n\n\nclass Service',
            "headers=None)\n\n\nclass Service",
        ),
        (
            "errors",
            "404 for 405",
            "status == HTTPStatus.METHOD_NOT_ALLOWED:",
            "status == HTTPStatus.IM_A_TEAPOT:",
        ),
        (
            "errors",
            "400 for unreadable bodies",
            "return error_response(ValidationFailed(error.detail))",
            "return error_response(BadRequest(error.detail))",
        ),
        (
            "errors",
            "fields are not named",
            "ValidationFailed(errors=_field_errors(error))",
            "ValidationFailed()",
        ),
        ("errors", "whole texts are echoed", "text[:MAX_ECHOED_CHARACTERS]", "text"),
        ("errors", "409 is 400", "status = HTTPStatus.CONFLICT", "status = HTTPStatus.BAD_REQUEST"),
    ],
    (DEFAULTS, "app/http/error_body.py"): [
        ("errors", "another code", "error_code=code", "error_code=status.name"),
        ("errors", "another type of problem", "status=status,", "status=200,"),
        ("errors", "another media type", "application/problem+json", "application/json"),
    ],
    (DEFAULTS, "app/http/middleware.py"): [
        (
            "middleware",
            "no request id",
            'MutableHeaders(scope=message)["X-Request-ID"] = request_id.get()',
            "pass",
        ),
        ("middleware", "any request id", "REQUEST_ID.fullmatch(sent)", "sent"),
        (
            "middleware",
            "a path in the logs as it came",
            'quote(scope["path"], errors="replace")',
            'scope["path"]',
        ),
        ("middleware", "bodies of any length", "int(length[:20]) > MAX_BODY_BYTES", "False"),
        (
            "middleware",
            "bodies of any size",
            "app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)",
            "pass",
        ),
        ("middleware", "any host", 'if "*" not in settings.allowed_hosts:', "if False:"),
        ("middleware", "hosts that end alike", "pattern[1:].lower()", "pattern[2:].lower()"),
        (
            "middleware",
            "every origin",
            "allow_origins=settings.cors_origins",
            'allow_origins=["*"]',
        ),
        (
            "middleware",
            "no HEAD",
            '{**scope, "method": "GET"} if method == "HEAD" else scope',
            "scope",
        ),
        ("middleware", "HEAD with a body", 'elif method != "HEAD":', "else:"),
        (
            "middleware",
            "credentials for pages of anybody",
            "if not self.allow_all_origins:",
            "if True:",
        ),
        (
            "middleware",
            "unexpected errors in the framework's words",
            "app.add_middleware(UnexpectedErrors)",
            "pass",
        ),
        (
            "middleware",
            "slashes at the end are unknown",
            "app.add_middleware(TrailingSlash)",
            "pass",
        ),
    ],
    (DEFAULTS, "app/http/logs.py"): [
        (
            "logs",
            "the details of every library",
            "max(logging.INFO, logging.getLevelNamesMapping()[level])",
            "level",
        ),
    ],
    (DEFAULTS, "app/settings.py"): [
        ("settings", "every origin in production", 'if "*" in self.cors_origins:', "if False:"),
        ("settings", "any secret in production", "self.check_auth_for_production()", "pass"),
        ("settings", "readable logs in production", 'self.log_format = "json"', "pass"),
    ],
    (DEFAULTS, "app/auth/signing_secret.py"): [
        ("settings", "short secrets", "MIN_BYTES = 32", "MIN_BYTES = 16"),
        (
            "settings",
            "placeholders",
            "if few or any(word in secret.lower() for word in PLACEHOLDERS)",
            "if few",
        ),
        (
            "settings",
            "secrets of one letter",
            "MIN_DISTINCT_CHARACTERS = 8",
            "MIN_DISTINCT_CHARACTERS = 1",
        ),
    ],
    (DEFAULTS, "app/auth/settings.py"): [
        (
            "settings",
            "no secret",
            "if not secret.get_secret_value():",
            "if False:",
        ),
        ("settings", "any algorithm", 'Literal["HS256", "HS384", "HS512"]', "str"),
    ],
    (DEFAULTS, "app/auth/tokens.py"): [
        (
            "auth",
            "signatures are not verified",
            '"strict_aud": True}',
            '"strict_aud": True, "verify_signature": False}',
        ),
        (
            "auth",
            "tokens for ever",
            '"strict_aud": True}',
            '"strict_aud": True, "verify_exp": False}',
        ),
        (
            "auth",
            "any algorithm",
            "algorithms=[settings.jwt_algorithm]",
            'algorithms=["HS256", "HS384", "HS512"]',
        ),
        (
            "auth",
            "any audience",
            "audience=SERVICE,\n            issuer",
            "audience=[SERVICE, 'other'],\n            issuer",
        ),
        ("auth", "any issuer", "            issuer=SERVICE,\n", ""),
        ("auth", "any type of token", 'if header.get("typ") != TOKEN_TYPE:', "if False:"),
        ("auth", "headers with more", "if header.keys() != HEADER:", "if False:"),
        (
            "auth",
            "claims left out",
            '"require": ["sub", "iat", "exp", "jti", "sid"]',
            '"require": ["sub", "sid"]',
        ),
        ("auth", "ids in any writing", "if str(value) != text:", "if False:"),
        ("auth", "tokens that live longer than said", "seconds=expires_in(settings)", "hours=24"),
        (
            "auth",
            "seconds are minutes",
            "access_token_expire_minutes * 60",
            "access_token_expire_minutes",
        ),
    ],
    (DEFAULTS, "app/auth/current_user.py"): [
        (
            "auth",
            "sessions that ended",
            "if not await is_open(request.app.state.database, token):",
            "if False:",
        ),
    ],
    (DEFAULTS, "app/auth/bearer.py"): [
        ("auth", "any scheme", 'if scheme.lower() != "bearer":', "if not scheme:"),
        ("auth", "the first of two tokens", "if len(credentials) > 1:", "if False:"),
        ("auth", "tokens of any length", "if len(token) > MAX_TOKEN_LENGTH:", "if False:"),
        ("auth", "no reason for a refusal", "challenge=challenge", ""),
        ("auth", "refusals that nothing logs", "    _log_refusal(reason, hint)\n", ""),
        ("auth", "refusals that only debugging shows", "logger.info(", "logger.debug("),
        ("auth", "a refusal without its reason", 'extra={"reason": reason}', ""),
        (
            "auth",
            "answers that give the reason",
            "    challenge = f",
            "    detail = reason\n    challenge = f",
        ),
        (
            "auth",
            "every clock is the same",
            'reason = "issued_in_future"',
            "pass",
        ),
    ],
    (DEFAULTS, "app/auth/sessions.py"): [
        (
            "auth",
            "a session of another user",
            ', sessions.c.user_id == bindparam("user_id")',
            ', bindparam("user_id").is_not(None)',
        ),
        (
            "auth",
            "refresh tokens that stay",
            'new_token = _next_token(refresh_token.partition(".")[0])',
            "new_token = refresh_token",
        ),
        (
            "auth",
            "refresh tokens of any second part",
            "            sessions.c.token_hash == token_hash,\n",
            "",
        ),
        ("auth", "refresh tokens for ever", "            sessions.c.expires_at > now,\n", ""),
        (
            "auth",
            "a replay that ends nothing",
            "ended = (await connection.execute(_end_family(family_hash))).mappings().one_or_none()",
            "ended = None",
        ),
        ("auth", "a refresh does not prolong", "expires_at=now + lifetime)", "expires_at=now)"),
        (
            "auth",
            "a logout that ends nothing",
            "await connection.execute(_end_family(_hashes(refresh_token)[0]))",
            "pass",
        ),
        (
            "isolation",
            "a logout of everybody",
            "delete(sessions).where(sessions.c.family_hash == family_hash)",
            "delete(sessions)",
        ),
        (
            "auth",
            "other sessions go on",
            "await connection.execute(delete(sessions).where(*others))",
            "pass",
        ),
        ("auth", "all sessions end", ", sessions.c.id != kept)", ",)"),
        (
            "isolation",
            "the sessions of others end",
            "others = (sessions.c.user_id == user_id, sessions.c.id != kept)",
            "others = (sessions.c.id != kept,)",
        ),
        (
            "auth",
            "expired sessions are kept",
            "await connection.execute(_forget_expired(now))",
            "pass",
        ),
        (
            "isolation",
            "every session is forgotten",
            "        .where(sessions.c.expires_at <= now)\n",
            "",
        ),
        (
            "auth",
            "a session after the password changed",
            '        users.c.password_changed_at == user["password_changed_at"],\n',
            "",
        ),
        (
            "auth",
            "tokens are stored as they are",
            "return hashlib.sha256(text.encode()).hexdigest()",
            "return text",
        ),
    ],
    (DEFAULTS, "app/services/auth.py"): [
        (
            "auth",
            "any password",
            "if not await _verify(context, data.email, data.password, user) or user is None:",
            "if user is None:",
        ),
        (
            "auth",
            "unknown emails look different",
            "raise wrong_credentials()\n    opened",
            'raise wrong_credentials() if user else Unauthorized("Unknown.")\n    opened',
        ),
        (
            "auth",
            "any number of registrations",
            "await context.rate_limits.count_registration(context.address)",
            "pass",
        ),
        (
            "auth",
            "any number of logins",
            "await context.rate_limits.check_login(email, context.address)",
            "pass",
        ),
        (
            "auth",
            "failures are not counted",
            "await context.rate_limits.count_failed_login(email, context.address)",
            "pass",
        ),
        (
            "auth",
            "any current password",
            'if not await _verify(context, user["email"], data.current_password, user):',
            "if False:",
        ),
        (
            "auth",
            "two changes of a password at once",
            '        users.c.password_changed_at == user["password_changed_at"],\n',
            "",
        ),
        (
            "isolation",
            "one name for everybody",
            "update(users).where(users.c.id == user_id).values(changes)",
            "update(users).values(changes)",
        ),
        (
            "isolation",
            "everybody goes",
            "delete(users).where(users.c.id == user_id)",
            "delete(users)",
        ),
        (
            "isolation",
            "one password for everybody",
            "await connection.execute(update(users).where(*same).values(values))",
            "await connection.execute(update(users).values(values))",
        ),
        ("auth", "no hash is renewed", "if verified and renewed:", "if False:"),
    ],
    (DEFAULTS, "app/routers/auth.py"): [
        ("auth", "tokens in caches", 'response.headers["Cache-Control"] = "no-store"', "pass"),
        (
            "auth",
            "one address for all",
            "request.client.host if request.client else",
            "'same' if request.client else",
        ),
    ],
    (DEFAULTS, "app/schemas/auth.py"): [
        ("auth", "emails that tell case apart", "AfterValidator(normalised_email), ", ""),
        ("auth", "short passwords", "MIN_PASSWORD_LENGTH = 8", "MIN_PASSWORD_LENGTH = 7"),
        (
            "auth",
            "passwords of any length",
            "MAX_PASSWORD_LENGTH = 128",
            "MAX_PASSWORD_LENGTH = 1280",
        ),
        (
            "auth",
            "passwords in answers",
            "    name: str | None\n    created_at",
            "    name: str | None\n    password_hash: str\n    created_at",
        ),
    ],
    (DEFAULTS, "app/auth/passwords.py"): [
        ("auth", "no work for unknown emails", "hasher.verify(password, _decoy(hasher))", "pass"),
        ("auth", "cheap hashes", "memory_cost=19 * 1024", "memory_cost=1024"),
        (
            "auth",
            "any number of hashes at once",
            "CapacityLimiter(os.cpu_count() or 1)",
            "CapacityLimiter(1000)",
        ),
        (
            "auth",
            "passwords of one keyboard",
            'return unicodedata.normalize("NFC", password)',
            "return password",
        ),
    ],
    (DEFAULTS, "app/auth/rate_limits.py"): [
        (
            "auth",
            "limits of one address are everybody's",
            "hashlib.sha256(subject.encode())",
            "hashlib.sha256(b'')",
        ),
        ("auth", "every IPv6 address is another client", "(int(parsed), 64)", "(int(parsed), 128)"),
        (
            "auth",
            "no limit by address",
            "(self._login_by_address, ",
            "([], ",
        ),
        ("auth", "no limit by email", "return by_email + _counters", "return _counters"),
        ("auth", "a limit that stops nobody", "if reset_time is not None:", "if False:"),
    ],
    (DEFAULTS, "app/db/integrity.py"): [
        (
            "integrity",
            "409 without the field",
            'Conflict(errors=dict.fromkeys(_unique_columns(error), "This value is taken."))',
            "Conflict()",
        ),
        (
            "integrity",
            "422 for what is taken",
            "if state == UNIQUE_VIOLATION:\n        return Conflict(",
            "if state == UNIQUE_VIOLATION:\n        return ValidationFailed(",
        ),
        (
            "integrity",
            "what is unfit is a server error",
            'return ValidationFailed("A value cannot be stored.")',
            "return error",
        ),
        (
            "integrity",
            "a broken reference is a server error",
            "return BrokenReference()",
            "return error",
        ),
    ],
}
TABLE |= {
    (STRICTEST, "app/db/scope.py"): [
        (
            "services",
            "many rows are added outside of a transaction",
            "async with self.transaction() as scope:\n"
            "                return await scope.insert_many(model, data)",
            "return [await self.insert(model, one) for one in data]",
        ),
        (
            "integrity",
            "what the database refuses is a server error",
            "raise refusal(error) from error",
            "raise",
        ),
        (
            "hidden",
            "hidden rows are visible",
            "return [*owned, table.c.deleted_at.is_(None)]",
            "return owned",
        ),
        (
            "hidden",
            "deleted rows go",
            "update(table).where(*found).values(deleted_at=utc_now())",
            "__import__('sqlalchemy').delete(table).where(*found)",
        ),
        (
            "isolation",
            "everybody's rows are visible",
            "return [*owned, table.c.deleted_at.is_(None)]",
            "return [table.c.deleted_at.is_(None)]",
        ),
        (
            "isolation",
            "restoring others' rows",
            "statement = statement.where(table.c.user_id == self.user_id)",
            "pass",
        ),
        (
            "hidden",
            "every row is restored",
            "update(table).where(table.c.id == row_id).values(deleted_at=None)",
            "update(table).values(deleted_at=None)",
        ),
        (
            "hidden",
            "a restored row stays hidden",
            "values(deleted_at=None)",
            "values(deleted_at=utc_now())",
        ),
        (
            "isolation",
            "deletion of others' rows",
            "found = [table.c.id == row_id, *self.visible(table)]",
            "found = [table.c.id == row_id, table.c.deleted_at.is_(None)]",
        ),
        (
            "isolation",
            "references to others' rows",
            "exists().where(target.c.id == data[name], *self.visible(target))",
            "exists().where(target.c.id == data[name])",
        ),
        (
            "isolation",
            "references to others' rows in bulk",
            "select(target.c.id).where(target.c.id.in_(wanted), *self.visible(target))",
            "select(target.c.id).where(target.c.id.in_(wanted), target.c.deleted_at.is_(None))",
        ),
        (
            "services",
            "references in bulk are not looked at",
            "await self._require_targets(table, data)",
            "pass",
        ),
        (
            "services",
            "changed references are not looked at",
            "statement.where(*kept).returning",
            "statement.returning",
        ),
        (
            "services",
            "a hidden reference cannot stay",
            "kept = [or_(table.c[name] == data[name], found) for name, found in targets.items()]",
            "kept = list(targets.values())",
        ),
        ("isolation", "another user's row is nothing", "return Forbidden()", "pass"),
        (
            "scope",
            "an absent row is another user's",
            'return NotFound(f"{model.__name__} not found.")',
            "return Forbidden()",
        ),
        (
            "scope",
            "what is shared has an owner",
            '{**data, "user_id": self.user_id} if "user_id" in table.c else data',
            '{**data, "user_id": self.user_id}',
        ),
    ],
    (STRICTEST, "app/db/links.py"): [
        (
            "isolation",
            "links to hidden rows",
            "select(target.c.id).where(target.c.id.in_(ids), *scope.visible(target))",
            "select(target.c.id).where(target.c.id.in_(ids))",
        ),
        (
            "services",
            "links are not looked at",
            'raise ValidationFailed(errors={name: "There is no such row."})',
            "pass",
        ),
        (
            "services",
            "links that stay for ever",
            "await scope.execute(delete(link).where(own == row_id, other.in_(gone)))",
            "pass",
        ),
        (
            "services",
            "links of every row go",
            "delete(link).where(own == row_id, other.in_(gone))",
            "delete(link).where(other.in_(gone))",
        ),
        (
            "services",
            "links that are there are added again",
            "[one for one in ids if one not in present]",
            "list(ids)",
        ),
        (
            "services",
            "links outside of a transaction",
            "async with scope.transaction() as inner:\n        row =",
            "if inner := scope:\n        row =",
        ),
        ("services", "links alone do not move a row", 'columns or {"id": row_id}', "columns"),
    ],
    (STRICTEST, "app/models/linked.py"): [
        ("services", "links in any order", ".order_by(other)", ".order_by(other.desc())"),
        ("services", "the links of all rows", ".where(own == table.c.id)", ""),
        (
            "services",
            "columns without their tables in RETURNING",
            'options.pop("include_table", None)',
            "pass",
        ),
    ],
    (STRICTEST, "app/db/trees.py"): [
        (
            "services",
            "rings through hidden rows",
            "row.c[name].is_not(None))",
            "row.c[name].is_not(None), row.c.deleted_at.is_(None))",
        ),
    ],
    (STRICTEST, "app/schemas/types/decimals.py"): [
        ("services", "numbers that are rounded", "return value.text", "return float(value)"),
        ("services", "rounded numbers are taken", "if isinstance(value, float):", "if False:"),
    ],
    (STRICTEST, "app/http/exact_json.py"): [
        (
            "services",
            "numbers that forget how they were written",
            "parse_float=WrittenFloat",
            "parse_float=float",
        ),
    ],
    (STRICTEST, "app/models/decimals.py"): [
        ("services", "a column that rounds", "if exact != value:", "if False:"),
    ],
    (STRICTEST, "app/db/pagination.py"): [
        (
            "pagination",
            "cursors of another list",
            "if cursor.list_id != _list_id(query):",
            "if False:",
        ),
        (
            "pagination",
            "cursors of another order",
            'f"{query.sort}{shape}"',
            'shape.replace(query.sort, "")',
        ),
        ("pagination", "cursors of other filters", 'f"{query.sort}{shape}"', "query.sort"),
        ("pagination", "pages of one row more", "page = rows[: query.limit]", "page = rows"),
        ("pagination", "no next page", "limit(query.limit + 1)", "limit(query.limit)"),
        (
            "pagination",
            "a cursor behind the last row",
            "len(rows) > query.limit",
            "len(rows) >= query.limit",
        ),
        (
            "pagination",
            "the last row again",
            "return terms < place if True in directions else terms > place",
            "return terms <= place if True in directions else terms >= place",
        ),
        (
            "pagination",
            "nulls are left out",
            "return or_(later, key.column.is_(None)) if key.column.nullable else later",
            "return later",
        ),
        (
            "pagination",
            "rows behind null",
            "if value is None:\n        return None\n    later",
            "later",
        ),
        (
            "pagination",
            "ties are left out",
            "alternatives.append(and_(*same, behind))",
            "alternatives.append(behind)",
        ),
        ("pagination", "pages of any size", "le=MAX_LIMIT", "le=10_000"),
        (
            "pagination",
            "a bad cursor is a server error",
            "except (ValueError, ValidationError, RecursionError) as error:",
            "except RecursionError as error:",
        ),
        (
            "pagination",
            "cursors without the filters of the list",
            "found = found.where(_after(keys, place))",
            "found = scope.select(model).where(_after(keys, place))",
        ),
    ],
    (STRICTEST, "app/auth/path.py"): [
        ("isolation", "any user in the path", "if user_id != str(caller):", "if False:"),
    ],
    (STRICTEST, "app/routers/__init__.py"): [
        (
            "isolation",
            "paths are not guarded",
            "dependencies=[Depends(require_own_path)],",
            "dependencies=[],",
        ),
    ],
    (STRICTEST, "app/models/ticket.py"): [
        (
            "services",
            "a taken value in another user's rows",
            '"uq_tickets_user_id_title_not_deleted",\n            "user_id",',
            '"uq_tickets_user_id_title_not_deleted",',
        ),
    ],
    (STRICTEST, "app/routers/ticket.py"): [
        ("routers", "another verb", '@router.put("/{ticket_id}",', '@router.patch("/{ticket_id}",'),
        ("routers", "numbers as other routes read them", "    route_class=ExactRoute,\n", ""),
        (
            "routers",
            "a restoration of nothing",
            '@router.post("/{ticket_id}/restore",',
            '@router.post("/{ticket_id}/show",',
        ),
    ],
    (STRICTEST, "app/services/ticket.py"): [
        (
            "services",
            "past dates are taken",
            "refuse_changed(past, await scope.get(Ticket, ticket_id))",
            "pass",
        ),
        (
            "services",
            "past dates are never taken",
            "refuse_changed(past, await scope.get(Ticket, ticket_id))",
            "refuse_changed(past, dict.fromkeys(past))",
        ),
    ],
    (STRICTEST, "app/http/error_body.py"): [
        ("errors", "no envelope", "details=errors", "details=None"),
    ],
    (EXTERNAL, "app/db/scope.py"): [
        ("isolation", "another user's row is nothing", "return Forbidden()", "pass"),
        (
            "isolation",
            "everybody's rows are visible",
            "return [table.c.user_id == self.user_id]",
            "return []",
        ),
    ],
    (EXTERNAL, "app/auth/path.py"): [
        ("isolation", "any user in the path", "if user_id != str(caller):", "if False:"),
        (
            "isolation",
            "paths that tell no case apart",
            "if user_id != str(caller):",
            "if user_id.lower() != str(caller).lower():",
        ),
    ],
    (EXTERNAL, "app/routers/task.py"): [
        (
            "routers",
            "Location from the decoded path",
            "location(request, created.id)",
            'f"{request.url.path}/{created.id}"',
        ),
    ],
    (EXTERNAL, "app/auth/path_segments.py"): [
        (
            "routers",
            "ids with a slash are split",
            "segments[position] = _encode(segments[position])",
            "pass",
        ),
        (
            "isolation",
            "an id that holds %2F is one with a slash",
            'segment.replace("%", "%25").replace("/", "%2F")',
            'segment.replace("/", "%2F")',
        ),
    ],
    (EXTERNAL, "app/routers/__init__.py"): [
        (
            "isolation",
            "paths are not guarded",
            "dependencies=[Depends(require_own_path)],",
            "dependencies=[],",
        ),
    ],
    (EXTERNAL, "app/db/pagination.py"): [
        (
            "pagination",
            "slices begin one row late",
            "offset(query.offset)",
            "offset(query.offset + 1)",
        ),
        ("pagination", "slices of any size", "le=MAX_LIMIT", "le=100_000"),
        ("pagination", "no offset", ".offset(query.offset)", ""),
        ("pagination", "slices of one row more", "limit(query.limit)", "limit(query.limit + 1)"),
        ("pagination", "no order", "found.order_by(*order)", "found"),
    ],
    (EXTERNAL, "app/auth/tokens.py"): [
        ("auth", "any issuer", "            issuer=settings.jwt_issuer,\n", ""),
        (
            "auth",
            "any audience",
            '"verify_aud": settings.jwt_audience is not None',
            '"verify_aud": False',
        ),
        ("auth", "tokens for ever", 'if int(claims["exp"]) <= time.time():', "if False:"),
        (
            "auth",
            "tokens without an end",
            '"require": ["exp", settings.jwt_user_id_claim]',
            '"require": [settings.jwt_user_id_claim]',
        ),
        (
            "auth",
            "the token says the algorithm",
            "return self._secret, SHARED_SECRET_ALGORITHM",
            "return self._secret, header['alg']",
        ),
        (
            "auth",
            "signatures are not verified",
            "            options={\n",
            "            options={\n                'verify_signature': False,\n",
        ),
        ("auth", "no algorithm", 'if header.get("alg") not in ALGORITHMS:', "if False:"),
        ("auth", "any type of token", "or token_type.lower() not in TOKEN_TYPES", ""),
        ("auth", "extensions", 'if "b64" in header:', "if False:"),
        ("auth", "users of any name", "or not USER_ID.fullmatch(user_id)", ""),
        (
            "auth",
            "ids that are no text",
            "not isinstance(user_id, str) or not USER_ID.fullmatch(user_id)",
            "not USER_ID.fullmatch(str(user_id))",
        ),
        ("auth", "truth as an id", "if type(user_id) is int", "if isinstance(user_id, int)"),
        ("auth", "no numbers as ids", "user_id = str(user_id)", "pass"),
        ("auth", "numbers as subjects", ' and self._settings.jwt_user_id_claim != "sub"', ""),
        (
            "auth",
            "the subject is checked where another claim counts",
            '                "verify_sub": False,\n',
            "",
        ),
        (
            "auth",
            "settings that the log does not name",
            "explain(error, self._expected)",
            "explain(error)",
        ),
    ],
    (EXTERNAL, "app/auth/keys.py"): [
        (
            "auth",
            "unknown keys are the first",
            "return self._keys.get(key_id)",
            "return self._keys.get(key_id) or next(iter(self._keys.values()))",
        ),
        ("auth", "keys for encryption", 'or jwk.get("use", "sig") != "sig"', ""),
        ("auth", "private keys", '"d" in jwk or ', ""),
        ("auth", "short keys", "or key.Algorithm.check_key_length(key.key)", ""),
        ("auth", "no new key is looked for", "await self._search()", "pass"),
        (
            "auth",
            "every unknown key is looked for",
            "self._search_from = clock() + SEARCH_PAUSE_SECONDS",
            "pass",
        ),
        (
            "auth",
            "keys are never fetched anew",
            "self._fetch_in_background()\n        if",
            "pass\n        if",
        ),
        (
            "auth",
            "keys are lost when the issuer is away",
            "self._failed_until = clock() + FAILURE_PAUSE_SECONDS",
            "self._failed_until = clock() + FAILURE_PAUSE_SECONDS\n                self._keys = {}",
        ),
        (
            "auth",
            "an issuer that is away is 401",
            "raise ServiceUnavailable(retry_after) from ConnectionError(self._failure)",
            "return None",
        ),
        ("auth", "documents of any size", "if len(document) > MAX_DOCUMENT_BYTES:", "if False:"),
        ("auth", "any answer has keys", "if response.status_code != HTTPStatus.OK:", "if False:"),
        ("auth", "no redirect is followed", "if target is None:", "if True:"),
        ("auth", "redirects away from https", 'if other not in {scheme, "https"}:', "if False:"),
        ("auth", "no redirect to https", 'not in {scheme, "https"}', "!= scheme"),
        ("auth", "redirects without end", "range(1 + MAX_REDIRECTS)", "range(1000)"),
        (
            "auth",
            "a token without a key id has any key",
            "if key_id is None and len(self._keys) == 1:",
            "if key_id is None:",
        ),
    ],
    (EXTERNAL, "app/auth/settings.py"): [
        (
            "settings",
            "keys and a secret",
            "if (self.jwks_url is None) == (self.better_auth_secret is None):",
            "if self.jwks_url is None and self.better_auth_secret is None:",
        ),
        (
            "settings",
            "no issuer",
            "not (self.jwt_issuer and self.jwt_audience)",
            "not (self.jwt_issuer or self.jwt_audience)",
        ),
        ("settings", "any URL", "        _http_url.validate_python(value)\n", "        pass\n"),
        ("settings", "spaces in values", "StringConstraints(strip_whitespace=True)", "None"),
        (
            "settings",
            "any shared secret in production",
            'check_signing_secret("BETTER_AUTH_SECRET", secret)',
            "pass",
        ),
    ],
    (GRAPH, "app/db/scope.py"): [
        (
            "integrity",
            "a row that others need is a server error",
            "except BrokenReference as error:",
            "except KeyError as error:",
        ),
        (
            "integrity",
            "422 for a row that others need",
            'raise Conflict("Other rows refer to this one.")',
            'raise ValidationFailed("Other rows refer to this one.")',
        ),
        (
            "isolation",
            "references to others' rows",
            "exists().where(target.c.id == data[name], *self.visible(target))",
            "exists().where(target.c.id == data[name])",
        ),
    ],
    (GRAPH, "app/db/links.py"): [
        (
            "isolation",
            "links to others' rows",
            "select(target.c.id).where(target.c.id.in_(ids), *scope.visible(target))",
            "select(target.c.id).where(target.c.id.in_(ids))",
        ),
    ],
    (GRAPH, "app/models/linked.py"): [
        (
            "services",
            "columns without their tables in RETURNING",
            'options.pop("include_table", None)',
            "pass",
        ),
    ],
    (GRAPH, "app/db/trees.py"): [
        ("services", "rings", ".not_in(select(way.c.id))", ".is_not(None)"),
        ("services", "rings of more than one", "way = way.union(step)", "pass"),
    ],
    (GRAPH, "migrations/versions/0001_initial.py"): [
        (
            "services",
            "names are not unique",
            '"projects", ["user_id", "name"], unique=True)',
            '"projects", ["user_id", "name"])',
        ),
    ],
}

DEFECTS = [
    Defect(project, file, kind, name, old, new)
    for (project, file), rows in TABLE.items()
    for kind, name, old, new in rows
]
