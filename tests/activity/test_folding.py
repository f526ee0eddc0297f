"""Several changes are folded into their net change, with one line for what differs in the end."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from partnerships.activity.folding import FoldRule, NetChange, Step, Target, fold_steps

PROMISE: Target = ("commitment", 1, "")


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


#: The fields of each target that exists.
State = dict[Target, dict[str, str]]
#: One draw of an action: the target, what happens, the field and its new value.
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([("commitment", 1, ""), ("commitment", 2, ""), ("entry", 1, "")]),
        st.sampled_from(["create", "remove", "set", "set", "set"]),
        st.sampled_from(["due", "status"]),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=30,
)


def steps_and_states(actions: list[tuple[Target, str, str, str]]) -> tuple[list[Step], list[State]]:
    """Return the steps of these actions, and the states before the first and after each of them."""
    steps: list[Step] = []
    states: list[State] = [{}]
    for target, action, field, value in actions:
        state = {key: dict(values) for key, values in states[-1].items()}
        number = len(steps) + 1
        if action == "create" and target not in state:
            state[target] = {"due": value, "status": "a"}
            steps.append(Step(number, "created", target, FoldRule.CREATED, {}, dict(state[target])))
        elif action == "remove" and target in state:
            steps.append(Step(number, "removed", target, FoldRule.REMOVED, dict(state.pop(target)), {}))
        elif action == "set" and target in state:
            before = state[target][field]
            state[target][field] = value
            steps.append(Step(number, "set", target, FoldRule.FIELDS, {field: before}, {field: value}))
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
            assert state[line.target][line.field] == line.before
            state[line.target][line.field] = line.after
        elif line.kind == "created":
            assert line.target not in state
            state[line.target] = dict(line.values)
        else:
            del state[line.target]
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
        assert {steps[number - 1].target for number in line.numbers} == {line.target}
