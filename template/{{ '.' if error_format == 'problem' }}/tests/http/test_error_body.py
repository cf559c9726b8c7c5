"""The format of errors: problem details (RFC 9457)."""

from http import HTTPStatus

from app.http.error_body import MEDIA_TYPE, ErrorBody, error_body, error_example


def test_media_type() -> None:
    assert MEDIA_TYPE == "application/problem+json"


def test_errors_of_fields() -> None:
    body = error_body(HTTPStatus.CONFLICT, "CONFLICT", "Taken.", {"email": "Taken."})
    assert body.model_dump(exclude={"timestamp"}) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Taken.",
        "error_code": "CONFLICT",
        "errors": {"email": "Taken."},
    }


def test_timestamp_is_in_utc() -> None:
    body = error_body(HTTPStatus.NOT_FOUND, "NOT_FOUND", "Not found.")
    assert body.timestamp.utcoffset() is not None
    assert body.model_dump(mode="json", exclude_none=True)["timestamp"].endswith("Z")


def test_example_is_the_same_each_time() -> None:
    arguments = (HTTPStatus.NOT_FOUND, "NOT_FOUND", "Not found.")
    assert error_example(*arguments) == error_example(*arguments)
    ErrorBody.model_validate(error_example(*arguments))
