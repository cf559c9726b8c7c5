"""Write the types of the TypeScript client, and check that they match the API.

Their first line has a hash of the OpenAPI document, so that the check does not need Node.js.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.impact import ImpactError, document

CLIENT = Path("client")
TYPES = CLIENT / "src" / "schema.ts"
NODE = "Node.js 20 or newer, with npm"


def first_line(api: dict[str, Any]) -> str:
    """Return the line that names the document which types are written from."""
    digest = hashlib.sha256(json.dumps(api, sort_keys=True).encode()).hexdigest()
    return f"// Written by `make client` from the OpenAPI document {digest}."


def load() -> dict[str, Any]:
    """Return the OpenAPI document of the project."""
    return document(Path.cwd(), "the project")


def check() -> str | None:
    """Return an error if the types were written from another document."""
    if not TYPES.exists():
        sys.stdout.write(f"{CLIENT} has no types yet: `make client` writes them.\n")
        return None
    line, _, _ = TYPES.read_text(encoding="utf-8").partition("\n")
    if line == first_line(load()):
        return None
    missing = "" if shutil.which("npm") else f" (which needs {NODE}; it is not installed)"
    return f"{TYPES} does not match the API: run `make client`{missing}, and commit the file."


def write() -> str | None:
    """Write the types and build the client; return an error if that fails."""
    npm = shutil.which("npm")
    if npm is None:
        return f"The client needs {NODE}: https://nodejs.org"
    api = load()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "openapi.json"), Path(folder, "schema.ts")
        source.write_text(json.dumps(api), encoding="utf-8")
        # Fields with a default can be omitted from requests.
        options = ["--default-non-nullable=false", f"--output={target}"]
        install = [npm, "install", "--no-audit", "--no-fund"]
        generate = [npm, "exec", "--", "openapi-typescript", str(source), *options]
        for command in (install, generate):
            if subprocess.run(command, cwd=CLIENT, check=False).returncode:  # noqa: S603
                return f"`npm {command[1]}` failed in {CLIENT}."
        types = target.read_text(encoding="utf-8")
    TYPES.write_text(f"{first_line(api)}\n{types}", encoding="utf-8")
    built = subprocess.run([npm, "run", "build"], cwd=CLIENT, check=False)  # noqa: S603
    return f"The client in {CLIENT} does not compile." if built.returncode else None


def main(arguments: list[str]) -> str | None:
    """Check, or write; return an error."""
    try:
        return check() if arguments == ["check"] else write()
    except ImpactError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
