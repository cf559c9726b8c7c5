"""Values of DATABASE_URL for tests, and how the app reads them."""

from pathlib import Path
from typing import Any

from app.db.url.parse import read_database_url

SECRET = "hunter2"
PLAIN = f"postgresql://me:{SECRET}@host/app"
VERIFIED = "sslmode=verify-full&sslrootcert=system"

# A self-signed certificate without its key.
CERTIFICATE = Path("tests/support/certificate.pem")


def arguments(url: str) -> dict[str, Any]:
    """Return the arguments of the driver besides the URL."""
    return read_database_url(url).connect_args
