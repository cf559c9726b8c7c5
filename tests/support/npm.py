"""Install packages from the npm registry."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.support.environment import CACHE, locked

TIMEOUT_IN_SECONDS = 300


def missing_programs() -> list[str]:
    """Return the required programs that are not on PATH."""
    return [name for name in ("node", "npm") if shutil.which(name) is None]


def install(source: Path) -> Path:
    """Copy a folder, install the packages of its lock file, and cache the result by its content."""
    files = sorted(path for path in source.iterdir() if path.is_file())
    key = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    home = CACHE / source.name / key
    with locked(CACHE / f"{source.name}.lock"):
        if not (home / "ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            for path in files:
                shutil.copy2(path, home)
            done = subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund"],
                cwd=home,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_IN_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            (home / "ready").touch()
    return home
