"""Objects that live as long as the application."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from app.auth.state import AuthState
    from app.db.database import Database
    from app.http.middleware import ErrorReporter
    from app.http.request_limits import RequestLimits
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class AppState:
    """Objects that all requests share."""

    settings: "Settings"
    database: "Database"
    auth: "AuthState"
    # None if requests are not limited.
    request_limits: "RequestLimits | None" = None
    reporters: "Sequence[ErrorReporter]" = ()


def set_state(app: "Starlette", state: AppState) -> None:
    """Attach the state to the application."""
    app.state.shared = state


def get_state(app: "Starlette") -> AppState:
    """Return the state of the application, with its type."""
    return cast("AppState", app.state.shared)
