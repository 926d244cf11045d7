"""What all tests share: the command as a process, and the sample data."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The same examples every time, and no clock: a slow machine is not a failure.
settings.register_profile("lossctl", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lossctl")

ROOT = Path(__file__).parent.parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real model outputs."""
    return ROOT / "sample_data"


@pytest.fixture
def lossctl(tmp_path: Path) -> Run:
    """Run ``lossctl ARGS`` as a process of its own in the test's folder."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lossctl", *map(str, arguments)]
        settings: dict[str, object] = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 120, **options}
        return subprocess.run(command, **settings)  # type: ignore[call-overload,no-any-return]

    return run


@pytest.fixture(scope="session")
def scattered() -> Any:
    """A run as several processes would carry it out: the module ``scattered``."""
    spec = importlib.util.spec_from_file_location("scattered", ROOT / "tests" / "scattered.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
