"""`/.well-known/security.txt` says where to report a vulnerability, in the form of RFC 9116."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from housing.declarations.checks import contacts

PATH = "/.well-known/security.txt"


@pytest.mark.django_db
def test_security_txt_has_contacts_in_order_its_expiry_and_its_address(client: Client, settings: Any) -> None:
    settings.SITE_ORIGIN = "https://ground.example"
    settings.SECURITY_CONTACT = ["mailto:security@ground.example", "https://ground.example/report"]

    with time_machine.travel(dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC), tick=False):
        response = client.get(PATH)

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == (
        "Contact: mailto:security@ground.example\n"
        "Contact: https://ground.example/report\n"
        "Expires: 2027-05-29T23:30:00Z\n"
        "Preferred-Languages: en\n"
        "Canonical: https://ground.example/.well-known/security.txt\n"
    )


@pytest.mark.django_db
def test_there_is_no_security_txt_without_a_contact(client: Client) -> None:
    assert client.get(PATH).status_code == 404


@pytest.mark.parametrize("contact", ["mailto:security@ground.example", "https://ground.example/report?by=form"])
def test_addresses_and_pages_are_contacts(contact: str) -> None:
    assert contacts([contact], {}) == ""


@pytest.mark.parametrize(
    "contact",
    ["security@ground.example", "http://ground.example/", "mailto:nobody", "https:page", "mailto:a@b.example x"],
)
def test_a_contact_that_the_rfc_does_not_allow_is_refused(contact: str) -> None:
    assert contact in contacts([contact], {})
