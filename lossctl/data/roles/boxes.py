"""Which columns hold boxes, in which order their four numbers stand, and what the names say about the layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossctl.data.roles import columns as cols
from lossctl.data.roles.columns import Found
from lossctl.data.source import Source
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall

__all__ = ["search_boxes", "settle_boxes"]

# What the four numbers are called, in the order that the layout has them.
NAMES = {
    "xyxy": (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("left", "top", "right", "bottom")),
    "xywh": (("x", "y", "w", "h"), ("x", "y", "width", "height"), ("left", "top", "width", "height")),
    "cxcywh": (("cx", "cy", "w", "h"), ("cx", "cy", "width", "height"), ("xcenter", "ycenter", "width", "height")),
}
PREFIXES = {
    "pred": ("ypred", "pred", "prediction", "predicted", "p", ""),
    "target": ("ytrue", "target", "label", "groundtruth", "truth", "true", "gt", "t"),
}
WHOLE = ("box", "boxes", "bbox", "bboxes")  # four numbers in one column


def search_boxes(source: Source, role: str, *, lone: bool) -> Found | None:
    """One column of four numbers, or four columns that are called as their parts; ``lone``: the file has one role."""
    ranks = cols.TARGET if role == "target" else cols.PRED
    hit = cols.by_name(source, role, ranks)
    if hit is not None and cols.column_of(source, hit.columns[0]).width is not None:
        return hit
    prefixes = PREFIXES.get(role, (cols.plain(role),))
    whole = cols.by_name(source, role, [[f"{prefix}{word}" for word in WHOLE] for prefix in prefixes])
    if whole is not None:
        return whole
    for prefix in (*prefixes, *([""] if lone and "" not in prefixes else [])):
        hits = list(parts(source, prefix))
        if len(hits) > 1:
            shown = " and ".join(", ".join(names) for names in hits)
            raise DataError(
                f"two sets of columns could be the {role}: {shown}",
                code="ambiguous-column",
                file=source.name,
                hint=f"say which: --{role} {','.join(hits[0])}",
            )
        if hits:
            return Found(tuple(hits[0]))
    return cols.by_name(source, role, [WHOLE]) if lone else None


def parts(source: Source, prefix: str) -> Iterator[list[str]]:
    """Four columns that are called ``prefix`` and a part, for each way of calling the parts."""
    known = {cols.plain(column.name): column.name for column in source.columns if column.type != "other"}
    for ways in NAMES.values():
        for way in ways:
            if all(f"{prefix}{part}" in known for part in way):
                yield [known[f"{prefix}{part}"] for part in way]


def settle_boxes(call: LossCall, found: dict[str, Found], sources: dict[str, Source]) -> LossCall:
    """Four columns in the order of their layout, which their names settle where they tell; refuse a contradiction."""
    for entry in call.entry.spec.inputs:
        hit = found.get(entry.role)
        if entry.kind.columns != "boxes" or hit is None or len(hit.columns) != 4:
            continue
        said = layout_of(hit.columns)
        if said is None:
            continue
        layout, order = said
        if call.params["boxes"] != layout and "boxes" in {*call.given, *call.settled, *call.entry.fixed}:
            names = cols.listed(hit.columns)
            raise UsageError(
                f"{call.name} takes boxes as {call.params['boxes']}, and the names of {names} say {layout}",
                code="boxes-differ",
                file=sources[entry.role].name,
                hint=f"--boxes {layout}, or rename the columns; both sides have one layout",
            )
        call = call.with_params({"boxes": layout})
        found[entry.role] = Found(tuple(hit.columns[place] for place in order))
    return call


def layout_of(columns: Sequence[str]) -> tuple[str, list[int]] | None:
    """The layout that four names end with, and where each of its numbers stands; ``None`` if they do not tell."""
    words = [cols.plain(name) for name in columns]
    for layout, ways in NAMES.items():
        for way in ways:
            for word in words:
                prefix = word.removesuffix(way[0])
                if prefix != word or word == way[0]:
                    wanted = [prefix + part for part in way]
                    if sorted(wanted) == sorted(words):
                        return layout, [words.index(name) for name in wanted]
    return None
