"""The format of errors: an envelope."""

from http import HTTPStatus

from app.http.error_body import MEDIA_TYPE, ErrorBody, error_body, error_example


def test_media_type() -> None:
    assert MEDIA_TYPE == "application/json"


def test_fields_are_named_where_there_are_some() -> None:
    body = error_body(HTTPStatus.CONFLICT, "CONFLICT", "Taken.", {"email": "Taken."})
    assert body.model_dump() == {
        "error": {"code": "CONFLICT", "message": "Taken.", "details": {"email": "Taken."}}
    }


def test_details_are_left_out_where_there_are_none() -> None:
    body = error_body(HTTPStatus.NOT_FOUND, "NOT_FOUND", "Not found.")
    assert body.model_dump(exclude_none=True) == {
        "error": {"code": "NOT_FOUND", "message": "Not found."}
    }


def test_example_is_the_same_each_time() -> None:
    arguments = (HTTPStatus.NOT_FOUND, "NOT_FOUND", "Not found.")
    assert error_example(*arguments) == error_example(*arguments)
    ErrorBody.model_validate(error_example(*arguments))
