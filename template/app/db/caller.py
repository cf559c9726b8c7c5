"""Who accesses rows."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from sqlalchemy import Executable

from app.db.database import Parameters, ResultRow, Values
from app.models.owned import UserId

Execute = Callable[[Executable, Parameters], Awaitable[list[ResultRow]]]


class Caller(Protocol):
    """The user on whose behalf rows are accessed, as authentication has verified."""

    @property
    def user_id(self) -> UserId:
        """Return the id of the user."""

    @property
    def parameters(self) -> Values:
        """Return the values of the parameters in `app/models/owned.py`."""

    async def check(self, execute: Execute) -> None:
        """Check that the user is still logged in.

        Raises:
            Unauthorized: the session has ended.
        """
