"""Wrong hosts, redirects, extra fields and bombs in uploads do no harm, and error pages reveal nothing."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image

from housing.middleware import DatabaseOutageMiddleware
from partnerships.kit.exports import safe_cell
from partnerships.kit.uploads import UnableToTakeFile, check_upload
from partnerships.organisations.models import Organisation
from tests.support.signing_in import signed_in
from tests.world import PASSWORD, World

ABROAD = ("https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:alert(1)", "http:evil.example")


# --- Hosts and redirects


def test_foreign_host_is_refused(world: World) -> None:
    response = Client().get("/", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert "evil.example" not in response.content.decode()


@pytest.mark.parametrize("wanted", ABROAD)
def test_no_redirect_leads_to_another_site(world: World, wanted: str) -> None:
    eddie = signed_in(world.eddie, raise_request_exception=False)
    for method, address, data in (
        ("get", "account_login", {"next": wanted}),
        ("post", "account_logout", {"next": wanted}),
        ("get", "account_reauthenticate", {"next": wanted}),
        ("post", "account_reauthenticate", {"next": wanted, "password": PASSWORD}),
        ("get", "admin:login", {"next": wanted}),
        ("post", "people:details", {"next": wanted, "name": "Eddie", "time_zone": "Europe/London"}),
    ):
        response = getattr(eddie, method)(reverse(address), data)

        place = response.get("Location", "/")
        assert place.startswith("/"), address
        assert not place.startswith(("//", "/\\")), address


# --- Fields that no form has


def test_a_persons_details_change_no_rights_and_no_address(world: World) -> None:
    signed_in(world.eddie, raise_request_exception=False).post(
        reverse("people:details"),
        {
            "name": "Eddie",
            "time_zone": "Europe/London",
            "is_staff": "on",
            "is_superuser": "on",
            "email": "dee@commonground.example",
            "account_since": "",
        },
    )

    world.eddie.refresh_from_db()
    assert not world.eddie.is_staff
    assert not world.eddie.is_superuser
    assert world.eddie.email == "eddie@larkhaven.example"


def test_settings_of_an_organisation_change_no_field_that_the_form_does_not_show(world: World) -> None:
    signed_in(world.amina, raise_request_exception=False).post(
        reverse("organisations:settings", kwargs={"pk": world.larkhaven.pk}),
        {
            "short_name": "Lark",
            "status": "dissolved",
            "kind": "council",
            "name": "Westmarch",
            "sign_in_provider": "evil",
            "parent": world.westmarch.pk,
        },
    )

    larkhaven = Organisation.objects.get(pk=world.larkhaven.pk)
    assert larkhaven.name == "Larkhaven Homes"
    assert larkhaven.status == "active"
    assert larkhaven.sign_in_provider == ""


def test_settings_of_a_partnership_change_no_field_that_the_form_does_not_show(world: World) -> None:
    signed_in(world.amina, raise_request_exception=False).post(
        reverse("agreements:edit", kwargs={"pk": world.partnership.pk}),
        {
            "title": "Estuary",
            "kind": "charter",
            "audience": "parties",
            "status": "ended",
            "redefines": world.other_partnership.pk,
            "created_by": world.ben.pk,
        },
    )

    world.partnership.refresh_from_db()
    assert world.partnership.status == "exploring"
    assert world.partnership.redefines_id is None
    assert world.partnership.created_by_id == world.amina.pk


# --- Bodies and files


def assert_refused_as_too_large(response: HttpResponse) -> None:
    """Assert that the body was refused with a page of our design."""
    assert response.status_code == 413
    assert "Common Ground" in response.content.decode()


def test_body_that_says_it_is_too_large_is_refused(world: World, settings: LazySettings) -> None:
    length = str(settings.MAX_REQUEST_BYTES + 1)

    response = Client().post(reverse("account_login"), {"login": "x"}, CONTENT_LENGTH=length)

    assert_refused_as_too_large(response)


def test_form_with_more_than_4_mb_of_text_is_refused(world: World) -> None:
    text = "x" * (4 * 1024 * 1024 + 1)

    response = Client(raise_request_exception=False).post(reverse("account_login"), {"login": text})

    assert_refused_as_too_large(response)


def test_form_with_more_than_2000_fields_is_refused(world: World) -> None:
    fields = {f"f{number}": "" for number in range(2_001)}

    response = Client(raise_request_exception=False).post(reverse("account_login"), fields)

    assert_refused_as_too_large(response)


def picture(width: int, height: int) -> bytes:
    output = io.BytesIO()
    Image.new("1", (width, height)).save(output, "PNG")
    return output.getvalue()


def archive(**entries: bytes) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", b"<Types/>")
        for name, content in entries.items():
            packed.writestr(name.replace("__", "/"), content)
    return output.getvalue()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("empty", lambda: b""),
    "too large": ("larger than 10 MB", lambda: b"%PDF-" + b"x" * (10 * 1024 * 1024)),
    "too many pixels": ("million pixels", lambda: picture(8_000, 6_000)),
    "a picture cut short": ("cannot read this picture", lambda: picture(10, 10)[:40]),
    "unpacks to too much": ("unpacks to more than 20 MB", lambda: archive(word__a=b"\0" * (21 * 1024 * 1024))),
    "too many parts": ("more than 200 parts", lambda: archive(**{f"word__{n}": b"x" for n in range(201)})),
    "macros": ("macros", lambda: archive(word__vbaProject=b"", **{"word__vbaProject.bin": b"x"})),
    "entities": (
        "document type",
        lambda: archive(**{"xl__sheet.xml": b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'}),
    ),
    "a page": ("do not accept", lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 64),
    "a script in a drawing": (
        "do not accept",
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_decompression_bomb_is_refused(bomb: str) -> None:
    words, make = BOMBS[bomb]

    with pytest.raises(UnableToTakeFile, match=words):
        check_upload(ContentFile(make(), name="plan.pdf"))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\Windows\\x.txt", "a\r\nSet-Cookie: b", '"><script>.txt', "."]
)
def test_file_name_is_never_a_path(name: str) -> None:
    file = ContentFile(b"Minutes.\n")
    file.name = name

    checked = check_upload(file)

    assert re.fullmatch(r"[0-9a-f]{32}\.txt", checked.storage_name)
    assert not set('/\\<>"\r\n') & set(checked.name)


@pytest.mark.parametrize(
    "name",
    [
        "run.bat",
        "page.js",
        "setup.ps1",
        "notes.pdf",
        "RUN.BAT",
        "C:\\plan.sh",
        "page.txt.js",
        "run.bat.",
        ".bat",
        "a.js .",
    ],
)
def test_text_file_with_another_ending_is_refused_and_not_renamed(name: str) -> None:
    file = ContentFile(b"@echo off\n")
    file.name = name

    with pytest.raises(UnableToTakeFile, match=r"files ending in \.\w+\. Choose .*CSV, .*PDF"):
        check_upload(file)


@pytest.mark.parametrize(
    ("name", "kept"), [("notes.TXT", "notes.txt"), ("homes.csv", "homes.csv"), ("README", "README.txt")]
)
def test_text_is_accepted_with_the_extensions_of_text(name: str, kept: str) -> None:
    file = ContentFile(b"Minutes.\n")
    file.name = name

    assert check_upload(file).name == kept


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n@x", "\uff1d1"])
def test_no_cell_runs_as_a_formula(text: str) -> None:
    assert str(safe_cell(text)).startswith("'")


# --- Error pages

SECRET = "heron-in-the-reeds"


def explode(*args: object, **kwargs: object) -> None:
    raise RuntimeError(SECRET)


def test_each_error_page_has_our_design_and_leaks_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    eddie = signed_in(world.eddie, raise_request_exception=False)
    lead = signed_in(world.amina, raise_request_exception=False)
    responses = {
        400: Client().get(f"/?q={SECRET}", headers={"host": f"{SECRET}.example"}),
        403: eddie.get(reverse("agreements:edit", kwargs={"pk": world.partnership.pk}), {"q": SECRET}),
        404: eddie.get(f"/{SECRET}/"),
        422: lead.post(reverse("agreements:edit", kwargs={"pk": world.partnership.pk}), {"status": SECRET}),
        413: Client().post("/", {"q": SECRET}, CONTENT_LENGTH="999999999"),
    }
    settings.EXPORTS_PER_MINUTE = 0
    responses[429] = eddie.get(reverse("people:own-data"), {"q": SECRET})
    monkeypatch.setattr("partnerships.agreements.listing.partnerships.find_partnerships", explode)
    responses[500] = eddie.get(reverse("agreements:list"), {"q": SECRET})
    responses[503] = DatabaseOutageMiddleware(lambda request: None).unavailable(OperationalError(SECRET))  # type: ignore[arg-type, return-value]  # never asked

    for status, response in responses.items():
        text = response.content.decode()
        assert response.status_code == status
        assert "Common Ground" in text, status
        assert "cg-header" in text, status
        assert SECRET not in text, status
        assert "Traceback" not in text, status
        assert "RuntimeError" not in text, status
    assert responses[503]["Retry-After"]
    assert responses[429]["Retry-After"]


def test_forged_form_gets_a_helpful_error(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.eddie)

    response = client.post(reverse("people:details"), {"name": SECRET})

    assert response.status_code == 403
    assert "Common Ground" in response.content.decode()
    assert SECRET not in response.content.decode()
