"""Where MCP clients can get tokens by OAuth 2.0."""

from app.auth.settings import AuthSettings


def authorization_servers(_settings: AuthSettings) -> list[str]:
    """Return nothing: users log in at this API, which is not an authorization server."""
    return []
