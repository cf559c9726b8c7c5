"""Request and response bodies of the auth routes that send mails, or use the tokens of mails."""

from typing import Annotated

from pydantic import Field

from app.schemas.auth import Email, NewPassword, Password
from app.schemas.base import ReadSchema, WriteSchema

Token = Annotated[
    str, Field(max_length=256, repr=False, description="Token of the link in the mail.")
]


class EmailVerification(WriteSchema):
    """The token that was sent to an email address."""

    token: Token


class EmailRequest(WriteSchema):
    """An email address that a mail is requested for."""

    email: Email


class PasswordRecovery(WriteSchema):
    """The token that was sent to an email address, and a new password."""

    token: Token
    new_password: NewPassword


class EmailChange(WriteSchema):
    """A new email address, and the current password."""

    new_email: Email
    current_password: Password


class Acknowledgement(ReadSchema):
    """A request that was accepted."""

    message: str = Field(description="What happens next, as a sentence for the user.")
