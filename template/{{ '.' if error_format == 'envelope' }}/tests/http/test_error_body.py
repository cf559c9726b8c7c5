"""The format of errors: an envelope."""

from http import HTTPStatus

from app.http.error_body import MEDIA_TYPE, ErrorBody, error_body, error_example


def test_media_type() -> None:
    assert MEDIA_TYPE == "application/json"


def test_errors_of_fields() -> None:
    body = error_body(HTTPStatus.CONFLICT, "CONFLICT", "Taken.", {"email": "Taken."})
    assert body.model_dump() == {
        "error": {"code": "CONFLICT", "message": "Taken.", "details": {"email": "Taken."}}
    }


def test_details_are_omitted_if_empty() -> None:
    body = error_body(HTTPStatus.NOT_FOUND, "NOT_FOUND", "Not found.")
    assert body.model_dump(exclude_none=True) == {
        "error": {"code": "NOT_FOUND", "message": "Not found."}
    }


def test_example_is_the_same_each_time() -> None:
    arguments = (HTTPStatus.NOT_FOUND, "NOT_FOUND", "Not found.")
    assert error_example(*arguments) == error_example(*arguments)
    ErrorBody.model_validate(error_example(*arguments))
