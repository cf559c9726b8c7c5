"""The documentation pages: Swagger UI at /docs and ReDoc at /redoc.

Their files come with the package fastapi-standalone-docs, and a Content-Security-Policy lets the
browser load nothing from other hosts.
"""

import secrets
from html import escape
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

ASSETS = "fastapi_standalone_docs"
NO_ICON = "data:,"

CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": "'nonce-{nonce}'",
    # ReDoc creates its style sheets in the browser.
    "style-src": "'self' 'unsafe-inline'",
    # Swagger UI's style sheet contains its icons.
    "img-src": "'self' data:",
    # The OpenAPI document, and the requests of "Try it out".
    "connect-src": "'self'",
    # ReDoc searches in a web worker that it creates itself.
    "worker-src": "blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def _root(request: Request) -> str:
    """Return the path that the app is served below, encoded for HTML and JavaScript."""
    return quote(request.scope.get("root_path", "").rstrip("/"))


def _secured(page: HTMLResponse) -> HTMLResponse:
    """Allow the scripts of a page, and nothing else, by a nonce."""
    nonce = secrets.token_urlsafe(16)
    policy = "; ".join(f"{name} {value}" for name, value in CONTENT_SECURITY_POLICY.items())
    headers = {**HEADERS, "Content-Security-Policy": policy.format(nonce=nonce)}
    content = bytes(page.body).decode().replace("<script", f'<script nonce="{nonce}"')
    return HTMLResponse(content, headers=headers)


async def swagger(request: Request) -> HTMLResponse:
    """Return the page of Swagger UI."""
    root = _root(request)
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title=escape(request.app.title),
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=NO_ICON,
        swagger_ui_parameters={"validatorUrl": "none"},
    )
    return _secured(page)


async def redoc(request: Request) -> HTMLResponse:
    """Return the page of ReDoc."""
    root = _root(request)
    page = get_redoc_html(
        openapi_url=f"{root}/openapi.json",
        title=escape(request.app.title),
        redoc_js_url=f"{root}/redoc/redoc.standalone.js",
        redoc_favicon_url=NO_ICON,
        with_google_fonts=False,
    )
    return _secured(page)


def install_docs(app: FastAPI) -> None:
    """Add the pages, and the files that they load."""
    app.add_route("/docs", swagger, include_in_schema=False)
    app.add_route("/redoc", redoc, include_in_schema=False)
    app.mount("/docs", StaticFiles(packages=[(ASSETS, "static/swagger")]))
    app.mount("/redoc", StaticFiles(packages=[(ASSETS, "static/redoc")]))
