"""The file system of the image, assembled in a folder, starts as another user who can write nothing there.

`make try-image` builds and starts the image itself, outside CI. Here its packages are those of this environment, and
PostgreSQL's programs and the bills of materials are left out; the files are those that the Containerfile names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from tests.faults.site import until
from tests.support.ports import reserved_port

ROOT = Path(settings.BASE_DIR)
NOT_HERE = {"/opt/postgres", "sbom.json", "sbom-front-end.json"}
#: The rights of the image's user if the tests run as root: to read everything (this Python may be below root's home)
#: and write nothing.
_READS = "-all,+dac_read_search"
ANOTHER_USER = (
    *("setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--no-new-privs"),
    *(f"--inh-caps={_READS}", f"--ambient-caps={_READS}", f"--bounding-set={_READS}"),
)


def assemble_image(folder: Path) -> None:
    """Copy the files that the last stage of the Containerfile copies. The packages are linked."""
    stage = (ROOT / "docs/deploy/Containerfile").read_text().rpartition("\nFROM python\n")[2]
    for line in stage.splitlines():
        if not line.startswith("COPY "):
            continue
        *sources, target = [word for word in line.split()[1:] if not word.startswith("--")]
        for name in (source.removeprefix("/build/").removeprefix("/app/") for source in sources):
            if name in NOT_HERE:
                continue
            target_path = folder / (name if target == "./" else target)
            target_path.parent.mkdir(parents=True, exist_ok=True)
            if name == ".venv":
                target_path.symlink_to(ROOT / name)
            elif (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target_path, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, target_path)


@pytest.fixture
def image() -> Iterator[tuple[Path, dict[str, str], list[str]]]:
    """Provide the folder of the image, its environment, and the first words of another user's commands."""
    image_folder = Path(tempfile.mkdtemp(prefix="cg-image-"))
    app, own_folder = image_folder / "app", image_folder / "own"
    own_folder.mkdir()
    database = connection.settings_dict
    password = quote(database["PASSWORD"], safe="")
    host = quote(database["HOST"], safe="")
    name = f"{database['USER']}:{password}@{host}:{database['PORT']}"
    environ = {
        "PATH": f"{app}/.venv/bin:/usr/bin:/bin",
        "COMMON_GROUND_VAR": str(own_folder),
        "STATIC_ROOT": str(app / "static/collected"),
        "DATABASE_URL": f"postgres://{name}/{database['NAME']}",
        "SECRET_KEY": "for-trying-the-image-" * 3,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
    }
    try:
        assemble_image(app)
        # The files of Django admin are left out, because they would take half of the time.
        command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0", "--ignore", "admin"]
        subprocess.run(command, cwd=app, env=environ, check=True)
        subprocess.run(["chmod", "-R", "a+rX,a-w", str(app)], check=True)
        if os.geteuid() == 0:
            os.chown(own_folder, 10001, 10001)
            image_folder.chmod(0o755)
        yield app, environ, list(ANOTHER_USER) if os.geteuid() == 0 else []
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(app)], check=True)
        shutil.rmtree(image_folder)


@pytest.mark.django_db
def test_the_images_files_serve_pages_as_another_user_on_a_read_only_tree(
    image: tuple[Path, dict[str, str], list[str]],
) -> None:
    app, environ, as_another = image
    python = str(app / ".venv/bin/python")
    write_command = "touch x || touch housing/x || touch static/collected/x"
    left_out = ["tools", "tests", "benchmarks"]
    import_check = f"import importlib.util, sys; sys.exit(any(map(importlib.util.find_spec, {left_out})))"

    write_result = subprocess.run([*as_another, "sh", "-c", write_command], cwd=app, capture_output=True, check=False)
    import_result = subprocess.run([*as_another, python, "-c", import_check], cwd=app, env=environ, check=False)
    with reserved_port() as port:
        origin = f"http://127.0.0.1:{port}"
        gunicorn = ["-m", "gunicorn", "housing.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
        gunicorn += ["--config", "python:housing.gunicorn_settings", "--worker-tmp-dir", "/dev/shm"]
        process = subprocess.Popen([*as_another, python, *gunicorn], cwd=app, env=environ | {"SITE_ORIGIN": origin})
        try:
            until(lambda: process.poll() is not None or bool(fetch(f"{origin}/health/live/")), seconds=120)
            pages = {path: fetch(origin + path) for path in ("/health/ready/", "/accounts/login/", "/docs/")}
            sheet = pages["/accounts/login/"].partition('rel="stylesheet" href="')[2].partition('"')[0]
            stylesheet = fetch(origin + sheet)
        finally:
            process.terminate()
            process.wait(20)

    assert write_result.returncode != 0
    assert import_result.returncode == 0
    assert all(pages.values()), pages
    assert "." in sheet.removesuffix(".css")  # named by its content
    assert stylesheet


def fetch(address: str) -> str:
    """Return the content of a page, or "" if its status is not 200."""
    with suppress(OSError), urllib.request.urlopen(address, timeout=30) as response:
        return str(response.read().decode())
    return ""
