"""Fixtures for pytest: one sandbox for the run, a world of its own for each test."""

from __future__ import annotations

from typing import Iterator

import pytest

import vneid_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[vneid_sandbox.Sandbox]:
    """A sandbox that ends with the run."""
    with vneid_sandbox.start() as running:
        yield running


@pytest.fixture
def world(sandbox: vneid_sandbox.Sandbox) -> Iterator[vneid_sandbox.World]:
    """People, phones, SMS, clients, keys and a clock that no other test sees."""
    made = sandbox.world()
    yield made
    sandbox.delete_world(made.id)
