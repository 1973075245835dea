"""How a portal's tests look with the fixtures."""

from __future__ import annotations

from datetime import timedelta

import vneid_sandbox


def test_a_person_signs_in_and_time_passes(world: vneid_sandbox.World) -> None:
    result = world.login(client_id="my-portal", cccd="038090000001")
    assert "code=" in result["callback"]
    before = world.clock.now()
    assert world.clock.advance(timedelta(hours=2)) - before > timedelta(minutes=119)


def test_another_test_has_another_clock_and_other_messages(world: vneid_sandbox.World, sandbox: vneid_sandbox.Sandbox) -> None:
    assert world.sms("0950000001") == []
    assert abs((world.clock.now() - sandbox.clock.now()).total_seconds()) < 30
