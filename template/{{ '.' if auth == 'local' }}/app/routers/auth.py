"""HTTP routes of users and their sessions."""

from typing import Annotated

from fastapi import Depends, Form, Request
from pydantic import ValidationError

from app.auth.current_user import CurrentToken, CurrentUser
from app.http.error_responses import responses
from app.http.routing import PrefixRouter
from app.schemas import auth as schemas
from app.services import auth as service
from app.state import get_state

router = PrefixRouter(prefix="/auth", tags=["auth"])


async def get_context(request: Request) -> service.AuthContext:
    """Return the context of a request: settings, state, and the client's address."""
    state = get_state(request.app)
    address = request.client.host if request.client else "unknown"
    return service.AuthContext(state.database, state.settings, state.auth.rate_limits, address)


ContextDep = Annotated[service.AuthContext, Depends(get_context)]


@router.post("/register", status_code=201, responses=responses(409, 413, 422, 429))
async def register(context: ContextDep, data: schemas.UserCreate) -> schemas.UserRead:
    """Register a new user with an email address and a password."""
    return await service.register(context, data)


@router.post("/login", responses=responses(401, 413, 422, 429))
async def login(context: ContextDep, data: schemas.Credentials) -> schemas.Tokens:
    """Log in with an email address and a password."""
    return await service.login(context, data)


@router.post("/token", responses=responses(401, 413, 422, 429))
async def issue_token(
    context: ContextDep, form: Annotated[schemas.PasswordGrant, Form()]
) -> schemas.Tokens:
    """Log in with the OAuth 2.0 password form; `username` is the email address."""
    try:
        data = schemas.Credentials(email=form.username, password=form.password)
    except ValidationError as error:
        raise service.wrong_credentials() from error
    return await service.login(context, data)


@router.post("/refresh", responses=responses(401, 413, 422))
async def refresh(context: ContextDep, data: schemas.RefreshRequest) -> schemas.Tokens:
    """Exchange a refresh token for new tokens.

    Each refresh token can be used once: using it again ends the session.
    """
    return await service.refresh(context, data.refresh_token)


@router.post("/logout", status_code=204, responses=responses(413, 422))
async def logout(context: ContextDep, data: schemas.RefreshRequest) -> None:
    """Log out: end the session of a refresh token, and revoke all its tokens."""
    await service.logout(context, data.refresh_token)


@router.get("/me", responses=responses(401))
async def get_me(context: ContextDep, user_id: CurrentUser) -> schemas.UserRead:
    """Return the current user."""
    return await service.get_user(context, user_id)


@router.patch("/me", responses=responses(401, 413, 422))
async def update_me(
    context: ContextDep, user_id: CurrentUser, data: schemas.UserUpdate
) -> schemas.UserRead:
    """Update the fields of the current user that are sent; the others keep their values."""
    return await service.update_user(context, user_id, data)


@router.delete("/me", status_code=204, responses=responses(401))
async def delete_me(context: ContextDep, user_id: CurrentUser) -> None:
    """Delete the current user and all their data."""
    await service.delete_user(context, user_id)


@router.post("/password", status_code=204, responses=responses(401, 403, 413, 422, 429))
async def change_password(
    context: ContextDep, token: CurrentToken, data: schemas.PasswordChange
) -> None:
    """Change the password of the current user, and end all their other sessions."""
    await service.change_password(context, token, data)
