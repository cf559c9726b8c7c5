"""HTTP routes that send mails, or use the tokens of mails."""

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

SENT = "A mail is sent to the email address."
SENT_TO_USER = "If a user has this email address, a mail is sent to it."
SENT_UNLESS_VERIFIED = (
    "If a user has this email address and has not verified it, a mail is sent to it."
)
bearer = CallerBearer()
# For the documentation of a route that reads the token only if there is no body.
OPTIONAL_TOKEN: list[dict[str, list[str]]] = [{bearer.scheme_name: []}, {}]


@router.post("/register", status_code=202, responses=responses(413, 422, 429))
async def register(context: ContextDep, data: UserCreate) -> schemas.Acknowledgement:
    """Register a new user with an email address and a password.

    The response does not tell whether the email address is taken; a mail does.
    """
    await service.register(context, data)
    return schemas.Acknowledgement(message=SENT)


@router.post("/verify-email", status_code=204, responses=responses(413, InvalidToken))
async def verify_email(context: ContextDep, data: schemas.EmailVerification) -> None:
    """Verify an email address with the token that was sent to it.

    If the user has requested a change to this email address, it replaces the current one.
    """
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
    """Send the verification link again, unless the email address is verified.

    It is sent to the `email` of the body, or to the current user if there is no body.
    """
    if data is not None:
        await service.resend_verification(context, data.email)
    else:
        token = await bearer.caller(request)
        await token.check(get_state(request.app).database.execute)
        await service.resend_own_verification(context, token.user_id)
    return schemas.Acknowledgement(message=SENT_UNLESS_VERIFIED)


@router.post("/forgot-password", status_code=202, responses=responses(413, 422, 429))
async def forgot_password(
    context: ContextDep, data: schemas.EmailRequest
) -> schemas.Acknowledgement:
    """Send a link with which the user can set a new password.

    The response does not tell whether a user has the email address.
    """
    await service.forgot_password(context, data.email)
    return schemas.Acknowledgement(message=SENT_TO_USER)


@router.post("/reset-password", status_code=204, responses=responses(413, InvalidToken))
async def reset_password(context: ContextDep, data: schemas.PasswordRecovery) -> None:
    """Set a new password with the token from a mail, and end all sessions of the user."""
    await service.reset_password(context, data)


@router.post("/change-email", status_code=202, responses=responses(401, 403, 413, 422, 429))
async def change_email(
    context: ContextDep, token: CurrentToken, data: schemas.EmailChange
) -> schemas.Acknowledgement:
    """Send a link to a new email address of the current user, who then verifies it."""
    await service.change_email(context, token.user_id, data)
    return schemas.Acknowledgement(message=SENT)
