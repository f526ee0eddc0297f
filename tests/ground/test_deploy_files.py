"""The systemd units and the compose file that operators copy from docs/deploy are complete.

The units may write where the settings of .env.example say.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from housing.declarations import SECRETS, SETTINGS
from housing.management.commands.upgrade import RESTART

DEPLOY = Path(settings.BASE_DIR) / "docs" / "deploy"
EXAMPLES = {setting.name: setting.example for setting in SETTINGS}


def unit(name: str) -> dict[str, str]:
    """Return the last value of each key of a unit."""
    lines = (DEPLOY / "systemd" / f"common-ground{name}").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("-backup.service", {"BACKUP_ROOT"}),
        ("-web.service", {"MEDIA_ROOT", "JOURNAL_ROOT", "SURVEY_KEYS_ROOT"}),
        ("-worker.service", {"MEDIA_ROOT", "JOURNAL_ROOT", "SURVEY_KEYS_ROOT"}),
    ],
)
def test_a_service_may_write_to_the_folders_of_the_example_file(name: str, folders: set[str]) -> None:
    unit_text = unit(name)

    assert unit_text["ProtectSystem"] == "strict"
    # With "-" before its name, a missing folder is no fault.
    assert {f"-{EXAMPLES[folder]}" for folder in folders} <= set(unit_text["ReadWritePaths"].split())


def test_requests_wait_while_pages_restart_with_the_code_of_a_new_version() -> None:
    web = unit("-web.service")
    socket = unit("-web.socket")

    assert web["Requires"] == "common-ground-web.socket"
    assert "--bind" not in web["ExecStart"]
    assert f"server {socket['ListenStream']};" in (DEPLOY / "nginx.conf").read_text()
    # A reload of gunicorn keeps the folder that `current` led to when it began.
    assert "ExecReload" not in web
    assert "systemctl restart common-ground-web " in RESTART
    assert RESTART.index("/srv/common-ground/current") < RESTART.index("collectstatic") < RESTART.index("restart")


def test_the_target_starts_every_service_that_is_always_there() -> None:
    service_names = {path.name for path in (DEPLOY / "systemd").glob("*.s*") if "Type=oneshot" not in path.read_text()}

    assert set(unit(".target")["Wants"].split()) == service_names


# --- The compose file

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_every_secret_of_the_compose_file_is_declared_made_and_given() -> None:
    script = (DEPLOY / "make-secrets.sh").read_text()
    for name, service in COMPOSE["services"].items():
        service_secrets = set(service.get("secrets", ()))
        for key, value in service.get("environment", {}).items():
            if key.endswith("_FILE") and service["image"] == "common-ground":
                assert key.removesuffix("_FILE") in SECRETS, (name, key)
            if str(value).startswith("/run/secrets/"):
                assert Path(value).name in service_secrets, (name, key)
        for secret in service_secrets:
            assert COMPOSE["secrets"][secret] == {"file": f"./secrets/{secret}"}
            assert re.search(rf"\b{secret}\b", script), secret

    # Processes show their arguments to everybody on the machine.
    assert "$(secret" not in (DEPLOY / "compose-roles.sh").read_text()


def test_only_those_that_change_tables_have_the_owners_address() -> None:
    services = COMPOSE["services"].items()
    owners = {name for name, service in services if "database_owner_url" in service.get("secrets", ())}

    assert owners == {"migrated", "backup"}


def test_the_database_counts_as_ready_only_when_others_reach_it() -> None:
    # While PostgreSQL's image makes roles and databases, its server answers on a socket only.
    assert {"--host", "127.0.0.1"} <= set(COMPOSE["services"]["database"]["healthcheck"]["test"])


def test_no_secret_and_no_data_is_sent_to_a_build() -> None:
    ignored_names = set((DEPLOY.parent.parent / ".dockerignore").read_text().splitlines())
    copied_names = re.findall(r"^COPY (?!--)(.*) \S+$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)

    assert {".env", "var", "docs/deploy/secrets"} <= ignored_names
    assert {name.rstrip("/") for line in copied_names for name in line.split()} & ignored_names == set()


def test_the_image_has_all_that_its_front_end_is_built_from() -> None:
    script = (DEPLOY.parent.parent / "static" / "build.mjs").read_text()
    outside = re.findall(r'join\(here, "\.\.", (.*?)\)', script)
    folders_read = {"/".join(re.findall(r'"([^"]+)"', names)) for names in outside} - {"node_modules"}
    steps_before_build, _ = (DEPLOY / "Containerfile").read_text().split("RUN node static/build.mjs\n")

    assert folders_read == {"partnerships/kit/boundaries.json"}
    assert {f"COPY {name} {name}" for name in folders_read} <= set(steps_before_build.splitlines())
