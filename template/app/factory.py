"""Creation of the application: settings, logging, state, error handlers, routes, middleware."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application, by default with settings from the environment."""
    settings = settings or load_settings()
    configure_logging(settings.log_format, settings.log_level)
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
    )
    database = Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        pool_timeout=settings.database_pool_timeout_seconds,
    )
    request_limits = None
    if settings.rate_limit_requests:
        # Its library takes 20 ms, which an app without this limit may not need.
        from app.http.request_limits import RequestLimits  # noqa: PLC0415

        request_limits = RequestLimits(
            settings.rate_limit_requests, settings.rate_limit_storage_url
        )
    set_state(app, AppState(settings, database, AuthState(settings), request_limits))
    install_error_handlers(app)
    install_routes(app)
    install_middleware(
        app,
        settings.cors_origins,
        settings.allowed_hosts,
        https_only=settings.environment == "production",
        request_limits=request_limits,
    )
    if settings.metrics_enabled:
        # Its library is an extra, which is not installed by default.
        from app.http.metrics import install_metrics  # noqa: PLC0415

        install_metrics(app)
    if settings.docs_enabled:
        install_docs(app)
    app.openapi = lambda: build_openapi(app)  # type: ignore[method-assign]
    return app
