"""What is shipped to run elsewhere: the image, the compose file, the Kubernetes manifests."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.config.file import load, parse
from exporter.demo.servers import find

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "tidemark.yaml").read_text()))
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def manifest(kind: str) -> dict[str, Any]:
    """The one manifest of that kind."""
    [found] = [it for it in MANIFESTS if it["kind"] == kind]
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_pinned_watched_and_keeps_its_log_small(name: str) -> None:
    """Each container has a fixed image, a health check or none on purpose, restart and log rotation."""
    service = SERVICES[name]
    tag = service["image"].partition(":")[2]
    assert re.fullmatch(r"v?\d+\.\d+\.\d+|local", tag)
    assert "healthcheck" in service or service["image"] == "tidemark:local"
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_reachable_from_this_machine_only(name: str) -> None:
    """Nothing is published beyond loopback."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_everything_that_is_mounted_exists(name: str) -> None:
    """A path that is missing would become an empty directory without a word."""
    for volume in SERVICES[name].get("volumes", ()):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (DEPLOY / source).exists()


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_only_for_services_that_there_are(name: str) -> None:
    """A dependency is a service of the file, and its health is known where it is awaited."""
    awaited = SERVICES[name].get("depends_on", {})
    assert set(awaited) <= set(SERVICES)
    for other in awaited if isinstance(awaited, dict) else ():
        assert "healthcheck" in SERVICES[other]


def test_prometheus_scrapes_every_service_of_the_compose_file_that_has_metrics() -> None:
    """Targets are services of the file, and the scores keep the labels of their source."""
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    jobs = {it["job_name"]: it for it in config["scrape_configs"]}
    hosts = {job: it["static_configs"][0]["targets"][0].split(":")[0] for job, it in jobs.items()}
    assert set(hosts.values()) - {"localhost"} <= set(SERVICES)
    assert jobs["tidemark"]["honor_labels"] is True


def test_the_configuration_of_the_compose_file_is_valid() -> None:
    """Tidemark starts with it, reads from the service of that name, and keeps its state in the volume."""
    config = load(DEPLOY / "tidemark.yml").config
    assert config.tsdb.url == "http://victoriametrics:8428"
    assert f"tidemark-state:{config.state.path}" in SERVICES["tidemark"]["volumes"]


def test_the_configuration_of_the_manifests_is_valid() -> None:
    """The ConfigMap holds a file that Tidemark starts with, and the volume is where its state goes."""
    config = parse(manifest("ConfigMap")["data"]["tidemark.yml"])
    [container] = manifest("StatefulSet")["spec"]["template"]["spec"]["containers"]
    mounts = {it["name"]: it["mountPath"] for it in container["volumeMounts"]}
    assert mounts["state"] == str(config.state.path)
    assert mounts["config"] == "/etc/tidemark"


def test_the_manifests_ask_for_no_privileges() -> None:
    """Non-root, read-only, without capabilities, with a limit on memory."""
    pod = manifest("StatefulSet")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]


def test_probes_ask_paths_that_the_exporter_answers() -> None:
    """Liveness is health, readiness is the first cycle."""
    [container] = manifest("StatefulSet")["spec"]["template"]["spec"]["containers"]
    paths = [container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")]
    assert paths == ["/-/healthy", "/-/ready"]


def test_the_image_runs_as_nobody_special_and_tells_its_health() -> None:
    """A user without rights, a health check, a stop signal, and the state on a volume."""
    for line in ("USER 10063:10063", "STOPSIGNAL SIGTERM", "VOLUME /var/lib/tidemark", "EXPOSE 10063"):
        assert line in DOCKERFILE.splitlines()
    assert 'CMD ["tidemark", "healthcheck"]' in DOCKERFILE


def test_the_image_gets_every_file_that_the_wheel_needs() -> None:
    """What the build copies is let through by .dockerignore and there."""
    copied = {it for line in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, re.M) for it in line.split()[:-1]}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == allowed
    assert all((ROOT / it).exists() for it in copied)


@pytest.mark.servers
def test_the_expressions_that_are_shipped_are_promql(tmp_path: Path) -> None:
    """promtool parses every query of the example configurations."""
    configs = [load(DEPLOY / "tidemark.yml").config, parse(manifest("ConfigMap")["data"]["tidemark.yml"])]
    rules = [{"record": "x:y", "expr": query.expr} for config in configs for query in config.queries]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "shipped", "rules": rules}]}))
    done = subprocess.run(
        [find("promtool"), "check", "rules", "--lint=none", path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.servers
def test_prometheus_accepts_its_configuration_with_the_rules(tmp_path: Path) -> None:
    """promtool loads the file as the container sees it."""
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    (tmp_path / "prometheus.yml").write_text((DEPLOY / "prometheus.yml").read_text())
    done = subprocess.run(
        [find("promtool"), "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules/thresholds.yml" in done.stdout
