"""Write successions and handovers as sentences, and list the kinds of organisation that a legend explains.

A succession has a *tie* for each pair of predecessor and successor. A tie without a successor means that nobody
follows. A tie from a body to itself means that the body continues.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from partnerships.kit.dates import long_date
from partnerships.organisations.models import (
    Handover,
    HandoverState,
    Kind,
    Organisation,
    Succession,
    SuccessionKind,
    SuccessionTie,
)
from partnerships.organisations.responsibility import NOBODY, NoSingleBody, Responsibility
from partnerships.people.models import User

#: Verbs for what a predecessor does to its successors, before and after the vesting day.
_PREDECESSOR_VERBS = {
    SuccessionKind.ABSORB: ("Joins", "Joined"),
    SuccessionKind.SPLIT: ("Divides into", "Was divided into"),
    SuccessionKind.BOUNDARY_CHANGE: ("Gives part of its area to", "Gave part of its area to"),
    SuccessionKind.FUNCTION_TRANSFER: ("Passes {functions} to", "Passed {functions} to"),
    SuccessionKind.TRANSFER_OF_ENGAGEMENTS: ("Transfers its engagements to", "Transferred its engagements to"),
}
#: Verbs for what happens to a body on its own, before and after the vesting day.
_OWN_VERBS = {
    SuccessionKind.RENAME: ("Is renamed {name}", "Was renamed {name}"),
    SuccessionKind.RECODE: ("Gets new codes", "Got new codes"),
    SuccessionKind.CONVERSION: ("Converts to another legal form", "Converted to another legal form"),
    SuccessionKind.FUNCTION_TRANSFER: ("Gives up {functions}", "Gave up {functions}"),
}
#: Verbs for what a successor does to its predecessors, before and after the vesting day.
_SUCCESSOR_VERBS = {
    SuccessionKind.BOUNDARY_CHANGE: ("Gets part of the area of", "Got part of the area of"),
    SuccessionKind.FUNCTION_TRANSFER: ("Takes over {functions} from", "Took over {functions} from"),
}


#: The words between predecessors and successors in a title, for one predecessor and for several.
_TITLE_VERBS = {
    SuccessionKind.ABSORB: ("joins", "join"),
    SuccessionKind.TRANSFER_OF_ENGAGEMENTS: ("transfers its engagements to", "transfer their engagements to"),
    SuccessionKind.SPLIT: ("divides into", "divide into"),
    SuccessionKind.BOUNDARY_CHANGE: ("gives part of its area to", "give part of their areas to"),
    SuccessionKind.FUNCTION_TRANSFER: ("passes functions to", "pass functions to"),
}
#: The title verbs of all other kinds.
_USUAL_TITLE_VERBS = ("becomes", "become")


def kind_choices(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return the kinds of organisation with these codes, each with its label, for a legend."""
    shown_codes = set(codes)
    return [(kind.value, str(kind.label)) for kind in Kind if kind.value in shown_codes]


@dataclass(frozen=True, slots=True)
class SuccessionLine:
    """A line on an organisation's page, for example “Becomes West Surrey Council on 1 April 2027”."""

    words: str
    bodies: tuple[Organisation, ...]
    day: str
    succession: Succession
    #: Whether the succession has yet to take effect.
    is_to_come: bool
    #: Whether another succession, which has vested, undoes this one.
    is_undone: bool = False
    #: Whether the bodies are the organisation's predecessors, not its successors.
    names_predecessors: bool = False

    @property
    def names_replaced_bodies(self) -> bool:
        """Return whether the organisation has replaced the bodies, and no other succession has undone that."""
        return self.names_predecessors and not self.is_to_come and not self.is_undone


def succession_lines(
    organisation: Organisation, successions: Iterable[Succession], today: dt.date
) -> list[SuccessionLine]:
    """Return one or two lines for each succession that say what it means for the organisation, in the given order.

    The successions must have their ties (`lineage.with_ties`).
    """
    lines: list[SuccessionLine] = []
    all_successions = list(successions)
    undone_ids = _undone_ids(all_successions, today)
    for succession in all_successions:
        is_undone = succession.pk in undone_ids
        succession_lines = _lines_of_succession(organisation, succession, today)
        lines += [replace(line, is_undone=is_undone) for line in succession_lines]
    return lines


