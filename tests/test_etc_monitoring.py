"""``etc/prometheus`` and ``etc/grafana``: they ask for what a server has."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.harness import Server
from tests.harness.server import ROOT

RULES = ROOT / "etc" / "prometheus" / "rotoclear.rules.yml"
DASHBOARD = ROOT / "etc" / "grafana" / "rotoclear.json"
EXAMPLE = ROOT / "etc" / "prometheus" / "rotoclear.rules.test.yml"
PAGE = ROOT / "docs" / "monitoring.rst"

PROMETHEUS = {"up"}
"""What Prometheus adds itself."""


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a real server that has been used tells Prometheus."""
    folder = tmp_path_factory.mktemp("monitoring")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=x "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    listen = f"ssl:{{port}}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    with Server(folder / "server", listen=[listen], certificate=certificate) as server:
        token = server.login()
        with server.client("admin") as client:
            client.ask({"brightness": 7})
            client.ask({"brightness": 700})
        server.request("POST", "/api/login", {"username": "x", "password": "wrong password"})
        health = server.request("GET", "/api/health", token=token).json()["parts"]["tls"]
        assert health["state"] == "degraded", "nine days are not many"
        assert str(certificate) in health["reason"]
        return server.request("GET", "/metrics", token=token).text()


@pytest.fixture(scope="module")
def scraped(metrics: str) -> dict[str, set[frozenset[str]]]:
    """Each of them, and the labels that it comes with."""
    found: dict[str, set[frozenset[str]]] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            found.setdefault(sample.name, set()).add(frozenset(sample.labels))
    return found


def expressions() -> Iterator[str]:
    """Every PromQL expression of the two files."""
    for match in re.finditer(r"^ +expr: (.+)$", RULES.read_text("utf-8"), re.M):
        yield match[1]
    dashboard: Any = json.loads(DASHBOARD.read_text("utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def test_each_metric_exists(scraped: dict[str, set[frozenset[str]]]) -> None:
    seen = set()
    for expression in expressions():
        for name, matchers in re.findall(
            r"\b((?:rotoclear|process)_\w+|up)\b(?:\{([^}]*)\})?", expression
        ):
            assert name in scraped.keys() | PROMETHEUS, expression
            labels = set(re.findall(r"(\w+)=~?\"", matchers)) - {"instance", "job"}
            assert any(labels <= there for there in scraped.get(name, {frozenset()})), expression
            seen.add(name)
    assert len(seen) > 25


def test_each_part_and_event_exists() -> None:
    """Names in quotes are as easily mistyped."""
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "rotoclear").rglob("*.py"))
    for expression in expressions():
        for label, values in re.findall(r"(part|event|state)=~?\"([^\"]+)\"", expression):
            for value in values.split("|"):
                assert f'"{value}"' in source, (label, value)


def test_dashboard() -> None:
    """What Grafana stumbles over."""
    dashboard: Any = json.loads(DASHBOARD.read_text("utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    places = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & places, panel["title"]
        places |= cells


def test_each_alert_is_explained() -> None:
    alerts = re.findall(r"^ +- alert: (\w+)$", RULES.read_text("utf-8"), re.M)
    explained = re.findall(r"^``(Rotoclear\w+)``", PAGE.read_text("utf-8"), re.M)
    assert alerts == explained


def test_prometheus_own_verdict(metrics: str) -> None:
    """Names, units and help texts, by the program that reads them."""
    subprocess.run(["promtool", "check", "metrics"], input=metrics.encode(), check=True)


def test_the_rules_are_rules() -> None:
    """By the program that reads them; and they fire when they should."""
    subprocess.run(["promtool", "check", "rules", RULES], check=True)
    subprocess.run(["promtool", "test", "rules", EXAMPLE], check=True, cwd=EXAMPLE.parent)
