"""HTTP routes of the app's own users."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import ValidationError

from app.auth.current_user import CurrentToken, CurrentUser
from app.http.error_responses import responses
from app.schemas.auth import (
    Credentials,
    PasswordChange,
    PasswordGrant,
    RefreshRequest,
    Tokens,
    UserCreate,
    UserRead,
    UserUpdate,
)
from app.services import auth as service
from app.services.auth import AuthContext
from app.state import get_state

router = APIRouter(prefix="/auth", tags=["auth"])


def get_context(request: Request) -> AuthContext:
    """Return what the auth routes work with."""
    state = get_state(request.app)
    address = request.client.host if request.client else "unknown"
    return AuthContext(state.database, state.settings, state.auth.rate_limits, address)


ContextDep = Annotated[AuthContext, Depends(get_context)]


def no_store(response: Response) -> None:
    """Keep tokens out of every cache (RFC 6749, section 5.1)."""
    response.headers["Cache-Control"] = "no-store"


@router.post("/register", status_code=201, responses=responses(409, 413, 422, 429))
async def register(context: ContextDep, data: UserCreate) -> UserRead:
    """Add a user."""
    return await service.register(context, data)


@router.post("/login", responses=responses(401, 413, 422, 429), dependencies=[Depends(no_store)])
async def login(context: ContextDep, data: Credentials) -> Tokens:
    """Exchange an email and a password for tokens."""
    return await service.login(context, data)


@router.post("/token", responses=responses(401, 413, 422, 429), dependencies=[Depends(no_store)])
async def issue_token(context: ContextDep, form: Annotated[PasswordGrant, Form()]) -> Tokens:
    """Do the same for the form of OAuth2, whose `username` is the email."""
    try:
        data = Credentials(email=form.username, password=form.password)
    except ValidationError as error:
        raise service.wrong_credentials() from error
    return await service.login(context, data)


@router.post("/refresh", responses=responses(401, 413, 422), dependencies=[Depends(no_store)])
async def refresh(context: ContextDep, data: RefreshRequest) -> Tokens:
    """Exchange a refresh token for new tokens; each can be used once."""
    return await service.refresh(context, data.refresh_token)


@router.post("/logout", status_code=204, responses=responses(413, 422))
async def logout(context: ContextDep, data: RefreshRequest) -> None:
    """End a session with all its tokens."""
    await service.logout(context, data.refresh_token)


@router.get("/me", responses=responses(401))
async def get_me(context: ContextDep, user_id: CurrentUser) -> UserRead:
    """Return the user who is calling."""
    return await service.get_user(context, user_id)


@router.patch("/me", responses=responses(401, 413, 422))
async def update_me(context: ContextDep, user_id: CurrentUser, data: UserUpdate) -> UserRead:
    """Change what was sent."""
    return await service.update_user(context, user_id, data)


@router.delete("/me", status_code=204, responses=responses(401))
async def delete_me(context: ContextDep, user_id: CurrentUser) -> None:
    """Remove the user who is calling, with all that is theirs."""
    await service.delete_user(context, user_id)


@router.post("/password", status_code=204, responses=responses(401, 403, 413, 422, 429))
async def change_password(context: ContextDep, token: CurrentToken, data: PasswordChange) -> None:
    """Set another password; all other sessions end."""
    await service.change_password(context, token, data)
