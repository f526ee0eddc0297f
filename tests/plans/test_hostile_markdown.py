"""No Markdown field of a plan is slow to render, whatever is typed in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.urls import reverse
from django.utils import timezone

import partnerships
from partnerships.agreements.forms import StartPartnershipForm
from partnerships.kit import prose
from partnerships.plans import services
from partnerships.plans.comparisons import compare_plan_contents
from partnerships.plans.content import ABOUT, COLLECTIONS, Content, Field, normalise
from partnerships.plans.content.shape import MAX_SECTION
from partnerships.plans.models import Draft, Plan, Version
from tests.plans.drafts import CONTENT, begin, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.slow

#: The most processor seconds for one field of its full length. The slowest texts below take 1.3 seconds, and 4.4 on a
#: slow day of CI's machines. A parser whose time grows with the square of the length takes 42 for a quarter of it.
BOUND = 12.0


def markdown_fields() -> Iterator[tuple[str, Field]]:
    """Yield every Markdown field of a plan, with a piece of `CONTENT` that has the field."""
    for field in ABOUT:
        if field.shape == "text":
            yield "about", field
    for collection in COLLECTIONS:
        for field in collection.fields:
            if field.shape == "text":
                items = CONTENT[collection.code]
                yield f"{collection.code}/{items[0]['key']}", field


FIELDS = list(markdown_fields())
NAMES = [f"{piece.partition('/')[0]}/{field.code}" for piece, field in FIELDS]


def repeat(pattern: str, length: int) -> str:
    """Return a text of this length that repeats the pattern."""
    return (pattern * (length // len(pattern) + 1))[:length]


def nest(opening: str, closing: str, length: int) -> str:
    """Return a text of up to this length that opens something many times, and then closes it as often."""
    half = length // (len(opening) + len(closing))
    return opening * half + closing * half


def hostile_texts(length: int) -> dict[str, str]:
    """Return texts known to make Markdown parsers slow, each within the limit."""
    columns = length // 8
    root = int(length**0.5)
    patterns = ["[", "![", "[a](", "[a](<", "[a][", '[a](b "', "]", "*", "_", "*a ", "**a ", "a**b", "*_", "a***b**c*"]
    patterns += ["`", "`a``b", ">", "> ", "> - ", "- ", "1. ", "* * ", "- a\n", "> a\n>> b\n", "&", "&#1", "&abcdefgh"]
    patterns += ["|", "a|b\n-|-\n", "a|b\n-|-\n\n", "<", "<a ", "<!--", "<![CDATA[", "<?", "<div>\n", "<http:"]
    patterns += ["# ", "a\n", "a  \n", " \n", "\\", "[a]: ", "~~a", "^a", "(("]
    wide = "|" + "a|" * 64 + "\n|" + "-|" * 64 + "\n" + "a\n" * 64 + "\n"
    texts = {f"{pattern!r} again and again": repeat(pattern, length) for pattern in patterns}
    texts |= {
        "nested brackets": nest("[", "]", length),
        "nested links": nest("[a", "](b)", length),
        "nested emphasis": nest("*a ", "a*", length),
        "growing runs of backticks": "".join("`" * size + " " for size in range(1, 2 * root)),
        "a list in a list": "".join("  " * depth + "- a\n" for depth in range(root)),
        "a quote of many lazy lines": "> " * 100 + repeat("a\n", length - 200),
        "a table of many columns": "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "a\n" * columns,
        "many tables whose rows are short": repeat(wide, length),
        "rows shorter than their table": "|" + "a|" * root + "\n|" + "-|" * root + "\n" + repeat("|\n", length // 2),
        "one long address named often": "[a]: /" + "x" * (length // 2) + "\n\n" + "[a] " * (length // 9),
    }
    return {name: text[:length] for name, text in texts.items()}


class Rendered(NamedTuple):
    """What rendering a text took, and what came of it."""

    seconds: float
    html: str


def rendered(text: str) -> Rendered:
    """Render a text as Markdown."""
    started_at = time.thread_time()
    html = prose.to_html(text)
    return Rendered(time.thread_time() - started_at, html)


@pytest.mark.parametrize("length", sorted({field.max_length for _, field in FIELDS}))
@pytest.mark.parametrize("name", hostile_texts(1))
def test_hostile_text_does_not_take_long_to_render(length: int, name: str) -> None:
    text = hostile_texts(length)[name]

    result = rendered(text)

    assert result.seconds < BOUND
    assert len(result.html) < 10 * len(text) + 100_000


SECTION_COUNT = 30


def long_text_of_words(prefix: str) -> str:
    """Return a text as long as a section may be, with a word on each line. No word has another prefix."""
    return "\n".join(f"{prefix}{number}" for number in range(MAX_SECTION // 6))[:MAX_SECTION]


def content_with_sections(body: str) -> Content:
    """Return a content of many sections with the same text."""
    sections = [{"key": f"section-{number}", "title": "Text", "body": body} for number in range(SECTION_COUNT)]
    return normalise({"sections": sections})


def test_comparing_many_rewritten_texts_takes_no_longer_than_a_few() -> None:
    old_content = content_with_sections(long_text_of_words("a"))
    new_content = content_with_sections(long_text_of_words("b"))

    started_at = time.thread_time()
    compared = compare_plan_contents(old_content, new_content)
    seconds = time.thread_time() - started_at

    assert seconds < BOUND
    assert len(compared.changes) == SECTION_COUNT


@pytest.mark.parametrize("name", hostile_texts(1))
def test_hostile_purpose_of_a_partnership_does_not_take_long_on_its_page(name: str) -> None:
    max_length = StartPartnershipForm.base_fields["purpose"].max_length

    result = rendered(hostile_texts(max_length)[name])

    assert result.seconds < BOUND / 8


@pytest.mark.parametrize(("piece", "field"), FIELDS, ids=NAMES)
def test_brackets_do_not_stop_saving_previewing_or_publishing(world: World, piece: str, field: Field) -> None:
    plan = begin(world)
    address = reverse("plans:preview", kwargs={"pk": plan.pk})

    started_at = time.thread_time()
    save(plan, world, piece, **{field.code: "[" * min(12_000, field.max_length)})
    preview = signed_in(world.amina).get(address)
    publish(plan, world)
    seconds = time.thread_time() - started_at

    assert preview.status_code == 200
    assert seconds < BOUND


@pytest.mark.parametrize(("piece", "field"), FIELDS, ids=NAMES)
def test_form_refuses_a_text_over_its_limit(world: World, piece: str, field: Field) -> None:
    plan = begin(world)
    code, _slash, key = piece.partition("/")
    address = (
        reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": code, "key": key})
        if key
        else reverse("plans:edit-about", kwargs={"pk": plan.pk})
    )

    response = signed_in(world.amina).post(address, {field.code: "a" * (field.max_length + 1), "based_on": 0})

    assert response.status_code == 422
    assert field.code in response.context["form"].errors
    assert field.max_length <= 50_000


@pytest.mark.parametrize(("piece", "field"), FIELDS, ids=NAMES)
def test_service_refuses_a_text_over_its_limit(world: World, piece: str, field: Field) -> None:
    plan = begin(world)

    with pytest.raises(services.UnableToSavePiece, match="characters long, and the limit is"):
        save(plan, world, piece, **{field.code: "a" * (field.max_length + 1)})


@pytest.fixture
def plan_with_rendered_vision(world: World) -> Plan:
    """Return a plan whose draft has a vision that was rendered when it was saved."""
    plan = begin(world)
    save(plan, world, "sections/vision", body="A *new* vision.")
    return plan


@pytest.fixture
def texts_rendered_again(plan_with_rendered_vision: Plan, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which each text is added that is rendered from now on."""
    texts: list[str] = []
    monkeypatch.setattr("partnerships.documents.services.rendering.to_html", lambda text: texts.append(text) or "")
    return texts


