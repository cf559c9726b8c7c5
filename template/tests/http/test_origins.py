"""Allowed origins and hosts: normalization, and rejection of values that nothing can match."""

import pytest

from app.http.origins import checked_host, checked_origin


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("*", "*"),
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com/", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://app.example.com:80/", "http://app.example.com"),
        ("http://app.example.com:443", "http://app.example.com:443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost:03000", "http://localhost:3000"),
        ("http://my_service:8080", "http://my_service:8080"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[0:0:0:0:0:0:0:1]:80", "http://[::1]"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_origin(written: str, sent: str) -> None:
    assert checked_origin(written) == sent
    assert checked_origin(sent) == sent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "app.example.com",
        "//app.example.com",
        "https:app.example.com",
        "https://",
        "https:///",
        "https://*.example.com",
        "https://*",
        "https://app.example.com/path",
        "https://app.example.com//",
        "https://app.example.com?",
        "https://app.example.com?a=b",
        "https://app.example.com#a",
        "https://user@app.example.com",
        "https://user:password@app.example.com",
        "https://app.example.com:",
        "https://app.example.com:port",
        "https://app.example.com:65536",
        "https://app.example.com:-1",
        "https://app.example.com:²",
        "https://app example.com",
        " https://app.example.com",
        "https://app.example.com\n",
        "https://app.example.com,https://b.example",
        "https://app..example.com",
        "https://bücher.example",
        "https://[::1",
        "https://::1",
        "https://[::g]",
        "https://[]",
        "1http://a.example",
    ],
)
def test_invalid_origin(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be origins such as https://app\.example\.com"):
        checked_origin(text)


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("*", "*"),
        ("api.example.com", "api.example.com"),
        ("API.Example.com", "api.example.com"),
        ("*.Example.com", "*.example.com"),
        ("https://api.example.com", "api.example.com"),
        ("HTTP://api.example.com/", "api.example.com"),
        ("https://*.example.com", "*.example.com"),
        ("api.example.com:8443", "api.example.com"),
        ("https://api.example.com:8443/", "api.example.com"),
        ("localhost", "localhost"),
        ("10.0.0.7", "10.0.0.7"),
        ("my_service", "my_service"),
        ("[::1]", "[::1]"),
        ("[0::1]:8000", "[::1]"),
    ],
)
def test_host(written: str, compared: str) -> None:
    assert checked_host(written) == compared
    assert checked_host(compared) == compared


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*.",
        "*example.com",
        "api.*.com",
        "**.example.com",
        "*.*.example.com",
        "api.example.com/v1",
        "https://api.example.com/v1/",
        "api.example.com?a",
        "user@api.example.com",
        "api example.com",
        "api.example.com\n",
        "api.example.com:",
        "api.example.com:http",
        "ftp://api.example.com",
        "https://",
        "bücher.example",
        "::1",
        "[::1",
        "[::g]",
    ],
)
def test_invalid_host(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be host names such as api\.example\.com"):
        checked_host(text)
