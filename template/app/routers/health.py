"""Is the service there, and can it work?"""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.errors import responses

router = APIRouter(tags=["health"])


class Message(BaseModel):
    message: str


class Health(BaseModel):
    status: Literal["healthy"] = "healthy"


class Readiness(BaseModel):
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
    await request.app.state.database.ping()
    return Readiness()
