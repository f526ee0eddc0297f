"""Settings are read from the right sources, .env.example names them, and weak secrets are refused."""

from __future__ import annotations

import os
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import override_settings

from housing.declarations import SECRETS, SETTINGS, refuse_removed
from housing.declarations.pages import HSTS_STEPS
from housing.declarations.setting import read_settings
from housing.environment import database_role, load, read_file, read_secret_files
from housing.folders import require_folders
from tools.settings_pages import REFERENCE, example, reference

EXAMPLE = settings.BASE_DIR / ".env.example"
LONG = string.ascii_letters[:50]


def environ_after(tmp_path: Path, *, embedded: str, **preset: str) -> dict[str, str]:
    """Return the environment after loading the embedded settings, with `given` set before."""
    (tmp_path / "embedded.env").write_text(embedded)
    environ = dict(preset)
    load(environ, base_dir=tmp_path, var_dir=tmp_path)
    return environ


def test_embedded_services_fill_unset_settings(tmp_path: Path) -> None:
    environ = environ_after(tmp_path, embedded="REDIS_URL=redis://embedded\nSECRET_KEY='kept'\n", SECRET_KEY="mine")

    assert environ == {"REDIS_URL": "redis://embedded", "SECRET_KEY": "mine"}


def test_your_own_database_is_not_mixed_with_the_embedded_owner(tmp_path: Path) -> None:
    environ = environ_after(
        tmp_path,
        embedded="DATABASE_URL=postgres://a\nDATABASE_OWNER_URL=postgres://b\n",
        DATABASE_URL="postgres://mine",
    )

    assert environ == {"DATABASE_URL": "postgres://mine"}


def test_the_embedded_database_is_a_demonstration_unless_it_was_switched_off(tmp_path: Path) -> None:
    embedded = "DATABASE_URL=postgres://a\nDEMONSTRATION=1\n"

    assert environ_after(tmp_path, embedded=embedded)["DEMONSTRATION"] == "1"
    assert environ_after(tmp_path, embedded=embedded, DEMONSTRATION="0")["DEMONSTRATION"] == "0"
    assert "DEMONSTRATION" not in environ_after(tmp_path, embedded=embedded, DATABASE_URL="postgres://mine")