def test_preview_shows_a_text_as_it_was_rendered_when_it_was_saved(
    world: World, plan_with_rendered_vision: Plan, texts_rendered_again: list[str]
) -> None:
    address = reverse("plans:preview", kwargs={"pk": plan_with_rendered_vision.pk})

    html = signed_in(world.amina).get(address).content.decode()

    assert "A <em>new</em> vision." in html
    assert texts_rendered_again == []


def test_version_has_a_text_as_it_was_rendered_when_it_was_saved(
    world: World, plan_with_rendered_vision: Plan, texts_rendered_again: list[str]
) -> None:
    version = publish(plan_with_rendered_vision, world)

    assert version.prose["sections/vision/body"] == "<p>A <em>new</em> vision.</p>\n"
    assert texts_rendered_again == []


def test_stored_html_is_cleaned_again_when_the_rules_change(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = published_plan(world)
    save(plan, world, "sections/vision", body="Still *needed*.")
    monkeypatch.setattr(prose, "ELEMENTS", prose.ELEMENTS - {"em"})
    prose.rules.cache_clear()  # the name of the rules depends on the elements

    try:
        version_page = signed_in(world.ben).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode()
        draft_page = signed_in(world.amina).get(reverse("plans:preview", kwargs={"pk": plan.pk})).content.decode()
    finally:
        prose.rules.cache_clear()

    assert "<p>Build what is needed.</p>" in version_page
    assert "<p>Still needed.</p>" in draft_page


def test_older_draft_without_stored_html_is_still_shown(world: World) -> None:
    plan = begin(world)
    Draft.objects.filter(plan=plan).update(prose={}, prose_rules="", updated_at=timezone.now())

    html = signed_in(world.amina).get(reverse("plans:preview", kwargs={"pk": plan.pk})).content.decode()

    assert "<em>needed</em>" in html


def test_html_typed_into_markdown_is_shown_as_text() -> None:
    html = prose.to_html("H<sub>2</sub>O <b>bold</b>\n\n# Heading\n\n| a |\n|---|\n| *b* |\n\nfirst\nsecond")

    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<h3>Heading</h3>" in html
    assert "<td><em>b</em></td>" in html
    assert "first<br>\nsecond" in html


def test_only_documents_render_markdown() -> None:
    """Add a room here only with stored HTML, limits and hostile-text tests.

    In `kit` this is the template filter for a partnership's purpose, which its form limits to a short text.
    """
    rooms = Path(partnerships.__file__).parent
    users = {path for path in rooms.rglob("*.py") if "kit.prose import" in path.read_text(encoding="utf-8")}

    assert {path.relative_to(rooms).parts[0] for path in users} == {"agreements", "documents", "kit", "plans"}


def test_every_version_records_the_rules_that_made_its_html(world: World) -> None:
    published_plan(world)

    assert set(Version.objects.values_list("prose_rules", flat=True)) == {prose.rules()}
