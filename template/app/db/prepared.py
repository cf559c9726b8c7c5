"""Statements that are prepared once, and then executed by the driver itself.

For each execution, SQLAlchemy creates a context, a cursor and a result, which takes several times as
long as the driver needs for a row. A prepared statement keeps what stays the same: the SQL, the
order of the parameters, and the conversions of values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast
from weakref import WeakSet

from sqlalchemy import Dialect, Executable
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

# Of statements, and of the sets of columns that they write.
CACHE_SIZE = 1024

Arguments = ParamSpec("Arguments")
StatementT = TypeVar("StatementT", bound=Executable)
Generate = Callable[[], Any]
Convert = Callable[[Any], Any]

_built_once: WeakSet[Executable] = WeakSet()


class _Parameter(NamedTuple):
    """A parameter of the SQL; `generate` returns its value, if the caller does not give it."""

    name: str
    generate: Generate | None
    convert: Convert | None


@dataclass(slots=True)
class Prepared:
    """The SQL of a statement, and what it takes and returns."""

    sql: str
    dialect: Dialect
    parameters: Sequence[_Parameter]
    columns: Mapping[str, TypeEngine[Any]]
    # The columns whose values are converted, as soon as the driver has told their types.
    _converted: Sequence[tuple[str, Convert]] | None = None

    def execute(self, connection: Connection, arguments: Sequence[Any]) -> list[dict[str, Any]]:
        """Execute the statement, and return its rows; the errors are those of the driver."""
        driver: Any = connection.connection.dbapi_connection
        if self._converted is None:
            types = driver.run_async(lambda opened: opened.column_types(self.sql))
            self._converted = list(self._conversions(types))
        rows = driver.run_async(lambda opened: opened.fetch_rows(self.sql, arguments))
        return self._rows(rows, self._converted)

    def _conversions(self, types: Iterable[Any]) -> Iterator[tuple[str, Convert]]:
        for (name, column_type), driver_type in zip(self.columns.items(), types, strict=False):
            implementation = column_type.dialect_impl(self.dialect)
            if convert := implementation.result_processor(self.dialect, driver_type):
                yield name, convert

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the arguments of the SQL.

        Raises any error if a value is missing or cannot be converted.
        """
        found = []
        for name, generate, convert in self.parameters:
            value = values[name] if generate is None else generate()
            found.append(value if convert is None else convert(value))
        return found

    def _rows(
        self, records: Iterable[Sequence[Any]], converted: Iterable[tuple[str, Convert]]
    ) -> list[dict[str, Any]]:
        if not self.columns:
            # Without RETURNING, SQLAlchemy adds one for the primary key.
            return []
        rows = [dict(zip(self.columns, record, strict=True)) for record in records]
        for name, convert in converted:
            for row in rows:
                row[name] = convert(row[name])
        return rows


def built_once(build: Callable[Arguments, StatementT]) -> Callable[Arguments, StatementT]:
    """Decorate a function so that it builds a statement once for the same arguments.

    `Database.execute` prepares these statements, and no others: that takes longer than executing a
    statement that will not be used again.
    """

    @lru_cache(CACHE_SIZE)
    @wraps(build)
    def statement(*args: Arguments.args, **kwargs: Arguments.kwargs) -> StatementT:
        built = build(*args, **kwargs)
        _built_once.add(built)
        return built

    return cast("Callable[Arguments, StatementT]", statement)


def prepare(statement: Executable, dialect: Dialect, values: Mapping[str, Any]) -> Prepared | None:
    """Return a statement as it is prepared for values of these names, or None if it is not."""
    return _prepare(statement, dialect, tuple(values)) if statement in _built_once else None


@lru_cache(CACHE_SIZE)
def _prepare(statement: Any, dialect: Dialect, names: tuple[str, ...]) -> Prepared | None:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    generated = dict(_defaults(compiled))
    varies = compiled.post_compile_params or compiled.literal_execute_params
    if varies or None in generated.values():
        # The SQL or a value depends on the execution.
        return None
    parameters = []
    for name in compiled.positiontup:
        bound = compiled.binds[name]
        generate = generated.get(name)
        if name not in generated and not bound.required and name not in names:
            generate = bound.callable or _always(bound.value)
        convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
        parameters.append(_Parameter(name, generate, convert))
    columns = {name: column.type for name, column in statement.exported_columns.items()}
    return Prepared(compiled.string, dialect, parameters, columns)


def _defaults(compiled: Any) -> Iterator[tuple[str, Generate | None]]:
    """Yield the columns that a statement sets to their defaults; None for one that is not simple."""
    if compiled.isinsert:
        defaults = [(column.key, column.default) for column in compiled.insert_prefetch]
    else:
        defaults = [(column.key, column.onupdate) for column in compiled.update_prefetch]
    for name, default in defaults:
        if default.is_scalar:
            yield name, _always(default.arg)
        else:
            # SQLAlchemy wraps functions without a parameter: those with one depend on the execution.
            yield name, getattr(default.arg, "__wrapped__", None)


def _always(value: Any) -> Generate:
    return lambda: value
