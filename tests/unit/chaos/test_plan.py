"""Rules: a seed tells the whole run, and every kind of task and fault is in it."""

from __future__ import annotations

import pytest

from chaos.plan import Fault, Mood, Way, make_plan


def test_the_same_seed_gives_the_same_plan() -> None:
    assert make_plan(60, 1) == make_plan(60, 1)
    assert make_plan(60, 1) != make_plan(60, 2)


@pytest.mark.parametrize("tasks", [24, 100, 500])
def test_every_kind_of_fault_happens_while_tasks_come(tasks: int) -> None:
    plan = make_plan(tasks, 5)
    assert {fault.fault for fault in plan.server_faults} == set(Fault)
    assert {fault.mood for fault in plan.receiver_faults} == set(Mood) - {Mood.WELL}
    for moments in ([fault.before for fault in plan.server_faults], [fault.before for fault in plan.receiver_faults]):
        assert moments == sorted(moments)
        assert all(0 < before < tasks for before in moments)


def test_every_kind_of_task_is_sent() -> None:
    orders = make_plan(500, 1).orders
    assert {order.way for order in orders} == set(Way)
    assert {order.sync for order in orders} == {order.repeat for order in orders} == {True, False}
    assert [order.number for order in orders] == list(range(500))


def test_a_portrait_is_used_again_of_an_earlier_task_of_the_same_photo() -> None:
    orders = make_plan(500, 1).orders
    bases = [(order, orders[order.base]) for order in orders if order.base is not None]
    assert len(bases) > 50
    assert all(base.number < order.number and base.wish.photo == order.wish.photo for order, base in bases)


def test_the_wishes_have_each_fallback_and_new_photos_first() -> None:
    wishes = make_plan(500, 1).wishes
    assert len(set(wishes)) == len(wishes)
    flags = [wish.again for wish in wishes]
    assert flags == sorted(flags)
    fresh = {(wish.photo, wish.recipe) for wish in wishes if not wish.again}
    assert {(wish.photo, wish.recipe) for wish in wishes if wish.again} <= fresh
