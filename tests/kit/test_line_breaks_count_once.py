"""A line break is one character of the maximum length, although browsers send two."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from django import forms
from django.urls import reverse

import partnerships
from partnerships.kit.forms import Form
from partnerships.plans.models import Comment
from tests.plans.drafts import published_plan
from tests.support.signing_in import signed_in
from tests.world import World


def _forms_of(kind: type[forms.BaseForm]) -> Iterator[type[forms.BaseForm]]:
    """Yield the forms of our pages. Django admin's forms have no counters."""
    for form in kind.__subclasses__():
        if form.__module__.startswith("partnerships.") and ".admin" not in form.__module__:
            yield form
        yield from _forms_of(form)


def test_comment_of_exactly_the_limit_is_accepted(world: World) -> None:
    plan = published_plan(world)
    text = "ab\r\n" * 1_666 + "cd"  # 5,000 characters in the browser, which sends 6,666

    response = signed_in(world.ben).post(reverse("plans:comments", kwargs={"pk": plan.pk}), {"text": text})

    assert response.status_code == 302
    assert len(Comment.objects.get().text) == 5_000


def test_refused_text_is_shown_again_as_it_was_counted(
    world: World,
) -> None:
    plan = published_plan(world)

    response = signed_in(world.ben).post(
        reverse("plans:comments", kwargs={"pk": plan.pk}), {"text": "ab\r\n" * 1_668 + "c"}
    )

    assert response.status_code == 422
    assert "it has 5005" in response.content.decode()


def test_every_form_with_a_long_text_counts_the_same() -> None:
    for module in pkgutil.walk_packages(partnerships.__path__, "partnerships."):
        if "forms" in module.name:
            import_module(module.name)

    forms_with_long_text = {
        form
        for form in _forms_of(forms.BaseForm)
        if any(isinstance(field.widget, forms.Textarea) for field in form.base_fields.values())
    }

    assert {form.__module__ for form in forms_with_long_text} >= {
        "partnerships.plans.forms.owning",
        "partnerships.people.forms",
    }
    assert {
        f"{form.__module__}.{form.__name__}" for form in forms_with_long_text if not issubclass(form, Form)
    } == set()


@pytest.mark.parametrize("sent", ["one\r\ntwo", "one\rtwo", "one\ntwo"])
def test_all_kinds_of_line_break_become_line_feeds(sent: str) -> None:
    class Note(Form):
        text = forms.CharField(max_length=7, widget=forms.Textarea)

    form = Note({"text": sent})

    assert form.is_valid()
    assert form.cleaned_data["text"] == "one\ntwo"
