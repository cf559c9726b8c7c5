"""Request and response bodies of the auth routes."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import MISSING, AfterValidator, BaseModel, Field
from pydantic.config import JsonDict

from app.models.user import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH
from app.models.user_row import UserId
from app.schemas import types
from app.schemas.base import ReadSchema, WriteSchema

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128


def normalised_email(email: str) -> str:
    """Return an address as it is stored and compared.

    Composed and in lower case, so that one mailbox is one user. Case folding and NFKC would also
    merge letters (`ß` with `ss`), and give one user the mail of another.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email).lower())


EMAIL = Field(max_length=MAX_EMAIL_LENGTH, description="Email address; case is ignored.")
Email = Annotated[types.Email, AfterValidator(normalised_email), EMAIL]
Name = Annotated[types.NotBlank, Field(max_length=MAX_NAME_LENGTH)]
NAME = Field(description="Name of the user.")
FORMAT: JsonDict = {"format": "password"}
SECRET = Field(max_length=MAX_PASSWORD_LENGTH, repr=False, json_schema_extra=FORMAT)
Password = Annotated[str, SECRET, Field(description="Current password.")]
NEW_PASSWORD = "New password; common ones are rejected, and those made of the email."
NewPassword = Annotated[
    str, SECRET, Field(min_length=MIN_PASSWORD_LENGTH, description=NEW_PASSWORD)
]
UNUSED = "Accepted for OAuth 2.0 clients, and ignored."
REFRESH_TOKEN = "Token that is exchanged for new tokens; it can be used once."


class UserCreate(WriteSchema):
    """A new account."""

    email: Email
    password: NewPassword
    name: Annotated[Name | None, NAME] = None


class UserUpdate(WriteSchema):
    """Changes to the current user; fields that are not sent keep their values."""

    name: Annotated[Name | MISSING | None, NAME] = MISSING


class UserRead(ReadSchema):
    """A user."""

    id: UserId = Field(description="Id of the user.")
    email: str = Field(description="Email address, in lower case.")
    name: Annotated[str | None, NAME]
    created_at: datetime = Field(description="When the user registered.")


class Credentials(WriteSchema):
    """Login credentials."""

    email: Email
    password: Password


class PasswordGrant(BaseModel):
    """The OAuth 2.0 password form (RFC 6749, section 4.3)."""

    username: str = Field(min_length=1, description="Email address of the user.")
    password: str = Field(
        min_length=1, repr=False, json_schema_extra=FORMAT, description="Current password."
    )
    grant_type: Literal["password"] | MISSING = Field(
        default=MISSING, description="Always `password`."
    )
    scope: str | MISSING = Field(default=MISSING, description=UNUSED)
    client_id: str | MISSING = Field(default=MISSING, description=UNUSED)
    client_secret: str | MISSING = Field(
        default=MISSING, repr=False, json_schema_extra=FORMAT, description=UNUSED
    )


class PasswordChange(WriteSchema):
    """A new password, and the current one."""

    current_password: Password
    new_password: NewPassword


class PasswordReset(WriteSchema):
    """A new password for the user with this email, from an operator."""

    email: Email
    password: NewPassword


class RefreshRequest(WriteSchema):
    """A refresh token."""

    refresh_token: str = Field(max_length=1024, repr=False, description=REFRESH_TOKEN)


class Tokens(ReadSchema):
    """An access token, and the refresh token that renews it."""

    access_token: str = Field(description="Token that is sent as `Authorization: Bearer <token>`.")
    refresh_token: str = Field(description=REFRESH_TOKEN)
    token_type: Literal["bearer"] = Field(default="bearer", description="Always `bearer`.")
    expires_in: int = Field(description="Lifetime of the access token in seconds.")
