"""New passwords that are easy to guess are rejected, with the reason."""

import time

import pytest
from httpx import AsyncClient

from app.auth.weak_passwords import COMMON, LIKE_EMAIL, weakness
from tests.support.accounts import AUTH, EMAIL, REGISTERED, bearer, log_in, new_session, register
from tests.support.error_shape import error_of
from tests.support.identity import PASSWORD

WEAK = [
    ("password1", COMMON),
    ("PassWord1", COMMON),
    (" password1 ", COMMON),
    ("1q2w3e4r", COMMON),
    ("carol1234", LIKE_EMAIL),
    ("1234-Carol!", LIKE_EMAIL),
    ("carolcarol", LIKE_EMAIL),
    ("CAROL@example.com", LIKE_EMAIL),
    ("carol@example.com1", LIKE_EMAIL),
    ("example.com", LIKE_EMAIL),
]


@pytest.mark.parametrize(("password", "reason"), WEAK)
async def test_registration_rejects_it(client: AsyncClient, password: str, reason: str) -> None:
    response = await register(client, password=password)
    assert error_of(response, 422, "VALIDATION_ERROR") == {"password": reason}
    assert password not in response.text
    assert (await register(client)).status_code == REGISTERED


@pytest.mark.parametrize(("password", "reason"), WEAK)
async def test_change_of_the_password_rejects_it(
    client: AsyncClient, password: str, reason: str
) -> None:
    client.headers.update(bearer((await new_session(client))["access_token"]))
    body = {"current_password": PASSWORD, "new_password": password}
    response = await client.post(f"{AUTH}/password", json=body)
    assert error_of(response, 422, "VALIDATION_ERROR") == {"new_password": reason}
    assert password not in response.text
    assert (await log_in(client)).status_code == 200


@pytest.mark.parametrize(
    ("password", "email"),
    [
        (PASSWORD, EMAIL),
        ("kckqzwxv", EMAIL),
        ("########", EMAIL),
        ("carol sings", EMAIL),
        ("# Common passwords of at least", EMAIL),
        ("aj-384-aj-91", "aj@example.com"),
        ("73918264", "12@example.com"),
    ],
)
def test_other_passwords_need_no_digits_or_symbols(password: str, email: str) -> None:
    assert weakness(password, email) is None


@pytest.mark.parametrize("password", ["ada lovelace 9", "adalovelace", "ADA.LOVELACE+work"])
def test_punctuation_and_tags_of_an_email(password: str) -> None:
    assert weakness(password, "ada.lovelace+work@example.com") == LIKE_EMAIL


@pytest.mark.parametrize("email", ["111+1111@11111.com", f"{'a' * 64}@{'a' * 60}.com"])
@pytest.mark.parametrize("password", ["1" * 127 + "x", "a" * 127 + "x", "\ufdfa" * 128])
def test_the_check_takes_less_than_a_hash(password: str, email: str) -> None:
    assert weakness("kckqzwxv", email) is None
    start = time.perf_counter()
    assert weakness(password, email) is None
    assert time.perf_counter() - start < 0.01