def test_comments_and_blank_lines_are_ignored(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# SECRET_KEY=no\n\nexport PORT=8001\nnonsense\n")

    assert read_file(tmp_path / ".env") == {"PORT": "8001"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SECRET_KEY=      # 50 random characters", ""),
        ("SECRET_KEY=# 50 random characters", ""),
        ("SECRET_KEY=kept # said", "kept"),
        ("SECRET_KEY=a#b", "a#b"),
        ("SECRET_KEY='a # b' # said", "a # b"),
        ('SECRET_KEY="a=b"', "a=b"),
    ],
)
def test_a_comment_after_a_value_is_stripped(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(line)

    assert read_file(tmp_path / ".env") == {"SECRET_KEY": value}


@pytest.mark.parametrize(
    ("words", "chosen", "role"),
    [
        (["manage.py", "migrate"], "", "owner"),
        (["manage.py", "migrate"], "worker", "owner"),
        (["manage.py", "load_network"], "", "worker"),
        (["manage.py", "load_network"], "web", "web"),
        (["manage.py", "runserver"], "", "web"),
        (["manage.py"], "", "worker"),
    ],
)
def test_each_command_connects_with_its_database_role(words: list[str], chosen: str, role: str) -> None:
    assert database_role(words, {"DATABASE_ROLE": chosen}) == role


USER = "settings.DATABASES['default']['USER']"
WORK = f"""
import sys
from django.conf import settings
from housing import worker

worker.make_worker = lambda: sys.exit(print({USER}))
worker.main()
"""
ROLES = {
    "DATABASE_URL": "postgres://web@database.example/one",
    "DATABASE_WORKER_URL": "postgres://worker@database.example/one",
    "DATABASE_OWNER_URL": "postgres://owner@database.example/one",
    "SECRET_KEY": LONG,
}


@pytest.mark.parametrize(
    ("script", "user"),
    [
        (f"import housing.wsgi; from django.conf import settings; print({USER})", "web"),
        (WORK, "worker"),
    ],
)
def test_web_and_worker_connect_with_different_roles(tmp_path: Path, script: str, user: str) -> None:
    assert run_with(tmp_path, ["-c", script], ROLES).stdout.strip() == user


def deployment_messages() -> dict[str | None, str]:
    """Return the messages of `manage.py check --deploy` for the present settings, by id."""
    return {message.id: message.msg for message in run_checks(tags=[Tags.security], include_deployment_checks=True)}


@pytest.mark.django_db
def test_a_check_warns_when_workers_use_the_webs_role(tmp_path: Path) -> None:
    environ = ROLES | {"DATABASE_WORKER_URL": "", "DATABASE_ROLE": "worker"}
    web = {"USER": "web"}
    worker = {"USER": "worker"}

    user = run_with(tmp_path, ["-c", f"from housing import settings; print({USER})"], environ)
    with override_settings(ROLE_DATABASES={"web": web, "worker": web}):
        assert "housing.W001" in deployment_messages()
    with override_settings(ROLE_DATABASES={"web": web, "worker": worker}):
        assert "housing.W001" not in deployment_messages()

    assert user.stdout.strip() == "web"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("web", "worker", "found"),
    [("OWNER", "OWNER", False), ("web", "worker", False), ("OWNER", "worker", True), ("web", "OWNER", True)],
)
def test_a_check_refuses_a_web_or_worker_that_owns_the_tables(web: str, worker: str, found: bool) -> None:
    users = {"OWNER": connection.settings_dict["USER"]}
    roles = {"web": {"USER": users.get(web, web)}, "worker": {"USER": users.get(worker, worker)}}

    with override_settings(ROLE_DATABASES=roles):
        assert ("housing.E002" in deployment_messages()) is found


