"""The statements on the rows of a model, each built once.

Each has the conditions of the model (`app/models/scoped.py`) for the rows of the caller, so no id
can read or change the row of another user. `Scope` adds the values of the caller's parameters.
"""

from typing import Any

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from app.db.prepared import built_once
from app.models.row import ID_TYPE
from app.models.scoped import Scoped

Model = type[Scoped]

ROW_ID = bindparam("_row_id", type_=ID_TYPE)


@built_once
def select_rows(model: Model) -> Select[Any]:
    """Return the statement that selects the rows that the caller can see."""
    return select(*model.__columns__(model.__table__)).where(*model.__visible__(model.__table__))


@built_once
def select_row(model: Model) -> Select[Any]:
    """Return the statement that selects a row."""
    return select_rows(model).where(model.__table__.c.id == ROW_ID)


@built_once
def insert_row(model: Model) -> ReturningInsert[Any]:
    """Return the statement that inserts a row."""
    return insert(model.__table__).values(model.__added__()).returning(model.__table__)


@built_once
def update_row(model: Model) -> ReturningUpdate[Any]:
    """Return the statement that updates a row."""
    found = (model.__table__.c.id == ROW_ID, *model.__visible__(model.__table__))
    return update(model.__table__).where(*found).returning(*model.__columns__(model.__table__))


@built_once
def delete_row(model: Model) -> ReturningDelete[Any] | ReturningUpdate[Any]:
    """Return the statement that deletes a row."""
    found = (model.__table__.c.id == ROW_ID, *model.__visible__(model.__table__))
    return model.__deletion__().where(*found).returning(model.__table__.c.id)
