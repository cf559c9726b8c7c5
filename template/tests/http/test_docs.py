"""The documentation pages load nothing from other hosts and run only their own scripts."""

import re
from collections.abc import AsyncIterator
from html import escape
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from tests.support.error_shape import error_of

PAGES = ["/docs", "/redoc"]
URLS = {"src", "href", "spec-url"}


class Elements(HTMLParser):
    """The elements of a page that load or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.found.append((tag, dict(attrs)))

    def urls(self) -> list[str]:
        """Return the URLs that the page refers to."""
        found = [
            attributes[name] or ""
            for _, attributes in self.found
            for name in URLS & attributes.keys()
        ]
        return [url for url in found if url != "data:,"]

    def nonces(self) -> list[str | None]:
        """Return the nonces of the scripts."""
        return [attributes.get("nonce") for tag, attributes in self.found if tag == "script"]


def policy_of(header: str) -> dict[str, list[str]]:
    """Read a Content-Security-Policy."""
    directives = [directive.split() for directive in header.split(";")]
    return {name: sources for name, *sources in directives}


@pytest.fixture
async def behind_proxy(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of the app behind a proxy that adds a path prefix."""
    transport = ASGITransport(app, root_path="/prefix")
    async with AsyncClient(transport=transport, base_url="http://test/prefix") as client:
        yield client


@pytest.mark.parametrize("page", PAGES)
async def test_security_headers(client: AsyncClient, page: str) -> None:
    response = await client.get(page)
    policy = policy_of(response.headers["content-security-policy"])
    [nonce] = set(Elements(response.text).nonces())

    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == [f"'nonce-{nonce}'"]
    for directive in ("base-uri", "form-action", "frame-ancestors"):
        assert policy[directive] == ["'none'"]
    assert not re.search(r"\*|https?:", str(policy))
    assert [name for name, sources in policy.items() if "unsafe" in str(sources)] == ["style-src"]
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("page", PAGES)
async def test_nonce_is_new_each_time(client: AsyncClient, page: str) -> None:
    nonces = {Elements((await client.get(page)).text).nonces()[0] or "" for _ in range(3)}
    assert len(nonces) == 3
    assert all(len(nonce) >= 22 for nonce in nonces)


@pytest.mark.parametrize("page", PAGES)
async def test_page_loads_nothing_from_other_hosts(client: AsyncClient, page: str) -> None:
    text = (await client.get(page)).text
    urls = Elements(text).urls()
    assert len(urls) >= 2
    for url in urls:
        assert url.startswith("/")
        assert (await client.get(url)).status_code == 200, url
    assert "://" not in text


@pytest.mark.parametrize(
    ("file", "media_type"),
    [
        ("/docs/swagger-ui.css", "text/css"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/redoc/redoc.standalone.js", "text/javascript"),
        # ReDoc requests it by itself.
        ("/redoc/logo-mini.svg", "image/svg+xml"),
    ],
)
async def test_files_can_be_cached(client: AsyncClient, file: str, media_type: str) -> None:
    response = await client.get(file)
    assert response.headers["content-type"].startswith(media_type)
    again = await client.get(file, headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("page", PAGES)
async def test_page_works_with_a_path_prefix(behind_proxy: AsyncClient, page: str) -> None:
    urls = Elements((await behind_proxy.get(page)).text).urls()
    assert all(url.startswith("/prefix/") for url in urls)
    for url in urls:
        assert (await behind_proxy.get(f"http://test{url}")).status_code == 200, url


@pytest.mark.parametrize("page", PAGES)
async def test_title_is_escaped(
    app: FastAPI, client: AsyncClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    title = "</title><script>alert('{nonce}')</script> & Co."
    monkeypatch.setattr(app, "title", title)
    text = (await client.get(page)).text
    assert f"<title>{escape(title)}</title>" in text
    assert None not in Elements(text).nonces()


@pytest.mark.parametrize("page", PAGES)
async def test_path_prefix_is_escaped(app: FastAPI, page: str) -> None:
    transport = ASGITransport(app, root_path="/'\"<script>")
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        text = (await client.get(page)).text
    assert "/%27%22%3Cscript%3E/openapi.json" in text


@pytest.mark.parametrize("page", PAGES)
async def test_page_supports_a_trailing_slash_and_head(client: AsyncClient, page: str) -> None:
    assert (await client.get(f"{page}/")).status_code == 200
    assert (await client.head(page)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/docs/nothing.js",
        "/docs/%2e%2e/redoc/redoc.standalone.js",
        "/docs/..%2f..%2f__init__.py",
        "/redoc/%2fetc%2fpasswd",
        "/redoc/a%00b",
        "/redoc/%ed%a0%80",
        f"/docs/{'x' * 300}",
    ],
)
async def test_other_files_are_not_served(client: AsyncClient, path: str) -> None:
    response = await client.get(path)
    error_of(response, 404, "NOT_FOUND")


async def test_files_are_read_only(client: AsyncClient) -> None:
    response = await client.post("/docs/swagger-ui.css")
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, HEAD"
