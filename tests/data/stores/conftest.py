"""Retries without waiting."""

from __future__ import annotations

import pytest

from lossctl.data.stores import retry


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.0)
