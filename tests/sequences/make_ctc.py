"""Rebuild values/ctc.json, CTC losses in 50 digits: ``python tests/sequences/make_ctc.py`` with mpmath 1.3 or later."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import numpy as np
from ctc_models import by_definition, models


def main() -> None:
    mpmath.mp.dps = 50
    values = {}
    for name, scores, labels in models():
        total = by_definition(scores, labels, 0, lambda v: mpmath.mpf(float(v)), mpmath.exp)
        values[name] = repr(float(-mpmath.log(total)))
    versions = {"mpmath": mpmath.__version__, "numpy": np.__version__}
    text = json.dumps({"versions": versions, "values": values}, indent=1)
    Path(__file__).with_name("values").joinpath("ctc.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
