"""HTTP routes that send mails, or take tokens from them."""

from fastapi import Request

from app.auth.current_user import CallerBearer, CurrentToken
from app.errors import InvalidToken
from app.http.error_responses import responses
from app.http.routing import PrefixRouter
from app.routers.auth import ContextDep
from app.schemas import auth_email as schemas
from app.schemas.auth import UserCreate
from app.services import auth_email as service
from app.state import get_state

router = PrefixRouter(prefix="/auth", tags=["auth"])

REGISTERED = "A mail was sent to the address."
SENT = "If the address is a user's, a mail was sent to it."
# For the documentation of a route that reads the token only if there is no body.
OPTIONAL_TOKEN: list[dict[str, list[str]]] = [{CallerBearer().scheme_name: []}, {}]


@router.post("/register", status_code=202, responses=responses(413, 422, 429))
async def register(context: ContextDep, data: UserCreate) -> schemas.Acknowledgement:
    """Register a new user with an email address and a password.

    The response does not tell whether the address is taken; a mail does.
    """
    await service.register(context, data)
    return schemas.Acknowledgement(message=REGISTERED)


@router.post("/verify-email", status_code=204, responses=responses(413, InvalidToken))
async def verify_email(context: ContextDep, data: schemas.EmailVerification) -> None:
    """Verify an address with the token that was sent to it, and complete a change of the address."""
    await service.verify_email(context, data.token)


@router.post(
    "/verify-email/resend",
    status_code=202,
    responses=responses(401, 413, 422, 429),
    openapi_extra={"security": OPTIONAL_TOKEN},
)
async def resend_verification(
    request: Request, context: ContextDep, data: schemas.EmailRequest | None = None
) -> schemas.Acknowledgement:
    """Send the mail with the link again, unless the address is verified.

    It is sent to the `email` of the body, or to the current user without a body.
    """
    if data is not None:
        await service.resend_verification(context, data.email)
    else:
        token = await CallerBearer().caller(request)
        await token.check(get_state(request.app).database.execute)
        await service.resend_own_verification(context, token.user_id)
    return schemas.Acknowledgement(message=SENT)


@router.post("/forgot-password", status_code=202, responses=responses(413, 422, 429))
async def forgot_password(
    context: ContextDep, data: schemas.EmailRequest
) -> schemas.Acknowledgement:
    """Send a link to an address with which its user can set a new password.

    The response does not tell whether there is one.
    """
    await service.forgot_password(context, data.email)
    return schemas.Acknowledgement(message=SENT)


@router.post("/reset-password", status_code=204, responses=responses(413, InvalidToken))
async def reset_password(context: ContextDep, data: schemas.PasswordRecovery) -> None:
    """Set a new password with the token of a mail, and end all sessions of the user."""
    await service.reset_password(context, data)


@router.post("/change-email", status_code=202, responses=responses(401, 403, 413, 422, 429))
async def change_email(
    context: ContextDep, token: CurrentToken, data: schemas.EmailChange
) -> schemas.Acknowledgement:
    """Send a link to a new address, with which it becomes the address of the current user."""
    await service.change_email(context, token.user_id, data)
    return schemas.Acknowledgement(message=REGISTERED)
