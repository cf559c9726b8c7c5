"""Is the service there, and can it work?"""

import logging
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from app.errors import ServiceUnavailable, responses

router = APIRouter(tags=["health"])
logger = logging.getLogger(__name__)


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
    try:
        await request.app.state.database.ping()
    except (SQLAlchemyError, OSError) as error:
        logger.warning("the database does not answer: %s", type(error).__name__)
        raise ServiceUnavailable from error
    return Readiness()
