"""The template tag for the sidebar of Django admin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.safestring import SafeString

from partnerships.kit.html import escaped

register = template.Library()


@register.simple_tag
def sidebar_models(groups: Iterable[Mapping[str, Any]], path: str) -> SafeString:
    """Return the links to all lists of Django admin, with the same HTML as Django's template `admin/app_list.html`.

    Written without a template for speed (see `partnerships.kit.html`): every page of Django admin has some 80 of them.
    """
    parts: list[str] = []
    for group in groups:
        parts.append(
            f'<div class="app-{escaped(group["app_label"])} module"><table><caption>'
            f'<a href="{escaped(group["app_url"])}" class="section">{escaped(group["name"])}</a></caption>'
            '<thead class="visually-hidden"><tr><th scope="col">Records</th><th scope="col">Add link</th></tr></thead>'
        )
        parts += [
            _sidebar_row(model, f"{group['app_label']}-{model['object_name'].lower()}", path)
            for model in group["models"]
        ]
        parts.append("</table></div>")
    return SafeString("\n".join(parts))


def _sidebar_row(model: Mapping[str, Any], row_id: str, path: str) -> str:
    """Return the row of a model, with the link to its list, and the link that adds a record."""
    name_html, add_html = escaped(model["name"]), ""
    # Without the right to view or to add, Django gives no address.
    list_url, add_url = model.get("admin_url"), model.get("add_url")
    is_current = list_url is not None and path.startswith(list_url)
    if list_url:
        current_attribute = ' aria-current="page"' if is_current else ""
        name_html = f'<a href="{escaped(list_url)}"{current_attribute}>{name_html}</a>'
    if add_url:
        add_html = f'<a href="{escaped(add_url)}" class="addlink" aria-describedby="{row_id}">Add</a>'
    row_class = f"model-{model['object_name'].lower()}"
    if is_current:
        row_class += " current-model"
    return f'<tr class="{row_class}"><th scope="row" id="{row_id}">{name_html}</th><td>{add_html}</td></tr>'
