"""Request and response bodies of the auth routes that send mails, or take tokens from them."""

from typing import Annotated

from pydantic import Field

from app.schemas.auth import Email, NewPassword, Password
from app.schemas.base import ReadSchema, WriteSchema

TOKEN = Field(max_length=256, repr=False, description="Token of the link in a mail.")
Token = Annotated[str, TOKEN]


class EmailVerification(WriteSchema):
    """A token that was sent to an address."""

    token: Token


class EmailRequest(WriteSchema):
    """An address that a mail is sent to, if it is a user's."""

    email: Email


class PasswordRecovery(WriteSchema):
    """A token that was sent to an address, and a new password."""

    token: Token
    new_password: NewPassword


class EmailChange(WriteSchema):
    """A new address, and the current password."""

    new_email: Email
    current_password: Password


class Acknowledgement(ReadSchema):
    """What happens next."""

    message: str = Field(description="What happens next, for people.")
