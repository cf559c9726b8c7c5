"""Is the service there, and can it work?"""

from typing import Literal

from fastapi import APIRouter, Request

from app.http.error_responses import responses
from app.schemas.base import ReadSchema
from app.state import get_state

router = APIRouter(tags=["health"])


class Message(ReadSchema):
    message: str


class Health(ReadSchema):
    status: Literal["healthy"] = "healthy"


class Readiness(ReadSchema):
    status: Literal["ready"] = "ready"


@router.get("/")
async def root(request: Request) -> Message:
    """Say what this is and where its documentation is."""
    return Message(message=f"{request.app.title}: see /docs")


@router.get("/health")
async def health() -> Health:
    """Answer as long as the process is alive."""
    return Health()


@router.get("/ready", responses=responses(503))
async def ready(request: Request) -> Readiness:
    """Answer when the database does."""
    await get_state(request.app).database.ping()
    return Readiness()
