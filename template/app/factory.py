"""Creation of the application: settings, logging, state, error handlers, routes, middleware."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app import DESCRIPTION, TITLE
from app.auth.state import AuthState
from app.db.database import Database
from app.http.docs import install_docs
from app.http.error_handlers import install_error_handlers
from app.http.logs import configure_logging
from app.http.middleware import install_middleware
from app.http.openapi import build_openapi
from app.routers import install_routes
from app.settings import Settings, load_settings
from app.state import AppState, get_state, set_state

if TYPE_CHECKING:
    from app.http.request_limits import RequestLimits
    from app.http.sentry import ErrorReports
    from app.http.tracing import Tracing


def operation_id(route: APIRoute) -> str:
    """Use the name of the function, so that generated clients have readable method names."""
    return route.name


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Close connections when the application stops."""
    # Objects of the start live as long as the process; collections of garbage need not visit them.
    gc.collect()
    gc.freeze()
    # Under load, the objects of some hundred requests are alive at once: the defaults visit them often.
    gc.set_threshold(10_000, 20, 50)
    yield
    state = get_state(app)
    if state.request_limits is not None:
        await state.request_limits.close()
    await state.auth.close()
    await state.database.dispose()
    for reporter in state.reporters:
        reporter.close()


def _start_tracing(settings: Settings, database: Database) -> "Tracing | None":
    """Trace requests and statements if the settings have an endpoint for that."""
    if settings.traces_endpoint is None:
        return None
    # Its libraries are an extra, which is not installed by default.
    from app.db.tracing import trace_statements  # noqa: PLC0415
    from app.http.tracing import Tracing  # noqa: PLC0415

    tracing = Tracing(settings.traces_endpoint)
    trace_statements(database.engine.sync_engine, tracing.provider)
    return tracing


def _start_error_reports(settings: Settings) -> "ErrorReports | None":
    """Report unexpected errors to Sentry if the settings have a DSN."""
    if settings.sentry_dsn is None:
        return None
    # Its library is another extra.
    from app.http.sentry import ErrorReports  # noqa: PLC0415

    environment = settings.sentry_environment or settings.environment
    return ErrorReports(settings.sentry_dsn.get_secret_value(), environment)


def _limit_requests(settings: Settings) -> "RequestLimits | None":
    """Count requests if the settings limit them."""
    if settings.rate_limit_requests is None:
        return None
    # Its library takes 20 ms, which an app without this limit may not need.
    from app.http.request_limits import RequestLimits  # noqa: PLC0415

    return RequestLimits(settings.rate_limit_requests, settings.rate_limit_storage_url)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application, by default with settings from the environment."""
    settings = settings or load_settings()
    configure_logging(settings.log_format, settings.log_level)
    database = Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        pool_timeout=settings.database_pool_timeout_seconds,
    )
    tracing = _start_tracing(settings, database)
    reporters = [found for found in (tracing, _start_error_reports(settings)) if found]
    app = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version="0.1.0",
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url="/openapi.json" if settings.docs_enabled else None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        telemetry=tracing.config if tracing else None,
    )
    request_limits = _limit_requests(settings)
    set_state(app, AppState(settings, database, AuthState(settings), request_limits, reporters))
    install_error_handlers(app)
    install_routes(app)
    install_middleware(app)
    if settings.metrics_enabled:
        # Its library is an extra, which is not installed by default.
        from app.http.metrics import install_metrics  # noqa: PLC0415

        install_metrics(app)
    if settings.docs_enabled:
        install_docs(app)
    app.openapi = lambda: build_openapi(app)  # type: ignore[method-assign]
    return app
