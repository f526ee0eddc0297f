"""Several changes are folded into their net change, with one line for what differs in the end."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from partnerships.activity.folding import FoldRule, NetChange, Step, Thing, fold_steps

PROMISE: Thing = ("commitment", 1, "")


def changing_step(number: int, before: str, after: str, *, field: str = "due") -> Step:
    return Step(number, "due_date_moved", PROMISE, FoldRule.FIELDS, {field: before}, {field: after})


def creating_step(number: int, **after: str) -> Step:
    return Step(number, "proposed", PROMISE, FoldRule.CREATED, {}, after)


def removing_step(number: int) -> Step:
    return Step(number, "withdrawn", PROMISE, FoldRule.REMOVED)


def test_date_that_moved_twice_is_one_line() -> None:
    [line] = fold_steps([changing_step(1, "1 March", "1 April"), changing_step(2, "1 April", "1 May")])

    assert line.before == "1 March"
    assert line.after == "1 May"
    assert line.moves == 2
    assert line.numbers == (1, 2)


def test_value_that_returned_to_where_it_was_is_left_out() -> None:
    assert fold_steps([changing_step(1, "1 March", "1 April"), changing_step(2, "1 April", "1 March")]) == []


def test_what_was_created_and_withdrawn_in_between_is_left_out() -> None:
    answered = Step(3, "answered", PROMISE, FoldRule.EACH)

    assert (
        fold_steps([creating_step(1, due="1 March"), changing_step(2, "1 March", "1 May"), answered, removing_step(4)])
        == []
    )


def test_what_was_created_is_told_with_its_values_at_the_end() -> None:
    status = Step(3, "confirmed", PROMISE, FoldRule.FIELDS, {"status": "proposed"}, {"status": "agreed"})

    created, agreed = fold_steps([creating_step(1, due="1 March"), changing_step(2, "1 March", "1 May"), status])

    assert created.kind == "proposed"
    assert created.values == {"due": "1 May"}
    assert created.numbers == (1, 2)
    assert agreed.field == "status"
    assert agreed.before == "proposed"
    assert agreed.after == "agreed"


def test_what_was_removed_is_one_line() -> None:
    [line] = fold_steps([changing_step(1, "1 March", "1 May"), removing_step(2)])

    assert line == NetChange(PROMISE, "withdrawn", (2,))


def test_what_was_removed_and_restored_is_left_out() -> None:
    assert fold_steps([removing_step(1), creating_step(2)]) == []


def test_meetings_held_are_told_each_and_reports_only_the_last() -> None:
    meetings = [Step(number, "held", ("partnership", 1, ""), FoldRule.EACH) for number in (1, 3)]
    reports = [Step(number, "reported", ("partnership", 1, ""), FoldRule.LAST) for number in (2, 4)]

    lines = fold_steps(sorted([*meetings, *reports], key=lambda step: step.number))

    assert [(line.kind, line.numbers) for line in lines] == [("held", (1,)), ("held", (3,)), ("reported", (2, 4))]


def test_change_of_fields_without_values_is_still_told() -> None:
    [line] = fold_steps([Step(1, "due_date_moved", PROMISE, FoldRule.FIELDS)])

    assert line.kind == "due_date_moved"
    assert line.numbers == (1,)


#: The fields of each thing that exists.
State = dict[Thing, dict[str, str]]
#: One draw of an action: the thing, what happens, the field and its new value.
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([("commitment", 1, ""), ("commitment", 2, ""), ("entry", 1, "")]),
        st.sampled_from(["create", "remove", "set", "set", "set"]),
        st.sampled_from(["due", "status"]),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=30,
)


def steps_and_states(actions: list[tuple[Thing, str, str, str]]) -> tuple[list[Step], list[State]]:
    """Return the steps of these actions, and the states before the first and after each of them."""
    steps: list[Step] = []
    states: list[State] = [{}]
    for thing, what, field, value in actions:
        state = {key: dict(values) for key, values in states[-1].items()}
        number = len(steps) + 1
        if what == "create" and thing not in state:
            state[thing] = {"due": value, "status": "a"}
            steps.append(Step(number, "created", thing, FoldRule.CREATED, {}, dict(state[thing])))
        elif what == "remove" and thing in state:
            steps.append(Step(number, "removed", thing, FoldRule.REMOVED, dict(state.pop(thing)), {}))
        elif what == "set" and thing in state:
            before = state[thing][field]
            state[thing][field] = value
            steps.append(Step(number, "set", thing, FoldRule.FIELDS, {field: before}, {field: value}))
        else:
            continue
        states.append(state)
    return steps, states


def apply_lines(state: State, lines: list[NetChange]) -> State:
    """Return the state after these lines. A line that changes nothing fails the test."""
    state = {key: dict(values) for key, values in state.items()}
    for line in lines:
        if line.field:
            assert line.before != line.after
            assert state[line.thing][line.field] == line.before
            state[line.thing][line.field] = line.after
        elif line.kind == "created":
            assert line.thing not in state
            state[line.thing] = dict(line.values)
        else:
            del state[line.thing]
    return state


@given(ACTIONS, st.data())
def test_net_change_is_the_difference_of_the_first_and_last_state(actions: list[Any], data: st.DataObject) -> None:
    steps, states = steps_and_states(actions)
    start = data.draw(st.integers(0, len(steps)))
    end = data.draw(st.integers(start, len(steps)))

    lines = fold_steps(steps[start:end])

    assert apply_lines(states[start], lines) == states[end]


@given(ACTIONS)
def test_numbers_of_a_line_are_of_its_own_thing_and_in_order(actions: list[Any]) -> None:
    steps, _ = steps_and_states(actions)

    for line in fold_steps(steps):
        assert list(line.numbers) == sorted(line.numbers)
        assert {steps[number - 1].thing for number in line.numbers} == {line.thing}
