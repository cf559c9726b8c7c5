"""Bodies of the auth routes."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic.config import JsonDict

from app.models.row import Id
from app.models.user import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH
from app.schemas import types
from app.schemas.base import ReadSchema, WriteSchema

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128


def normalised_email(email: str) -> str:
    """Return an address as it is stored and compared.

    Lower case and composed, so that one mailbox is one user. Nothing beyond that: full case
    folding and NFKC also merge letters (`ß` with `ss`) and would give one user's account the mail of
    another.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email).lower())


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL characters are not allowed")
    return text


Email = Annotated[types.Email, AfterValidator(normalised_email), Field(max_length=MAX_EMAIL_LENGTH)]
Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME_LENGTH, pattern=r"\S"),
    AfterValidator(_without_nul),
]
PASSWORD: JsonDict = {"format": "password"}
Secret = Field(max_length=MAX_PASSWORD_LENGTH, repr=False, json_schema_extra=PASSWORD)
NewPassword = Annotated[str, Secret, Field(min_length=MIN_PASSWORD_LENGTH)]
Password = Annotated[str, Secret]
RefreshTokenText = Annotated[str, Field(max_length=1024, repr=False)]


class UserCreate(WriteSchema):
    """Who wants to register."""

    email: Email
    password: NewPassword
    name: Name | None = None


class UserUpdate(WriteSchema):
    """What users can change about themselves."""

    name: Name | None = None


class UserRead(ReadSchema):
    """A user, as the user sees it."""

    id: Id
    email: str
    name: str | None
    created_at: datetime


class Credentials(WriteSchema):
    """Who wants to log in."""

    email: Email
    password: Password


class PasswordGrant(BaseModel):
    """The form of OAuth2's password grant (RFC 6749, section 4.3); the `username` is the email."""

    username: str = Field(min_length=1)
    password: str = Field(min_length=1, repr=False, json_schema_extra=PASSWORD)
    # Taken, and of no consequence here.
    grant_type: Literal["password"] = Field(default_factory=lambda: "password")
    scope: str = Field(default_factory=str)
    client_id: str = Field(default_factory=str)
    client_secret: str = Field(default_factory=str, repr=False, json_schema_extra=PASSWORD)


class PasswordChange(WriteSchema):
    """A new password, and the proof of knowing the old one."""

    current_password: Password
    new_password: NewPassword


class RefreshRequest(WriteSchema):
    """The refresh token that came with the last access token."""

    refresh_token: RefreshTokenText


class Tokens(ReadSchema):
    """What a login gives: an access token for requests, a refresh token for the next two."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
