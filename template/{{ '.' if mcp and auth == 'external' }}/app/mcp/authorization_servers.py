"""Where MCP clients can get tokens by OAuth 2.0."""

from app.auth.settings import AuthSettings


def authorization_servers(settings: AuthSettings) -> list[str]:
    """Return the issuer of the tokens, if tokens must name one."""
    return [settings.jwt_issuer] if settings.jwt_issuer else []