def _lines_of_succession(organisation: Organisation, succession: Succession, today: dt.date) -> list[SuccessionLine]:
    """Return what a succession does to the organisation as a predecessor, then as a successor of other bodies."""
    ties = list(succession.ties.all())
    ties_as_predecessor = [tie for tie in ties if tie.predecessor_id == organisation.pk]
    ties_as_successor = [tie for tie in ties if tie.successor_id == organisation.pk]
    ties_to_others = [tie for tie in ties_as_predecessor if tie.successor_id not in (None, organisation.pk)]
    ties_from_others = [tie for tie in ties_as_successor if tie.predecessor_id != organisation.pk]
    has_no_successor = all(tie.successor_id is None for tie in ties_as_predecessor)

    lines = []
    if ties_to_others:
        lines.append(_line(succession, ties_to_others, _PREDECESSOR_VERBS, ("Becomes", "Became"), today))
    elif ties_as_predecessor and has_no_successor:
        usual_verbs = ("Is dissolved", "Was dissolved")
        lines.append(_line(succession, ties_as_predecessor, _OWN_VERBS, usual_verbs, today))
    elif ties_as_predecessor and not ties_from_others:
        lines.append(_line(succession, ties_as_predecessor, _OWN_VERBS, ("Continues", "Continued"), today))
    if ties_from_others:
        usual_verbs = ("Replaces", "Replaced")
        lines.append(_line(succession, ties_from_others, _SUCCESSOR_VERBS, usual_verbs, today, names_predecessors=True))
    return lines


def _undone_ids(successions: Iterable[Succession], today: dt.date) -> set[int]:
    """Return the ids of the successions that another of these successions has undone by today.

    A succession that was itself undone does not undo another one.
    """
    undone_ids: set[int] = set()
    # A succession that undoes another has the higher id, so the last one comes first.
    for succession in sorted(successions, key=lambda succession: succession.pk, reverse=True):
        if succession.undoes_id is None or succession.pk in undone_ids or is_still_to_come(succession, today):
            continue
        undone_ids.add(succession.undoes_id)
    return undone_ids


def _line(
    succession: Succession,
    ties: list[SuccessionTie],
    verbs: dict[SuccessionKind, tuple[str, str]],
    usual_verbs: tuple[str, str],
    today: dt.date,
    *,
    names_predecessors: bool = False,
) -> SuccessionLine:
    """Return one line on an organisation's page.

    `usual_verbs` are for kinds that are not in `verbs`. The line names the successors, or the predecessors if
    `names_predecessors` is set.
    """
    is_to_come = is_still_to_come(succession, today)
    present, past = verbs.get(SuccessionKind(succession.kind), usual_verbs)
    functions = dict.fromkeys(tie.function.label.lower() for tie in ties if tie.function)  # each function once
    words = (present if is_to_come else past).format(functions=_list(functions), name=succession.new_name)
    if succession.kind == SuccessionKind.RECODE and succession.new_code:
        words = f"{'Gets' if is_to_come else 'Got'} the code {succession.new_code}"

    bodies: list[Organisation] = []
    if verbs is not _OWN_VERBS:  # a line about the organisation on its own names no other bodies
        for tie in ties:
            body = tie.predecessor if names_predecessors else tie.successor
            if body is not None and body not in bodies:
                bodies.append(body)
    return SuccessionLine(
        words=words,
        bodies=tuple(bodies),
        day=vesting_day_in_words(succession),
        succession=succession,
        is_to_come=is_to_come,
        names_predecessors=names_predecessors,
    )


def is_still_to_come(succession: Succession, today: dt.date) -> bool:
    """Return whether the vesting day is still to come, or the succession is not certain yet."""
    if not succession.is_certain:
        return True
    return succession.vests_on is not None and succession.vests_on.latest > today


def vesting_day_in_words(succession: Succession) -> str:
    """Return the vesting day with its preposition: “on 1 April 2027”, “in April 2028”, “in 2028” or ""."""
    day = succession.vests_on
    return "" if day is None else f"{'on' if day.day else 'in'} {day.words}"


def succession_title(succession: Succession) -> str:
    """Return a title that says what happens: “Guildford and Woking become West Surrey”.

    The succession must have its ties (`lineage.with_ties`).
    """
    ties = list(succession.ties.all())
    predecessor_names = list(dict.fromkeys(tie.predecessor.name for tie in ties))
    ties_to_others = [tie for tie in ties if tie.successor_id != tie.predecessor_id]
    successor_names = list(dict.fromkeys(tie.successor.name for tie in ties_to_others if tie.successor))
    names = _list(predecessor_names)
    if len(predecessor_names) > 3:
        names = f"{predecessor_names[0]} and {len(predecessor_names) - 1} others"
    if not successor_names:
        return f"{succession.get_kind_display()}: {names}"
    singular, plural = _TITLE_VERBS.get(SuccessionKind(succession.kind), _USUAL_TITLE_VERBS)
    verb = singular if len(predecessor_names) == 1 else plural
    return f"{names} {verb} {_list(successor_names)}"


def title_in_full(succession: Succession) -> str:
    """Return the title, which begins with “Undone:” if the succession undoes another succession."""
    return f"Undone: {succession_title(succession.undoes)}" if succession.undoes else succession_title(succession)