def settings_with(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a new process with this environment."""
    return run_with(tmp_path, ["-c", "import housing.settings"], environ)


def run_with(tmp_path: Path, arguments: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments and this environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "COMMON_GROUND_VAR": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_secret_key_prevents_the_start_and_says_what_to_do(tmp_path: Path) -> None:
    result = settings_with(tmp_path)

    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_debug_needs_no_secret_key(tmp_path: Path) -> None:
    result = settings_with(tmp_path, DEBUG="1")

    assert result.returncode == 0, result.stderr


def test_an_invalid_origin_prevents_the_start(tmp_path: Path) -> None:
    result = settings_with(tmp_path, DEBUG="1", SITE_ORIGIN="ground.example/here")

    assert "SITE_ORIGIN must be an origin such as https://ground.example" in result.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "SECOND_FACTOR_KEYS", "JOURNAL_KEY"])
@pytest.mark.parametrize(
    ("weak", "message"),
    [
        ("#" + LONG, "starts with #"),
        (LONG + " " + LONG, "contains spaces"),
        (LONG[1:], "shorter than 50 characters"),
    ],
)
def test_a_weak_key_is_refused_and_not_printed(name: str, weak: str, message: str) -> None:
    message_of_refusal = refusal(**{name: weak})

    assert f"{name} " in message_of_refusal
    assert message in message_of_refusal
    assert weak not in message_of_refusal


def test_a_weak_key_prevents_the_start(tmp_path: Path) -> None:
    result = settings_with(tmp_path, SECRET_KEY=LONG[1:])

    assert result.returncode != 0
    assert "SECRET_KEY is shorter than 50 characters" in result.stderr
    assert LONG[1:] not in result.stderr.splitlines()[-1]


def test_every_key_of_a_list_is_checked() -> None:
    assert read_settings(SETTINGS, {"SECRET_KEY": LONG, "SECOND_FACTOR_KEYS": f"{LONG},{LONG[::-1]}"})
    assert "SECOND_FACTOR_KEYS" in refusal(SECOND_FACTOR_KEYS=f"{LONG},old")


def test_a_key_may_start_with_a_dollar_sign_and_operators_are_those_who_get_alerts(tmp_path: Path) -> None:
    script = "from housing import settings; print(settings.SECRET_KEY, [address for _, address in settings.ADMINS])"
    environ = {"SECRET_KEY": "$" + LONG, "OPERATORS": "one@ground.example,two@ground.example"}

    output = run_with(tmp_path, ["-c", script], environ).stdout.strip()

    assert output == f"${LONG} ['one@ground.example', 'two@ground.example']"


@pytest.mark.django_db
def test_the_deployment_check_finds_weak_keys_with_debug_too() -> None:
    with override_settings(DEBUG=True, SECRET_KEY=LONG[1:]):
        assert "SECRET_KEY is shorter than 50 characters" in deployment_messages()["housing.E001"]


#: The settings without which a server in production does not start.
PRODUCTION = {"SECRET_KEY": LONG, "SITE_ORIGIN": "https://ground.example"}


def test_hsts_is_for_an_hour_without_subdomains_by_default(tmp_path: Path) -> None:
    script = "from housing import settings as s; print(s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS)"

    output = run_with(tmp_path, ["-c", script], PRODUCTION).stdout

    assert output.split() == ["3600", "False"]


@pytest.mark.parametrize(
    ("step", "seconds", "has_subdomains", "is_preloaded"),
    [
        ("3", 365 * 86_400, False, False),
        ("4", 365 * 86_400, True, False),
        ("5", 365 * 86_400, True, True),
    ],
)
def test_hsts_goes_up_by_steps(step: str, seconds: int, has_subdomains: bool, is_preloaded: bool) -> None:
    hsts_step = read_settings(SETTINGS, PRODUCTION | {"HSTS_STEP": step})["HSTS_STEP"]

    assert HSTS_STEPS[hsts_step] == (seconds, has_subdomains, is_preloaded)


def test_the_removed_setting_of_preloading_names_the_step_to_set() -> None:
    with pytest.raises(ImproperlyConfigured, match="set HSTS_STEP=5"):
        refuse_removed({"SECURE_HSTS_PRELOAD": "1"})


def test_a_renamed_setting_is_refused_with_its_new_name() -> None:
    with pytest.raises(ImproperlyConfigured, match="set EMAIL_MAILBOX, and remove DIGEST_MAILBOX"):
        refuse_removed({"DIGESTS_HELD": "0", "DIGEST_MAILBOX": "digests@ground.example"})


# --- Values that cannot be right


def refusal(**environ: str) -> str:
    """Return the message with which these settings are refused."""
    with pytest.raises(ImproperlyConfigured) as raised:
        read_settings(SETTINGS, {"SECRET_KEY": LONG} | environ)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WORKER_CONCURRENCY", "two", "WORKER_CONCURRENCY must be a whole number, not 'two'. For example:"),
        ("WORKER_CONCURRENCY", "0", "WORKER_CONCURRENCY must be at least 1, not 0."),
        ("RECONCILIATION_BATCH", "0", "RECONCILIATION_BATCH must be at least 1, not 0."),
        ("RECONCILIATION_NAMES_PER_MINUTE", "0", "RECONCILIATION_NAMES_PER_MINUTE must be at least 1, not 0."),
        ("EXPORTS_PER_MINUTE", "0", "EXPORTS_PER_MINUTE must be at least 1, not 0."),
        ("EMAILS_HELD", "perhaps", "EMAILS_HELD must be 1 or 0, not 'perhaps'. For example: EMAILS_HELD=0."),
        ("DATABASE_ROLE", "admin", "DATABASE_ROLE must be web, worker or owner."),
        ("HSTS_STEP", "6", "HSTS_STEP must be at most 5, not 6."),
        ("EMAIL_LEASE_SECONDS", "20", "it must be at least 60 (5 x EMAIL_TIMEOUT + 10 s)"),
        ("EMAIL_DATA_TIMEOUT", "5", "EMAIL_DATA_TIMEOUT is 5, but it must be at least EMAIL_TIMEOUT (10 s)."),
        (
            "SECURITY_CONTACT",
            "us@ground.example",
            "SECURITY_CONTACT must be mailto: followed by an email address, or an address that begins with https",
        ),
        (
            "EMAIL_MAILBOX",
            "post",
            "EMAIL_MAILBOX must be an email address, for example digests@ground.example, not 'post'.",
        ),
    ],
)
def test_a_value_that_cannot_be_right_is_refused_with_what_to_do(name: str, value: str, said: str) -> None:
    assert said in refusal(**{name: value})


def test_a_mail_server_has_ten_minutes_to_answer_by_default() -> None:
    assert read_settings(SETTINGS, {"SECRET_KEY": LONG})["EMAIL_DATA_TIMEOUT"] >= 600  # RFC 5321, 4.5.3.2.6


@pytest.mark.parametrize(
    "address",
    [
        "https://0a1b@o12.errors.example/34",
        "http://0a1b:2c@glitchtip.internal:8000/1",
        "https://0a-1b@one.example/errors/2",
    ],
)
def test_addresses_for_reports_are_accepted_as_servers_show_them(address: str) -> None:
    assert read_settings(SETTINGS, {"SECRET_KEY": LONG, "SENTRY_DSN": address})["SENTRY_DSN"] == address


@pytest.mark.parametrize("script", ["import housing.wsgi", "from housing.worker import make_worker; make_worker()"])
def test_a_folder_that_cannot_be_written_prevents_the_start_and_is_named(tmp_path: Path, script: str) -> None:
    (tmp_path / "taken").touch()
    folder = tmp_path / "taken" / "survey-keys"

    result = run_with(tmp_path, ["-c", script], ROLES | {"SURVEY_KEYS_ROOT": str(folder)})

    assert result.returncode != 0
    assert (
        f"SURVEY_KEYS_ROOT is set to {folder}, but this process cannot write there (Not a directory)" in result.stderr
    )
    assert "no survey can open or close" in result.stderr
    assert "JOURNAL_ROOT" not in result.stderr


def test_files_in_a_bucket_need_no_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    folders = {"MEDIA_ROOT": tmp_path / "taken" / "media", "JOURNAL_ROOT": tmp_path, "SURVEY_KEYS_ROOT": tmp_path}

    with override_settings(**folders), pytest.raises(ImproperlyConfigured, match="MEDIA_ROOT is set to"):
        require_folders()
    with override_settings(**folders, FILES_BUCKET="common-ground"):
        require_folders()


def test_all_faults_are_listed_at_once_and_no_secret_is_repeated() -> None:
    environ = {"ANYMAIL": "{hush", "PORT": "1", "CONN_MAX_AGE": "-1", "SENTRY_DSN": "https://hush@errors.example/"}
    environ |= {"REDIS_URL": "redis://:12/hush@broker:6379/0", "EMAIL_URL": "smtp://me:hu[sh@mail.example:587"}
    message = refusal(
        DATABASE_URL="mysql://me:hush@database", DATABASE_OWNER_URL="postgres://me:hush/+=@db:5432/x", **environ
    )

    assert "DATABASE_URL must begin with postgres:// or postgresql://." in message
    for name in ("DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL"):
        assert f"{name} cannot be read. In the user name and the password, replace / by %2F" in message
    assert "ANYMAIL must be a JSON object." in message
    assert "SENTRY_DSN must be as Sentry or GlitchTip shows it: https://KEY@HOST/NUMBER." in message
    assert "CONN_MAX_AGE must be a whole number, not '-1'" in message
    assert "hush" not in message
    assert "REDIS_URL cannot be read." in refusal(REDIS_URL="redis://:12#hush@broker:6379/0")


@pytest.mark.parametrize(
    "address",
    [
        "postgres://me:p%2Fp#p@one.example:5432,two.example:5433/ground?target_session_attrs=read-write",
        "postgres://me@%2Ftmp%2Fsockets/ground",
        "postgres://me:hush@[::1]:5432/ground",
    ],
    ids=["two hosts and a password", "a socket", "IPv6"],
)
def test_an_address_may_contain_everything_that_its_libraries_read(address: str) -> None:
    assert read_settings(SETTINGS, {"SECRET_KEY": LONG, "DATABASE_URL": address})["DATABASE_URL"] == address


def test_an_empty_value_is_the_same_as_none() -> None:
    values = read_settings(SETTINGS, {"SECRET_KEY": LONG, "WORKER_CONCURRENCY": "", "ALLOWED_HOSTS": ""})

    assert values["WORKER_CONCURRENCY"] == 2
    assert "localhost" in values["ALLOWED_HOSTS"]


# --- Secrets in files


def test_every_secret_may_be_in_a_file(tmp_path: Path) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text(LONG + "\n")
    environ = {f"{name}_FILE": str(secret_file) for name in SECRETS}

    load(environ, secrets=SECRETS, base_dir=tmp_path, var_dir=tmp_path)

    assert environ == dict.fromkeys(SECRETS, LONG)
    assert {"SECRET_KEY", "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL", "METRICS_TOKEN"} <= {*SECRETS}


def test_a_secret_in_a_file_keeps_the_embedded_one_away(tmp_path: Path) -> None:
    (tmp_path / "embedded.env").write_text("DATABASE_URL=postgres://a\nDATABASE_OWNER_URL=postgres://b\n")
    (tmp_path / "mine").write_text("postgres://mine")
    environ = {"DATABASE_URL_FILE": str(tmp_path / "mine")}

    load(environ, secrets=SECRETS, base_dir=tmp_path, var_dir=tmp_path)

    assert environ == {"DATABASE_URL": "postgres://mine"}


def test_a_file_that_cannot_be_read_prevents_the_start_and_says_what_to_do(tmp_path: Path) -> None:
    result = settings_with(tmp_path, SECRET_KEY_FILE=str(tmp_path / "nothing"))

    assert "cannot be read (No such file or directory). Put the secret in a file" in result.stderr


def test_a_secret_that_is_also_in_a_file_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY and SECRET_KEY_FILE are both set, so remove one"):
        read_secret_files({"SECRET_KEY": LONG, "SECRET_KEY_FILE": "/nowhere"}, SECRETS)


# --- One declaration


def test_the_example_file_and_the_reference_have_all_declared_settings() -> None:
    assert EXAMPLE.read_text() == example()
    assert REFERENCE.read_text() == reference()


def test_settings_read_exactly_what_is_declared() -> None:
    folder = settings.BASE_DIR / "housing"
    source = (folder / "settings.py").read_text() + (folder / "storage.py").read_text()
    names_read = set(re.findall(r'\benv\["(\w+)"\]', source))

    assert names_read == {setting.name for setting in SETTINGS if not setting.elsewhere}
    assert len(SETTINGS) == len({setting.name for setting in SETTINGS})


# --- .env.example


def test_the_example_file_sets_no_secret_key(tmp_path: Path) -> None:
    result = run_with(tmp_path, ["-c", "import housing.settings"], read_file(EXAMPLE))

    assert "SECRET_KEY is not set" in result.stderr


def test_production_starts_from_the_completed_example_file(tmp_path: Path) -> None:
    completed_file = tmp_path / ".env"
    completed_file.write_text(re.sub(r"^(\w+)=$", rf"\1={LONG}", EXAMPLE.read_text(), flags=re.MULTILINE))

    result = run_with(
        tmp_path, ["manage.py", "check", "--deploy", "--fail-level", "WARNING"], read_file(completed_file)
    )

    assert result.returncode == 0, result.stderr
    assert [key for key, value in read_file(EXAMPLE).items() if not value] == ["SECRET_KEY"]


def test_no_value_in_the_example_file_is_followed_by_a_comment() -> None:
    # Docker and systemd read such files too, and would read the comment as part of the value.
    assert [line for line in EXAMPLE.read_text().splitlines() if re.match(r"#?[A-Z_]+=.*#", line)] == []
