"""Collapsed sections of rarely used form fields."""

from __future__ import annotations

from typing import Any

from crispy_forms.utils import render_field
from django import forms
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from partnerships.kit.forms import Section


class Fold(Section):
    """A collapsed section of rarely used fields.

    The section is open if one of its fields has a value or an error.
    """

    def render(self, form: forms.BaseForm, context: Context, **kwargs: Any) -> SafeString:
        """Return the section as HTML; crispy-forms calls this."""
        fields_html = format_html_join("", "{}", ((render_field(field, form, context),) for field in self.fields))
        names = [str(name) for name in self.fields]
        is_open = any(name in form.errors or _is_filled(form, name) for name in names)
        fold_context = {"heading": self.heading, "hint": self.hint, "inner": fields_html, "open": is_open}
        return render_to_string("conversations/_fold.html", fold_context)


def _is_filled(form: forms.BaseForm, name: str) -> bool:
    """Return whether a field has another value than in a new record."""
    value = form[name].value()
    if isinstance(value, list | tuple):
        return any(value)
    return bool(value) and value != form.fields[name].initial
