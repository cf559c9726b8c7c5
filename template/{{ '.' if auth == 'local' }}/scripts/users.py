"""Manage the users in the database of DATABASE_URL.

A new password is asked for twice at a terminal, and otherwise read from the first line of the standard
input. It is never an argument, because other processes can read those.
"""

import asyncio
import secrets
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from getpass import getpass

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import DBAPIError

from app.db.database import Database
from app.errors import ApiError, ServiceUnavailable
from app.schemas import auth as schemas
from app.services import auth as service
from app.settings import DatabaseSettings

COMMANDS = {
    "create": "create a user",
    "disable": "end all sessions of a user, and reject logins",
    "enable": "let a disabled user log in again",
    "revoke": "end all sessions of a user, who can log in again",
    "reset-password": "change the password of a user, and end all their sessions",
}
WITH_PASSWORD = ("create", "reset-password")
GENERATED_BYTES = 16


class UsageError(Exception):
    """Something that was entered cannot be used."""


def parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        prog="python -m scripts.users",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        command.add_argument("email", metavar="EMAIL", help="email address; case is ignored")
        if name in WITH_PASSWORD:
            command.add_argument(
                "--generate", action="store_true", help="generate the password, and print it"
            )
    return parser


def new_password() -> str:
    """Ask for a password at a terminal, or read it from the standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("Password: ")
    if getpass("The same again: ") != password:
        raise UsageError("The passwords differ.")
    return password


def checked_email(text: str) -> str:
    """Return an address as it is stored."""
    try:
        email: str = TypeAdapter(schemas.Email).validate_python(text)
    except ValidationError as error:
        raise UsageError(f"email: {error.errors()[0]['msg']}") from error
    return email


def explain(error: Exception) -> str:
    """Describe an error in one line, without the values that were entered."""
    match error:
        case ValidationError():
            found = error.errors(include_url=False, include_context=False, include_input=False)
            return "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in found)
        case ServiceUnavailable():
            return "The database does not answer; check DATABASE_URL."
        case ApiError(errors=dict(errors)):
            return "; ".join(f"{name}: {message}" for name, message in errors.items())
        case DBAPIError():
            reason = str(getattr(error.orig, "__cause__", None) or error.orig).partition("\n")[0]
            return f"Have all revisions been applied (`make migrate`)? The database says: {reason}"
    return str(error)


async def run(database: Database, arguments: Namespace) -> str:
    """Run a command, and return what it did."""
    email = checked_email(arguments.email)
    password = ""
    if arguments.command in WITH_PASSWORD:
        generated = secrets.token_urlsafe(GENERATED_BYTES)
        password = generated if arguments.generate else new_password()
    match arguments.command:
        case "create":
            user = schemas.UserCreate(email=email, password=password)
            created = await service.create_user(database, user)
            done = f"Created {email} with the id {created.id}."
        case "reset-password":
            await service.reset_password(
                database, schemas.PasswordReset(email=email, password=password)
            )
            done = f"Changed the password of {email}, and ended all sessions."
        case "disable":
            await service.disable_user(database, email)
            done = f"Disabled {email}, and ended all sessions."
        case "enable":
            await service.enable_user(database, email)
            done = f"Enabled {email}."
        case _:
            await service.revoke_sessions(database, email)
            done = f"Ended all sessions of {email}."
    if arguments.command in WITH_PASSWORD and arguments.generate:
        return f"{done}\nPassword: {password}"
    return done


async def connect_and_run(arguments: Namespace) -> str:
    """Run a command on the database of the settings."""
    try:
        database = Database(DatabaseSettings().database_url)
    except ValidationError as error:
        raise UsageError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
    try:
        return await run(database, arguments)
    finally:
        await database.dispose()


def main(arguments: Sequence[str]) -> str | None:
    """Run a command, print what it did, and return its error, if there is one."""
    parsed = parser().parse_args(arguments)
    try:
        done = asyncio.run(connect_and_run(parsed))
    except (ApiError, DBAPIError, UsageError, ValidationError, UnicodeError) as error:
        return explain(error)
    except (EOFError, KeyboardInterrupt):
        return "Nothing was changed."
    sys.stdout.write(f"{done}\n")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