def order_title(successions: Sequence[Succession]) -> str:
    """Return one title for the successions of an order.

    It is the title of the only succession, or names the place that they reorganise.
    """
    first_succession = successions[0]
    if len(successions) == 1:
        return title_in_full(first_succession)
    action = "Undone: reorganisation" if first_succession.undoes else "Reorganisation"
    return f"{action} of {first_succession.place}"


def handover_line_in_words(line: Handover | None, *, shows_reason: bool) -> str:
    """Return the state of a handover line and any consent that it lacks.

    With `shows_reason`, the words also say why the line is disputed.
    """
    if line is None:
        return "has no handover line yet"
    words = f"{line.get_state_display().lower()}: {line.successor.name}"
    if line.dispute and shows_reason:
        words = f"{words}, “{line.dispute}”"
    return f"{words}, but the consent of {line.consent} is not recorded" if line.lacks_consent else words


def steps_in_words(line: Handover) -> list[str]:
    """Return who proposed, accepted or disputed a handover line and recorded its consent, and when.

    The line's people and accepted parts must be fetched.
    """
    steps = [_step("Proposed", line.proposed_by, line.proposed_at)]
    accepted_parts = list(line.accepted_parts.all())
    steps += [
        _step(f"Accepted for {part.organisation.name}", part.accepted_by, part.accepted_at) for part in accepted_parts
    ]
    is_disputed = line.state == HandoverState.DISPUTED
    # The accepted parts say who accepted a shared line.
    if line.answered_at is not None and (is_disputed or not accepted_parts):
        verb = "Disputed" if is_disputed else "Accepted"
        steps.append(_step(verb, line.answered_by, line.answered_at))
    if line.consent_recorded_at is not None:
        steps.append(_step("Consent recorded", line.consent_recorded_by, line.consent_recorded_at))
    if line.applied_at is not None:
        steps.append(f"Passed on: {long_date(timezone.localdate(line.applied_at))}")
    return steps


def _step(verb: str, person: User | None, moment: dt.datetime) -> str:
    """Return a step with its day and, if known, its person: “Proposed by Ben West on 3 May 2027”."""
    author_words = f" by {person.display_name}" if person else ""
    return f"{verb}{author_words} on {long_date(timezone.localdate(moment))}"


def has_function_ties(succession: Succession) -> bool:
    """Return True if a tie names a function, so that the other ties are about the remaining functions."""
    return any(tie.function_id for tie in succession.ties.all())


def responsibility_in_words(answer: Responsibility, organisation: Organisation, *, function: str, day: dt.date) -> str:
    """Return a sentence that says who is responsible for a function on a day."""
    holder_ids: set[int] = set().union(*answer.parts)  # each part is a share of one or several organisations
    names = dict(Organisation.objects.filter(pk__in=holder_ids).values_list("pk", "name"))
    names[NOBODY] = "nobody"
    when = long_date(day)
    if answer.body == organisation.pk:
        return f"{organisation.name} is responsible for {function.lower()} on {when}."
    if answer.body is not None:
        return f"{names[answer.body]} is responsible for {function.lower()} of {organisation.name} on {when}."
    match answer.reason:
        case NoSingleBody.NOT_YET:
            return f"Nobody was responsible, because {organisation.name} did not exist yet on {when}."
        case NoSingleBody.DAY_UNKNOWN:
            return (
                f"We do not know who was responsible. A succession may have vested by {when}, but only its month or "
                "year is recorded."
            )
        case NoSingleBody.DIVIDED:
            return f"Several organisations are responsible on {when}: {_parts_in_words(answer, names)}."
    return (
        f"We do not know who was responsible. {organisation.name} had ended by {when}, and no successor is recorded "
        f"for {function.lower()}."
    )


def _parts_in_words(answer: Responsibility, name_by_id: Mapping[int, str]) -> str:
    """Return the share of each organisation, the largest first: “60% East; 40% jointly North and West”."""
    shares_with_names = [(share, sorted(name_by_id[pk] for pk in holders)) for holders, share in answer.parts.items()]
    texts = []
    for share, names in sorted(shares_with_names, key=lambda pair: (-pair[0], pair[1])):
        percentage = "" if share == 1 else f"{float(share * 100):.4g}% "
        jointly = "jointly " if len(names) > 1 else ""
        texts.append(f"{percentage}{jointly}{_list(names)}")
    return "; ".join(texts)


def _list(names: Iterable[str]) -> str:
    """Return the names as a list in a sentence: “planning, housing and homelessness”."""
    *first_names, last_name = [*names] or [""]
    return f"{', '.join(first_names)} and {last_name}" if first_names else last_name
