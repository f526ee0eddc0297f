"""Areas served and GSS codes follow a succession on its day, and are returned when the succession is undone."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.exchange.queries.places import served_by_all
from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations import services
from partnerships.organisations.models import Area, Identifier, Organisation, Succession
from partnerships.organisations.queries import find_organisations
from partnerships.organisations.services import UnableToChangeSuccession, UnableToRecordSuccession, ties_between
from tests.organisations.handing_over import create_council, record_absorption, record_undoing
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.world import World


def create_coded_council(name: str, code: str) -> Organisation:
    """Return a council with a GSS code that serves the area of this code."""
    council = create_council(name)
    area = Area.objects.create(code=code, name=name, kind="district")
    services.add_identifier(organisation=council, scheme="gss", value=code, author=None, now=timezone.now())
    services.serve_area(organisation=council, area=area, author=None, now=timezone.now())
    return council


def replace_councils(predecessors: list[Organisation], successors: list[Organisation]) -> Succession:
    """Replace the predecessors by the successors today, and return the succession."""
    succession = services.record_succession(
        kind="replace",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between(predecessors, successors),
        author=None,
        now=timezone.now(),
    )
    services.take_effect(succession=succession, author=None, now=timezone.now())
    return succession


def undo_at_once(succession: Succession) -> Succession:
    """Undo the succession from today, and return the succession that undoes it."""
    undoing_succession = record_undoing(succession)
    services.take_effect(succession=undoing_succession, author=None, now=timezone.now())
    return undoing_succession


def codes_served(organisation: Organisation, day: dt.date | None = None) -> set[str]:
    """Return the GSS codes of the areas that the organisation serves on a day, by default today."""
    area_ids = served_by_all(day or today()).get(organisation.pk, [])
    return set(Area.objects.filter(pk__in=area_ids).values_list("code", flat=True))


def valid_until(code: str) -> dt.date | None:
    """Return the day on which a GSS code ends, or None if it continues."""
    return Identifier.objects.get(scheme="gss", value=code).valid_to


def test_a_new_council_serves_the_areas_of_its_predecessors_and_of_its_own_code(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    ewell = create_coded_council("Ewell District", "E07000902")
    east = create_council("East Council")
    Area.objects.create(code="E06000901", name="East", kind="district")
    services.add_identifier(organisation=east, scheme="gss", value="E06000901", author=None, now=timezone.now())

    replace_councils([elm, ewell], [east])

    assert codes_served(east) == {"E07000901", "E07000902", "E06000901"}
    assert codes_served(elm) == set()
    assert codes_served(elm, today() - dt.timedelta(days=1)) == {"E07000901"}
    assert codes_served(east, today() - dt.timedelta(days=1)) == set()


def test_the_codes_of_ended_councils_end_and_the_code_of_the_new_council_does_not(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    east = create_coded_council("East Council", "E06000901")

    replace_councils([elm], [east])

    assert valid_until("E07000901") == today()
    assert valid_until("E06000901") is None


def test_an_ended_council_is_found_by_its_code(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    replace_councils([elm], [create_council("East Council")])

    found_organisations = find_organisations(user=world.vera, text="E07000901")

    assert list(found_organisations) == [elm]


def test_area_of_a_council_that_is_divided_goes_to_nobody_by_guessing(world: World) -> None:
    county = create_coded_council("The County", "E10000901")
    east = create_council("East Council")
    west = create_council("West Council")

    replace_councils([county], [east, west])

    assert codes_served(county) == set()
    assert codes_served(east) == set()
    assert codes_served(west) == set()


class ReplacedCouncils(NamedTuple):
    """Two councils with codes, which East Council replaces today."""

    elm: Organisation
    ewell: Organisation
    east: Organisation
    succession: Succession


@pytest.fixture
def replaced_councils(world: World) -> ReplacedCouncils:
    """Replace Elm and Ewell by East Council."""
    elm = create_coded_council("Elm", "E07000901")
    ewell = create_coded_council("Ewell", "E07000902")
    east = create_council("East Council")
    return ReplacedCouncils(elm, ewell, east, replace_councils([elm, ewell], [east]))


def test_areas_and_codes_return_when_a_succession_is_undone(replaced_councils: ReplacedCouncils) -> None:
    undo_at_once(replaced_councils.succession)

    assert codes_served(replaced_councils.elm) == {"E07000901"}
    assert codes_served(replaced_councils.ewell) == {"E07000902"}
    assert codes_served(replaced_councils.east) == set()
    assert valid_until("E07000901") is None
    assert valid_until("E07000902") is None


def test_areas_and_codes_move_again_when_an_undone_succession_is_repeated(replaced_councils: ReplacedCouncils) -> None:
    undoing_succession = undo_at_once(replaced_councils.succession)

    undo_at_once(undoing_succession)

    assert codes_served(replaced_councils.elm) == set()
    assert codes_served(replaced_councils.east) == {"E07000901", "E07000902"}
    assert valid_until("E07000902") == today()


class Absorption(NamedTuple):
    """Two councils with codes, and the succession of today with which the large one takes over the small one."""

    large: Organisation
    small: Organisation
    succession: Succession


@pytest.fixture
def absorption(world: World) -> Absorption:
    """Let Large Council take over Small Council."""
    large = create_coded_council("Large Council", "E07000901")
    small = create_coded_council("Small Council", "E07000902")
    succession = record_absorption(small, large)
    services.take_effect(succession=succession, author=None, now=timezone.now())
    return Absorption(large, small, succession)


def test_body_that_takes_another_over_serves_its_area(absorption: Absorption) -> None:
    codes = codes_served(absorption.large)

    assert codes == {"E07000901", "E07000902"}


def test_body_that_took_another_over_gives_its_area_back(absorption: Absorption) -> None:
    undo_at_once(absorption.succession)

    assert codes_served(absorption.large) == {"E07000901"}
    assert codes_served(absorption.small) == {"E07000902"}


def record_passing_of_function(county: Organisation, successor: Organisation, function: str) -> Succession:
    """Record that another council replaces the county today for one function."""
    return services.record_succession(
        kind="replace",
        status="order_made",
        vests_on=known_day(today()),
        ties=[services.NewTie(county, successor, function=function)],
        author=None,
        now=timezone.now(),
    )


def test_area_of_a_body_that_two_successions_of_one_day_divide_goes_to_nobody(world: World) -> None:
    county = create_coded_council("The County", "E10000901")
    east = create_council("East Council")
    west = create_council("West Council")
    planning_succession = record_passing_of_function(county, east, "planning")
    housing_succession = record_passing_of_function(county, west, "housing")

    services.take_effect(succession=planning_succession, author=None, now=timezone.now())
    services.take_effect(succession=housing_succession, author=None, now=timezone.now())

    assert codes_served(county) == set()
    assert codes_served(east) == set()
    assert codes_served(west) == set()


def test_areas_pass_to_the_one_successor_though_a_function_goes_elsewhere_that_day(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    east = create_council("East Council")
    fire = create_council("Fire Authority")
    services.record_succession(
        kind="function_transfer",
        status="order_made",
        vests_on=known_day(today()),
        ties=[services.NewTie(elm, fire, function="housing")],
        author=None,
        now=timezone.now(),
    )

    replace_councils([elm], [east])

    assert codes_served(east) == {"E07000901"}
    assert codes_served(fire) == set()


def test_only_a_recode_has_a_new_code(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    east = create_council("East Council")

    with pytest.raises(UnableToRecordSuccession, match="Only “Recoded” has a new code"):
        services.record_succession(
            kind="replace",
            vests_on=known_day(today()),
            new_code="E06000901",
            ties=ties_between([elm], [east]),
            author=None,
            now=timezone.now(),
        )


def record_recoding(organisation: Organisation, code: str, *, codes_on: PartialDate | None = None) -> Succession:
    """Record that the organisation has a new code from today; the succession has yet to take effect."""
    return services.record_succession(
        kind="recode",
        status="order_made",
        vests_on=known_day(today()),
        codes_on=codes_on,
        new_code=code,
        ties=ties_between([organisation], [organisation]),
        author=None,
        now=timezone.now(),
    )


def test_recode_starts_the_new_code_and_ends_the_old_code_on_its_day(world: World) -> None:
    code_day = today() + dt.timedelta(days=30)
    elm = create_coded_council("Elm District", "E07000901")
    succession = record_recoding(elm, "E07000999", codes_on=known_day(code_day))

    services.take_effect(succession=succession, author=None, now=timezone.now())

    new_code = Identifier.objects.get(scheme="gss", value="E07000999")
    assert new_code.organisation == elm
    assert new_code.valid_from == code_day
    assert new_code.valid_to is None
    assert valid_until("E07000901") == code_day


@pytest.mark.parametrize("code", ["E07000901", "E07000999"])
def test_a_recoded_body_is_found_by_its_old_and_its_new_code(world: World, code: str) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    succession = record_recoding(elm, "E07000999", codes_on=known_day(today() + dt.timedelta(days=30)))
    services.take_effect(succession=succession, author=None, now=timezone.now())

    found_organisations = find_organisations(user=world.vera, text=code)

    assert list(found_organisations) == [elm]


def test_the_page_of_a_recoded_body_names_its_new_code(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    succession = record_recoding(elm, "E07000999", codes_on=known_day(today() + dt.timedelta(days=30)))
    services.take_effect(succession=succession, author=None, now=timezone.now())

    page = signed_in(world.vera).get(elm.get_absolute_url()).content.decode()

    assert "Got the code E07000999" in " ".join(strip_tags(page).split())


def test_code_change_known_to_the_year_counts_from_vesting_day(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    succession = record_recoding(elm, "E07000999", codes_on=PartialDate(today().year))

    services.take_effect(succession=succession, author=None, now=timezone.now())

    new_code = Identifier.objects.get(scheme="gss", value="E07000999")
    assert new_code.valid_from == today()
    assert valid_until("E07000901") == today()


def test_several_bodies_are_recoded_together_while_their_codes_are_not_known(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    ewell = create_coded_council("Ewell District", "E07000902")

    succession = services.record_succession(
        kind="recode",
        vests_on=known_day(today()),
        ties=[services.NewTie(elm, elm, "continuing"), services.NewTie(ewell, ewell, "continuing")],
        author=None,
        now=timezone.now(),
    )

    assert succession.new_code == ""


def test_the_old_code_is_valid_again_once_a_recode_is_undone(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    succession = record_recoding(elm, "E07000999")
    services.take_effect(succession=succession, author=None, now=timezone.now())

    undo_at_once(succession)

    assert valid_until("E07000901") is None
    assert valid_until("E07000999") == today()


def test_the_new_code_is_valid_again_once_the_undoing_of_a_recode_is_undone(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    succession = record_recoding(elm, "E07000999")
    services.take_effect(succession=succession, author=None, now=timezone.now())
    undoing_succession = undo_at_once(succession)

    undo_at_once(undoing_succession)

    assert valid_until("E07000901") == today()
    assert valid_until("E07000999") is None


def test_code_of_another_body_is_refused_on_the_day(world: World) -> None:
    elm = create_coded_council("Elm District", "E07000901")
    create_coded_council("Ewell District", "E07000902")
    succession = record_recoding(elm, "E07000902")

    with pytest.raises(UnableToChangeSuccession, match="already belongs to Ewell District"):
        services.take_effect(succession=succession, author=None, now=timezone.now())

    assert valid_until("E07000901") is None


def test_history_and_page_of_a_succession_use_the_same_words(world: World) -> None:
    elm = create_coded_council("Elm", "E07000901")
    ewell = create_coded_council("Ewell", "E07000902")
    east = create_council("East Council")
    succession = services.record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([elm, ewell], [east]),
        author=None,
        now=timezone.now(),
    )

    page = signed_in(world.vera).get(reverse("organisations:succession", args=[succession.pk])).content.decode()

    # Once as the kind of the succession, and once in its history.
    assert page.count("Merged") >= 2
