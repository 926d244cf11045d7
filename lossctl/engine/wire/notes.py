"""Findings and errors as trees: what they will say is what they would have said where they were met."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from lossctl.engine.wire.damage import MOST, count_of, damaged, item
from lossctl.errors import DataError, LossctlError, OutputError, UsageError
from lossctl.model.findings import PLACES, Finding, Findings, Rule, shown

__all__ = ["error_in", "error_out", "findings_in", "findings_out"]

Tree: TypeAlias = dict[str, Any]

ERRORS: dict[str, type[LossctlError]] = {e.__name__: e for e in (LossctlError, UsageError, DataError, OutputError)}
SEVERITIES = ("error", "warning", "fact")


def error_out(error: LossctlError) -> Tree:
    """An error, to be raised by somebody else."""
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in ERRORS)
    parts = ("message", "code", "file", "row", "column", "hint")
    return {"error": name, **{part: getattr(error, part) for part in parts}, "details": list(error.details)}


def error_in(tree: Tree) -> LossctlError:
    """The error that was written."""
    kind = ERRORS.get(item(tree, "error", str))
    details = item(tree, "details", list)
    if kind is None or not all(isinstance(each, str) for each in details):
        raise damaged("its error is of no known kind")
    known = {name: text_or_none(tree, name) for name in ("file", "column", "hint")}
    row = None if tree.get("row") is None else item(tree, "row", int)
    return kind(item(tree, "message", str), code=item(tree, "code", str), row=row, details=tuple(details), **known)


def text_or_none(tree: Tree, name: str) -> str | None:
    return None if tree.get(name) is None else item(tree, name, str)


def findings_out(findings: Findings) -> list[Tree]:
    return [finding_out(finding) for finding in findings.by_rule.values()]


def finding_out(finding: Finding) -> Tree:
    places = [[row, said(value)] for row, value in finding.places]
    rule = list(finding.rule)
    return {"rule": rule, "role": finding.role, "count": finding.count, "places": places, "worst": finding.worst}


def said(value: Any) -> list[Any]:
    """A value as a float, as quoted text, or as the words that it will be shown by."""
    if isinstance(value, np.floating):
        return ["number", float(value)]
    if isinstance(value, str) and not isinstance(value, np.generic):
        return ["text", value]
    return ["words", shown(value)]


def heard(found: Any) -> Any:
    """What is shown as the value was."""
    kind, value = found
    if kind == "number" and isinstance(value, float):
        return np.float64(value)
    if kind in ("text", "words") and isinstance(value, str):
        return value if kind == "text" else np.str_(value)
    raise damaged("a value is of no known kind")


def findings_in(trees: list[Any], into: Findings) -> None:
    """Add findings to others."""
    for tree in trees:
        found = finding_in(tree)
        into.entry(found.role, found.rule).merge(found)


def finding_in(tree: Tree) -> Finding:
    code, text, severity, hint, role = item(tree, "rule", list)
    if severity not in SEVERITIES or not all(isinstance(each, str) for each in (code, text)):
        raise damaged("a rule is of no known kind")
    if not all(each is None or isinstance(each, str) for each in (hint, role)):
        raise damaged("a rule is of no known kind")
    finding = Finding(Rule(code, text, severity, hint, role), item(tree, "role", str))
    finding.count = count_of(tree, "count")
    places = item(tree, "places", list)
    finding.places = [(whole(row), heard(value)) for row, value in places]
    if not 1 <= len(places) <= PLACES or finding.count < len(places):
        raise damaged("a finding is nowhere")
    if tree.get("worst") is not None:
        size, row = item(tree, "worst", list)
        finding.worst = (number(size), whole(row))
    return finding


def whole(row: Any) -> int:
    if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row < MOST:
        raise damaged("a row is no number")
    return row


def number(size: Any) -> float:
    if not isinstance(size, float):
        raise damaged("a size is no number")
    return size
