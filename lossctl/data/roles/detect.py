"""The columns of a role by their names, and what is said where no name tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossctl.data.roles import columns as cols
from lossctl.data.roles.boxes import search_boxes
from lossctl.data.roles.columns import Found
from lossctl.data.roles.predicted import companion, search_pred
from lossctl.data.source import Source
from lossctl.errors import UsageError
from lossctl.model.call import LossCall
from lossctl.model.spec import Input

__all__ = ["detect", "may_be", "search"]


def detect(
    call: LossCall, entry: Input, source: Source, given: Sequence[str], found: Mapping[str, Found], *, lone: bool
) -> Found:
    """Columns of a role by their names; ``lone``: the file holds nothing but this role.

    ``given`` are columns named for other roles, ``found`` the roles that come before.
    """
    hit = search(call, entry, source, given, lone=lone)
    if hit is not None:
        return hit
    keys = set(cols.key_columns(source))
    candidates = [c.name for c in source.columns if c.type != "other" and c.name not in keys]
    if lone and len(candidates) == 1:
        return Found((candidates[0],), form=cols.implied_form(candidates[0]))
    prose = lone and entry.kind.decode(call.params, None) == "units"
    if prose and (hit := cols.by_name(source, entry.role, cols.PROSE)) is not None:
        return hit  # beside a speaker or a language
    twin = found["pred"].columns[0] if "pred" in found else ""
    if lone and entry.role == "target" and twin in candidates and not (twin.isdigit() or cols.says_pred(twin)):
        return Found((twin,))  # under the name that it has among the predictions, as in Kaggle's solutions
    if lone and source.format == "text" and len(candidates) > 2 and entry.kind.columns in {"any", "classes", "masks"}:
        return Found(tuple(candidates))  # numbers without names: the whole file is one array
    needed = [i.role for i in call.entry.spec.inputs if not i.optional]
    rows = not entry.kind.single or source.columns[0].width is not None  # a text's one number is to be named
    alone = needed == [entry.role] and call.of_set is None  # of a set, only what names say is taken
    if alone and len(candidates) == len(source.columns) == 1 and rows:
        return Found((candidates[0],), form=cols.implied_form(candidates[0]))
    error = too_few(call, entry, source, needed) or cols.undetected(source, entry.role, entry.kind.phrase)
    if entry.kind.whole:
        error.hint = f"it stands beside all rows, in a file of its own: --{entry.role} FILE:COLUMNS"
    raise error


def too_few(call: LossCall, entry: Input, source: Source, needed: Sequence[str]) -> UsageError | None:
    """The error for a file that holds one role, where others are needed as well."""
    if source.format == "npy":
        others = " ".join(f"{role.upper()}.npy" for role in needed[1:])
        return UsageError(
            f"{source.name} is one array and cannot hold {', '.join(needed)}",
            code="file-count",
            hint=f"lossctl compute {call.name} {source.name} {others}",
        )
    prose = source.format == "lines" or (len(source.columns) == 1 and source.name.endswith((".txt", ".ref", ".hyp")))
    if prose and entry.kind.decode(call.params, None) == "units":
        return UsageError(
            f"{source.name} is lines of text, and {call.name} compares two files of them",
            code="file-count",
            hint=f"lossctl compute {call.name} {source.name} REF.txt",
        )
    return None


def search(call: LossCall, entry: Input, source: Source, given: Sequence[str], *, lone: bool = False) -> Found | None:
    role, kind = entry.role, entry.kind
    if kind.columns == "boxes":
        return search_boxes(source, role, lone=lone)
    own = ((cols.plain(role),),)
    if kind.called and (hit := cols.by_name(source, role, (kind.called,))) is not None:
        return hit
    if kind.families and (hit := cols.family(source, role, kind.families)) is not None:
        return hit
    if role == "target":
        ranks = cols.TARGET if call.entry.spec.family != "ranking" else (*cols.TARGET, *cols.RANKING_TARGET)
        if kind.columns == "masks":
            ranks = (*ranks, *cols.MASKS)
        hit = None if kind.columns == "classes" else cols.by_name(source, role, ranks)
        hit = hit or cols.family(source, role, ("y_true_", "target_", "label_", "label:dim="))
        return hit or cols.by_name(source, role, ranks) or companion(source, role, "label", given)
    if kind.mapping:
        return cols.members(source, kind.members)
    if role != "pred":
        hit = cols.by_name(source, role, cols.ALSO.get(role, own))
        return hit or (cols.family(source, role, (f"{role}_",)) if kind.columns == "any" else None)
    return search_pred(kind, source, given)


def may_be(call: LossCall, entry: Input, source: Source, hit: Found) -> bool:
    """Whether a column that nobody named can be an optional input: single values are no sequences of numbers."""
    column = cols.column_of(source, hit.columns[0])
    return entry.kind.decode(call.params, None) != "sequence" or (column.width is not None and column.type != "text")
