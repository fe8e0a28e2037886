"""The pages for people: what there is, and the API documentation with assets of our own (no other host is asked)."""

from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from portal.problems import problem

ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
START = """\
window.ui = SwaggerUIBundle({
  url: document.currentScript.dataset.document,
  dom_id: "#documentation",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: true,
  showExtensions: true,
  validatorUrl: null,
});
"""
DOCUMENTATION = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tandem API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="documentation"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js" data-document="openapi.json"></script>
</body>
</html>
"""
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
WELCOME = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tandem</title>
</head>
<body>
<h1>Tandem</h1>
<p>Service management and project management on one platform, measured by one KPI engine.</p>
<ul>
<li><a href="docs">API documentation</a></li>
<li><a href="openapi.json">API document (OpenAPI)</a></li>
<li><a href=".well-known/jwks.json">Public keys</a></li>
</ul>
</body>
</html>
"""


def page_routes(services: list[str]) -> APIRouter:
    """Return the routes of the pages."""
    router = APIRouter(include_in_schema=False)
    links = {
        "name": "Tandem",
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "keys": "/.well-known/jwks.json",
        "token": "/oauth/token",
        "services": {service: f"/{service}/v1" for service in services},
    }

    @router.get("/")
    async def welcome(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(WELCOME, headers={**SAFE, "vary": "accept"})
        return JSONResponse(links, headers={"vary": "accept"})

    @router.get("/docs")
    async def documentation() -> Response:
        return HTMLResponse(DOCUMENTATION, headers=SAFE)

    @router.get("/docs/{name}")
    async def asset(name: str, request: Request) -> Response:
        headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
        if name == "start.js":
            return Response(START, media_type="text/javascript; charset=utf-8", headers=headers)
        if name not in ASSETS:
            return problem(request, 404, "no-such-path", "Nothing answers at this path.")
        content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
        return Response(content, media_type=ASSETS[name], headers=headers)

    return router
