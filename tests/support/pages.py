"""Configurations in the pages of a rendered project, and the servers that check them."""

import re
from pathlib import Path

from tests.support.servers import create_certificate, free_port

PAGE = "docs/deployment.md"
# The folders of nginx that only root can create in their usual place.
TEMPORARY = ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")


def block(project: Path, language: str) -> str:
    """Return the only block of a language in the page about deployments."""
    text = (project / PAGE).read_text(encoding="utf-8")
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(found)


def replaced(text: str, changes: dict[str, str]) -> str:
    """Replace parts of a configuration, each of which must occur once."""
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def on_loopback(text: str, home: Path, ports: dict[str, int] | None = None) -> str:
    """Return a configuration whose proxy and processes are on this machine, with a certificate.

    `ports` has the ports of the proxy, as "80" and "443", and of the processes by their address.
    """
    create_certificate(home, "api", None)
    pem = [(home / name).read_text(encoding="utf-8") for name in ("api.crt", "api.key")]
    (home / "api.pem").write_text("".join(pem), encoding="utf-8")
    text = re.sub(r"/(etc|run)/(haproxy|nginx)/", f"{home}/", text)
    paths = "".join(f"{name}_temp_path {home}/{name};" for name in TEMPORARY)
    text = text.replace("http {\n", f"http {{\naccess_log off; {paths}\n")
    used = ports or {}
    for old in ("80", "443"):
        port = used.get(old) or free_port()
        text = re.sub(rf"(listen |bind ):?{old}\b", rf"\g<1>127.0.0.1:{port}", text)
    for address, port in used.items():
        if "." in address:
            text = replaced(text, {address: f"127.0.0.1:{port}"})
    return text
