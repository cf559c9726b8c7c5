"""Health checks."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from app.http.error_responses import responses
from app.schemas.base import ReadSchema
from app.state import get_state

router = APIRouter(tags=["health"])


class Message(ReadSchema):
    """A message for people."""

    message: str = Field(description="Name of this API, and where its documentation is.")


class Health(ReadSchema):
    """The process is running."""

    status: Literal["healthy"] = Field(default="healthy", description="Always `healthy`.")


class Readiness(ReadSchema):
    """The service can handle requests."""

    status: Literal["ready"] = Field(default="ready", description="Always `ready`.")


@router.get("/")
async def root(request: Request) -> Message:
    """Return the name of this API, and where its documentation is."""
    place = ": see /docs" if get_state(request.app).settings.docs_enabled else ""
    return Message(message=f"{request.app.title}{place}")


@router.get("/health")
async def health() -> Health:
    """Check that the process is running."""
    return Health()


@router.get("/ready", responses=responses(503))
async def ready(request: Request) -> Readiness:
    """Check that the database is available."""
    await get_state(request.app).database.ping()
    return Readiness()
