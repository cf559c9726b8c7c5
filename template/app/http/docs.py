"""The documentation: Swagger UI at /docs, ReDoc at /redoc.

Nothing is fetched from elsewhere: their files come with the package fastapi-standalone-docs, and
the browser may load only what carries the nonce of the page.
"""

import secrets
from html import escape
from string import Template

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

ASSETS = "fastapi_standalone_docs"

# What a page needs to know comes in attributes, where escaping is enough to keep it data.
SWAGGER = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" nonce="$nonce" href="$root/docs/swagger-ui.css">
<div id="docs" data-openapi="$root/openapi.json"></div>
<script nonce="$nonce" src="$root/docs/swagger-ui-bundle.js"></script>
<script nonce="$nonce">
  const url = document.getElementById("docs").dataset.openapi;
  SwaggerUIBundle({ url, dom_id: "#docs", deepLinking: true, validatorUrl: "none" });
</script>
</html>
""")
REDOC = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style nonce="$nonce">body { margin: 0 }</style>
<div id="docs" data-openapi="$root/openapi.json"></div>
<script nonce="$nonce">
  // ReDoc takes a nonce for its style sheets, but adds the first of them before it can be told.
  const { nonce } = document.currentScript;
  const create = document.createElement.bind(document);
  document.createElement = (name, options) =>
    Object.assign(create(name, options), name === "style" && { nonce });
</script>
<script nonce="$nonce" src="$root/redoc/redoc.standalone.js"></script>
<script nonce="$nonce">
  const docs = document.getElementById("docs");
  Redoc.init(docs.dataset.openapi, {}, docs);
</script>
</html>
""")

# Nothing unsafe, and for scripts no 'self': one runs because the page names it, not because of where
# it lies.
CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": "'nonce-{nonce}'",
    # ReDoc makes its style sheets as it runs; its page gives them the nonce.
    "style-src": "'nonce-{nonce}'",
    # Swagger UI's style sheet has its icons in it.
    "img-src": "'self' data:",
    # The document, and the requests that are tried out.
    "connect-src": "'self'",
    # ReDoc searches in a worker that it makes itself.
    "worker-src": "blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    # A nonce is good for one response.
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _page(request: Request, template: Template) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    content = template.substitute(
        nonce=nonce,
        title=escape(request.app.title),
        root=escape(request.scope.get("root_path", "").rstrip("/")),
    )
    policy = "; ".join(f"{name} {value}" for name, value in CONTENT_SECURITY_POLICY.items())
    headers = {**HEADERS, "Content-Security-Policy": policy.format(nonce=nonce)}
    return HTMLResponse(content, headers=headers)


async def swagger(request: Request) -> HTMLResponse:
    """Show the documentation to try out."""
    return _page(request, SWAGGER)


async def redoc(request: Request) -> HTMLResponse:
    """Show the documentation to read."""
    return _page(request, REDOC)


def install_docs(app: FastAPI) -> None:
    """Add the pages, and the files that they need below them."""
    app.add_route("/docs", swagger, include_in_schema=False)
    app.add_route("/redoc", redoc, include_in_schema=False)
    app.mount("/docs", StaticFiles(packages=[(ASSETS, "static/swagger")]))
    app.mount("/redoc", StaticFiles(packages=[(ASSETS, "static/redoc")]))
