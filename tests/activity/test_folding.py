"""Several changes are folded into their net change, with one line for what differs in the end."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from partnerships.activity.folding import FoldRule, NetChange, Step, Target, fold_steps

PROMISE: Target = ("commitment", 1, "")
PARTNERSHIP: Target = ("partnership", 1, "")


def changing_step(number: int, before: str, after: str) -> Step:
    """Return a step that moves the due date of the promise."""
    return Step(number, "due_date_moved", PROMISE, FoldRule.FIELDS, {"due": before}, {"due": after})


def creating_step(number: int, **values: str) -> Step:
    """Return a step that proposes the promise with these values."""
    return Step(number, "proposed", PROMISE, FoldRule.CREATED, {}, values)


def removing_step(number: int) -> Step:
    """Return a step that withdraws the promise."""
    return Step(number, "withdrawn", PROMISE, FoldRule.REMOVED)


def test_date_that_moved_twice_is_one_line() -> None:
    [line] = fold_steps([changing_step(1, "1 March", "1 April"), changing_step(2, "1 April", "1 May")])

    assert line.before == "1 March"
    assert line.after == "1 May"
    assert line.moves == 2
    assert line.numbers == (1, 2)


def test_value_that_returned_to_where_it_was_is_left_out() -> None:
    lines = fold_steps([changing_step(1, "1 March", "1 April"), changing_step(2, "1 April", "1 March")])

    assert lines == []


def test_promise_that_was_proposed_and_withdrawn_is_left_out() -> None:
    proposed = creating_step(1, due="1 March")
    moved = changing_step(2, "1 March", "1 May")
    answered = Step(3, "answered", PROMISE, FoldRule.EACH)
    withdrawn = removing_step(4)

    lines = fold_steps([proposed, moved, answered, withdrawn])

    assert lines == []


def test_proposed_promise_is_told_with_its_values_at_the_end() -> None:
    [line] = fold_steps([creating_step(1, due="1 March"), changing_step(2, "1 March", "1 May")])

    assert line.kind == "proposed"
    assert line.values == {"due": "1 May"}
    assert line.numbers == (1, 2)


def test_field_that_a_promise_gained_later_is_told_on_its_own_line() -> None:
    confirmed = Step(2, "confirmed", PROMISE, FoldRule.FIELDS, {"status": "proposed"}, {"status": "agreed"})

    _, line = fold_steps([creating_step(1, due="1 March"), confirmed])

    assert line.field == "status"
    assert line.before == "proposed"
    assert line.after == "agreed"


def test_withdrawn_promise_is_one_line() -> None:
    [line] = fold_steps([changing_step(1, "1 March", "1 May"), removing_step(2)])

    assert line == NetChange(PROMISE, "withdrawn", (2,))


def test_promise_that_was_withdrawn_and_restored_is_left_out() -> None:
    lines = fold_steps([removing_step(1), creating_step(2)])

    assert lines == []


def test_each_held_meeting_is_a_line() -> None:
    lines = fold_steps([Step(number, "held", PARTNERSHIP, FoldRule.EACH) for number in (1, 2)])

    assert lines == [NetChange(PARTNERSHIP, "held", (1,)), NetChange(PARTNERSHIP, "held", (2,))]


def test_several_reports_are_one_line() -> None:
    lines = fold_steps([Step(number, "reported", PARTNERSHIP, FoldRule.LAST) for number in (1, 2)])

    assert lines == [NetChange(PARTNERSHIP, "reported", (1, 2))]


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
def test_net_changes_lead_from_the_first_state_to_the_last(actions: list[Any], data: st.DataObject) -> None:
    steps, states = steps_and_states(actions)
    start = data.draw(st.integers(0, len(steps)))
    end = data.draw(st.integers(start, len(steps)))

    lines = fold_steps(steps[start:end])

    assert apply_lines(states[start], lines) == states[end]


@given(ACTIONS)
def test_numbers_of_a_line_are_in_order(actions: list[Any]) -> None:
    steps, _ = steps_and_states(actions)

    lines = fold_steps(steps)

    assert all(list(line.numbers) == sorted(line.numbers) for line in lines)


@given(ACTIONS)
def test_numbers_of_a_line_are_of_its_own_target(actions: list[Any]) -> None:
    steps, _ = steps_and_states(actions)
    target_by_number = {step.number: step.target for step in steps}

    lines = fold_steps(steps)

    targets_by_line = [(line.target, {target_by_number[number] for number in line.numbers}) for line in lines]
    assert all(targets == {target} for target, targets in targets_by_line)
