"""`make try-image`: build docs/deploy/Containerfile with podman, without a registry, and start the image.

The base image is not fetched, but made with debootstrap from Debian's archive. The image then runs as its own user on a
read-only root without capabilities, with a separate PostgreSQL server. It migrates, serves pages and makes a backup.
This needs root on Debian. podman and debootstrap are installed if they are missing.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from benchmarks.own_server import Server, own_server
from benchmarks.upgrades import PREPARE, ROLES, say
from housing.environment import BASE_DIR, VAR_DIR

BASE = "localhost/debian:trixie-slim"
IMAGE = "localhost/common-ground:tried"
#: As in the Containerfile.
POSTGRES = "17"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ORIGIN = "http://127.0.0.1:8765"
MAX_MEGABYTES = 300
#: Unlike others, runc also works on kernels with both versions of control groups.
PODMAN_RUN = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
#: The image must not be able to write anywhere else.
CONFINED = (
    *("--read-only", "--cap-drop", "all"),  # /tmp and /dev/shm are in memory, so they are not on the image's root
    *("--security-opt", "no-new-privileges", "--network", "host"),
)


def main() -> int:
    """Build, start and check the image. Returns 1 if a check fails."""
    os.environ["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1"
    install()
    if subprocess.run(["podman", "image", "exists", BASE], check=False).returncode:
        make_base()
    began = time.monotonic()
    build()
    compressed = size()
    say(f"Built in {time.monotonic() - began:.0f} s: {compressed:.0f} MB compressed, as a registry keeps it.")
    with own_server(debians_server()) as server:
        server.create(server.folder / "data")
        server.start(server.folder / "data", fsync="off")
        try:
            server.ask(*PREPARE)
            faults = look(server)
        finally:
            server.stop(server.folder / "data")
    if compressed > MAX_MEGABYTES:
        faults.append(f"The image has more than {MAX_MEGABYTES} MB.")
    for fault in faults:
        say(f"FAILED: {fault}")
    say("The image works." if not faults else f"{len(faults)} faults.")
    return int(bool(faults))


def install() -> None:
    """Install podman and debootstrap if they are missing."""
    need = [name for name in ("podman", "debootstrap", "runc") if not shutil.which(name)]
    if need:
        say(f"Installing {' and '.join(need)}")
        environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *need, "netavark"]
        subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)


def debians_server() -> Path:
    """Return the folder of Debian's PostgreSQL programs, unpacked but not installed.

    The image has pg_dump of the same version.
    """
    folder = VAR_DIR / "image" / "postgres"
    programs = folder / "usr" / "lib" / "postgresql" / POSTGRES / "bin"
    if not (programs / "initdb").exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        packages = [f"postgresql-{POSTGRES}", f"postgresql-client-{POSTGRES}"]
        subprocess.run(["apt-get", "download", "-qq", *packages], cwd=folder, stdout=subprocess.DEVNULL, check=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "--extract", str(package), str(folder)], check=True)
    return programs


def make_base() -> None:
    """Make an equivalent of the registry's debian:trixie-slim, which is Debian's smallest installation."""
    say("Making the base image from Debian's archive")
    folder = VAR_DIR / "image" / "base"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder.with_name("debootstrap.log")
    with log.open("wb") as output:
        command = ["debootstrap", "--variant=minbase", "trixie", str(folder)]
        subprocess.run(command, stdout=output, stderr=output, check=True)
    for name in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    tar = subprocess.Popen(["tar", "--create", "--one-file-system", "."], cwd=folder, stdout=subprocess.PIPE)
    subprocess.run(["podman", "import", "--quiet", "-", BASE], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True)
    if tar.wait():
        raise subprocess.CalledProcessError(tar.returncode, "tar")
    shutil.rmtree(folder)


def build() -> None:
    """Build the image.

    Certificates of this machine are available to the build, for its proxy, but are not in the image.
    """
    lent = ["--volume", f"{CERTIFICATES}:/run/lent.crt:ro"] if CERTIFICATES.exists() else []
    names = ("PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS") if lent else ()
    secret = [word for name in names for word in ("--env", f"{name}=/run/lent.crt")]
    command = [
        "podman",
        "build",
        "--quiet",
        "--network",
        "host",
        "--isolation",
        "chroot",
        "--build-arg",
        f"DEBIAN={BASE}",
    ]
    command += [*limits(), *lent, *secret, "--file", "docs/deploy/Containerfile", "--tag", IMAGE, "."]
    # Without a terminal debconf complains about each package.
    result = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    if result.returncode:
        say(result.stderr[-6_000:])
        result.check_returncode()


def limits() -> list[str]:
    """Return options that keep the limits of this process.

    podman would raise them, which root in a container may not do.
    """
    options = []
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        soft, hard = resource.getrlimit(kind)
        options += ["--ulimit", f"{name}={soft}:{hard}"]
    return options


def size() -> float:
    """Return the size of the compressed image in megabytes."""
    saved = subprocess.Popen(["podman", "save", "--format", "oci-archive", IMAGE], stdout=subprocess.PIPE)
    packed = subprocess.Popen(["gzip", "-6"], stdin=saved.stdout, stdout=subprocess.PIPE)
    assert packed.stdout is not None
    total = 0
    while block := packed.stdout.read(1 << 20):
        total += len(block)
    return total / 1_000_000


def run(server: Server, *command: str, owner: bool = False, detached: bool = False) -> str:
    """Run a command in a container of the image, and return its output."""
    data = server.folder / "volume"
    if not data.exists():
        data.mkdir()
        os.chown(data, 10001, 10001)
    environ = {name: server.url(role, "common_ground") for name, role in ROLES.items()}
    if not owner:
        del environ["DATABASE_OWNER_URL"]
    environ |= {
        "SECRET_KEY": "for-trying-the-image-" * 3,
        "SITE_ORIGIN": ORIGIN,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
    }
    podman = [*PODMAN_RUN, "run", *(("--detach",) if detached else ("--rm",)), *limits(), *CONFINED]
    podman += ["--volume", f"{data}:/var/lib/common-ground", "--volume", f"{server.sockets}:{server.sockets}"]
    podman += [word for name, value in environ.items() for word in ("--env", f"{name}={value}")]
    result = subprocess.run([*podman, IMAGE, *command], capture_output=True, text=True, check=False)
    if result.returncode:
        say(f"{' '.join(command)}: {result.stdout[-1_500:]} {result.stderr[-3_000:]}")
        result.check_returncode()
    return result.stdout.strip()


def look(server: Server) -> list[str]:
    """Return a sentence for each fault of the running image."""
    faults = []
    for name in ("sbom.json", "sbom-front-end.json"):
        components = json.loads(run(server, "cat", name))["components"]
        say(f"{name}: {len(components)} components")
        faults += [f"{name} is nearly empty."] if len(components) < 5 else []
    if run(server, "id", "-u") != "10001":
        faults.append("It does not run as user 10001.")
    written = run(
        server, "sh", "-c", "for i in / /app /app/housing /etc; do touch $i/x 2>/dev/null && echo $i; done; true"
    )
    faults += [f"It can write to {written}."] if written else []
    run(server, "python", "manage.py", "migrate", "--no-input", "-v0", owner=True)
    container = run(
        server, "gunicorn", "housing.wsgi", "--bind", ORIGIN.removeprefix("http://"), "--no-control-socket",
        "--config", "python:housing.gunicorn_settings", "--worker-tmp-dir", "/dev/shm", detached=True,
    )  # fmt: skip
    try:
        for path in ("/health/ready/", "/accounts/login/"):
            page = fetch(path)
            say(f"{path}: {len(page)} bytes")
            faults += [f"{path} does not answer."] if not page else []
        sheet = fetch("/accounts/login/").partition('rel="stylesheet" href="')[2].partition('"')[0]
        faults += [f"The stylesheet {sheet} is missing."] if not sheet or not fetch(sheet) else []
    finally:
        subprocess.run([*PODMAN_RUN, "rm", "--force", "--time", "5", container], stdout=subprocess.DEVNULL, check=False)
    say(run(server, "python", "manage.py", "backup_drill", owner=True))
    return faults


def fetch(path: str) -> str:
    """Return a page of the running image, or "" if it does not answer within a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{ORIGIN}{path}", timeout=10) as answer:
                return str(answer.read().decode(errors="replace"))
        except OSError:
            time.sleep(0.5)
    return ""


if __name__ == "__main__":
    sys.exit(main())
