"""docs/deployment.md: its manifests are valid and fit the image, and the proxies accept theirs."""

import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Render
from tests.support.commands import run_linter
from tests.support.environment import Environment
from tests.support.pages import block, on_loopback
from tests.support.servers import UNPRIVILEGED, folder, program

# It contains the schemas of Kubernetes.
KUBERNETES_VALIDATE = "kubernetes-validate@1.37.0"
GRACE = "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"
AUTH = ["local", "external"]
# Loads the settings from the variables of this process alone.
SETTINGS = """
from app.settings import Settings
Settings(_env_file=None)
print(*Settings.model_fields)
"""


def manifests(project: Path) -> dict[str, dict[str, Any]]:
    """Return the manifests of the page by their kind."""
    found = list(yaml.safe_load_all(block(project, "yaml")))
    assert len({one["kind"] for one in found}) == len(found)
    return {one["kind"]: one for one in found}


def pod(manifest: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the pod and its only container."""
    spec = manifest["spec"]["template"]["spec"]
    [container] = spec["containers"]
    return spec, container


def image_variables(project: Path) -> dict[str, str]:
    """Return the variables that the image sets, and those that only its server reads."""
    text = (project / "Dockerfile").read_text(encoding="utf-8")
    return dict(re.findall(r"\b(UVICORN_\w+|ENVIRONMENT)=(\S+)", text))


@pytest.mark.parametrize("auth", AUTH)
def test_manifests_are_valid(render: Render, tmp_path: Path, auth: str) -> None:
    page = tmp_path / "page.yaml"
    page.write_text(block(render(auth=auth), "yaml"), encoding="utf-8")
    run_linter(KUBERNETES_VALIDATE, "--strict", str(page))


@pytest.mark.parametrize("auth", AUTH)
def test_pods_run_as_the_image_requires(render: Render, auth: str) -> None:
    project = render(auth=auth)
    found = manifests(project)
    text = (project / "Dockerfile").read_text(encoding="utf-8")
    [group] = re.findall(r"--gid (\d+)", text)
    [user] = re.findall(r"--uid (\d+)", text)
    for kind in ("Job", "Deployment"):
        spec, container = pod(found[kind])
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == int(user)
        assert spec["securityContext"]["runAsGroup"] == int(group)
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod(found["Job"])[1]["image"] == pod(found["Deployment"])[1]["image"]
    assert pod(found["Job"])[1]["command"] == ["python", "-m", "migrations", "before"]


def test_probes_and_times_fit_the_image(render: Render) -> None:
    project = render()
    found = manifests(project)
    spec, container = pod(found["Deployment"])
    _, delay = container["lifecycle"]["preStop"]["exec"]["command"]
    stopping = int(delay) + int(image_variables(project)[GRACE])
    assert spec["terminationGracePeriodSeconds"] > stopping
    [port] = [one["containerPort"] for one in container["ports"]]
    assert f"EXPOSE {port}\n" in (project / "Dockerfile").read_text(encoding="utf-8")
    for probe, path in {"startup": "/health", "liveness": "/health", "readiness": "/ready"}.items():
        assert container[f"{probe}Probe"]["httpGet"] == {"path": path, "port": port}
    # `docs/outages.md`: an answer about the database takes up to five seconds.
    assert container["readinessProbe"]["timeoutSeconds"] > 5
    service = found["Service"]["spec"]
    assert [one["targetPort"] for one in service["ports"]] == [port]
    deployment = found["Deployment"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert service["selector"] == deployment["selector"]["matchLabels"] == labels
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize(("auth", "mail"), [("local", False), ("local", True), ("external", False)])
def test_variables_are_settings_and_suffice(
    render: Render, environment: Environment, auth: str, mail: bool
) -> None:
    project = render(auth=auth, mail=mail)
    found = manifests(project)
    given = {**found["ConfigMap"]["data"], **found["Secret"]["stringData"]}
    if auth == "local":
        # The page says how the secret is created.
        given["JWT_SECRET_KEY"] = secrets.token_hex(32)
    for kind in ("Job", "Deployment"):
        _, container = pod(found[kind])
        assert "env" not in container
        for source, reference in zip(("ConfigMap", "Secret"), container["envFrom"], strict=True):
            [named] = reference.values()
            assert named["name"] == found[source]["metadata"]["name"]
    variables = image_variables(project) | given
    printed = environment.check(project, "python", "-c", SETTINGS, **variables)
    fields = {name.upper() for name in printed.split()}
    # The server reads the other one.
    assert given.keys() - fields == {"FORWARDED_ALLOW_IPS"}
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert "| `FORWARDED_ALLOW_IPS` |" in readme


def test_example_of_the_formula_is_right(render: Render) -> None:
    text = (render() / "docs/deployment.md").read_text(encoding="utf-8")
    maximum, superusers, others = map(
        int, re.findall(r"max_connections` is (\d+) and the reserve (\d+) \+ (\d+)\.", text)[0]
    )
    [left] = map(int, re.findall(r"= (\d+) connections are enough for nine processes", text))
    [(processes, size, used)] = re.findall(r"\((\d+) . (\d+) = (\d+)\)", text)
    assert left == maximum - superusers - others - 2 == 9 * 10
    assert int(processes) * int(size) == int(used) <= left < int(processes) * (int(size) + 1)


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_proxy_accepts_its_configuration(render: Render, name: str) -> None:
    command = program(name)
    with folder() as home:
        file = home / f"{name}.conf"
        file.write_text(on_loopback(block(render(), name), home), encoding="utf-8")
        check = {
            "haproxy": ["-c", "-f", str(file)],
            "nginx": ["-t", "-q", "-p", str(home), "-c", str(file), "-e", "stderr"],
        }
        done = subprocess.run(
            [command, *check[name], *(["-g", f"pid {home}/pid;"] if name == "nginx" else [])],
            capture_output=True,
            text=True,
            check=False,
            **UNPRIVILEGED,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_proxies_accept_what_the_app_accepts(render: Render, name: str) -> None:
    project = render()
    text = block(project, name)
    limits = {
        limit: eval(product, {})
        for limit, product in re.findall(
            r"^(MAX_\w+) = ([\d *]+)$",
            (project / "app/http/middleware.py").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    if name == "haproxy":
        [size] = re.findall(r"tune\.bufsize (\d+)", text)
        # HAProxy keeps a part of the buffer for the headers that it adds.
        assert int(size) - 1024 > limits["MAX_HEADER_BYTES"] + limits["MAX_URL_BYTES"]
    else:
        [number, size] = re.findall(r"large_client_header_buffers (\d+) (\d+)k;", text)[0]
        assert int(size) * 1024 >= limits["MAX_HEADER_BYTES"] > limits["MAX_URL_BYTES"]
        assert int(number) > 1
        [size] = re.findall(r"client_max_body_size (\d+)m;", text)
        assert int(size) * 1024 * 1024 == limits["MAX_BODY_BYTES"]
