"""Columns to roles: which column of which file feeds each input of each loss.

Only schemas are looked at. What a name says about the numbers (``prob_...``, ``logit_...``) settles the
parameter ``input`` where the loss has one; a contradiction is a usage error with the call that works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lossctl.data.labels import ClassNames, Vocabulary
from lossctl.data.roles import columns as cols
from lossctl.data.roles.binding import (
    Batching,
    Binding,
    BoundCall,
    LeftOut,
    Ref,
    Request,
    input_of,
    is_text,
    left_out,
    nothing_fits,
)
from lossctl.data.roles.boxes import settle_boxes
from lossctl.data.roles.columns import Found
from lossctl.data.roles.detect import detect, may_be, search
from lossctl.data.roles.forms import settle_form
from lossctl.data.roles.spans import refuse_numbers, settle_sequences
from lossctl.data.source import Source
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.model.call import LossCall
from lossctl.model.spec import Input

__all__ = ["bind", "label_or_role"]


def label_or_role(
    request: Request, calls: Sequence[LossCall], sources: Sequence[Source], elsewhere: Mapping[str, int]
) -> Request:
    """The request, with ``positive`` as a label where some losses have no such input and it names no column."""
    text = request.roles.get("positive")
    if text is None or "positive" in elsewhere or all("positive" in call.entry.spec.roles for call in calls):
        return request
    known = {column.name for source in sources for column in source.columns}
    if text in known or any(part in known or "*" in part for part in text.split(",")):
        return request
    others = {role: columns for role, columns in request.roles.items() if role != "positive"}
    return request._replace(roles=others, positive=text)


def bind(calls: Sequence[LossCall], sources: list[Source], request: Request, elsewhere: Mapping[str, int]) -> Binding:
    """Find the columns of every role of every call.

    ``sources`` are the positional files in order, then those of ``--role FILE:COLS`` (``elsewhere``
    maps such a role to its source). Raises ``DataError`` and ``UsageError`` as the contract says.
    """
    positional = sources[: len(sources) - len(set(elsewhere.values()))]
    roles = {role for call in calls for role in call.entry.spec.roles}
    for role in request.roles:
        if role not in roles:
            named = ", ".join(call.name for call in calls)
            raise UsageError(
                f"--{role}: {named} has no such input", code="unknown-role", hint=f"it has: {', '.join(sorted(roles))}"
            )
    notes = [(("column-left-out"), f"{s.name}: {note}") for s in sources for note in getattr(s, "notes", ())]
    common = Common(request, sources, positional, elsewhere, notes, [])
    bound = [b for call in calls if (b := bind_or_note(call, common)) is not None]
    if not bound:
        raise nothing_fits(common.left)
    used = {(ref.source, name) for b in bound for ref in b.refs.values() for name in ref.columns}
    read = {sources[place].name for place, _ in used}
    for source in positional:
        if source.name not in read:
            raise UsageError(
                f"{source.name} holds no input: all of them come from elsewhere",
                code="unused-file",
                hint="leave it out, or name its columns: --pred, --target",
            )
    weight, mask = common.single("weight", request.weight), common.single("mask", request.mask)
    by = tuple(ref for name in request.by if (ref := common.single("by", name)) is not None)
    batching = common.batching(bound)
    beside = (weight, mask, batching.column if batching else None)
    used |= {(ref.source, name) for ref in (*by, *(r for r in beside if r)) for name in ref.columns}
    if request.weight is None:
        for place, source in enumerate(sources):
            for name in cols.weight_columns(source):
                if (place, name) not in used:
                    notes.append(
                        ("weight-unused", f'{source.name} has a column "{name}" that is not used: --weight {name}')
                    )
    keys = () if all(i.kind.unpaired for b in bound for i in b.call.entry.spec.inputs) else common.keys(used)
    if request.key and not keys:
        raise UsageError(
            f"--key: no row pairs the inputs of {', '.join(b.call.name for b in bound)}",
            code="bad-option",
            hint="leave --key out: each side is summed by itself",
        )
    if request.unmatched is not None and len(keys) < 2:
        raise UsageError(
            "--unmatched is about two files that are paired by key, and no key is in play",
            code="bad-option",
            hint="--key NAME names a column of both; without one rows are paired by position",
        )
    return Binding(sources, bound, weight, mask, by, keys, request.positive, notes, common.left, batching)


class Common(NamedTuple):
    """What binding one call needs to know of the whole."""

    request: Request
    sources: list[Source]
    positional: list[Source]
    elsewhere: Mapping[str, int]
    notes: list[tuple[str, str]]
    left: list[LeftOut]

    def single(self, role: str, name: str | None) -> Ref | None:
        """One column by its name, from whichever file has it."""
        if name is None:
            return None
        hits = [place for place, s in enumerate(self.sources) if name in {c.name for c in s.columns}]
        hits = hits or [place for place, s in enumerate(self.sources) if cols.has(s, name)]
        if not hits:
            raise cols.missing(self.sources[0], role, name)
        if len(hits) > 1 and role != "by":
            files = " and ".join(self.sources[place].name for place in hits)
            raise DataError(
                f'--{role}: column "{name}" is in {files}', code="ambiguous-column", hint="rename one of them"
            )
        return Ref(hits[0], (name,))

    def batching(self, bound: Sequence[BoundCall]) -> Batching | None:
        """Which rows are a batch, where any loss sees its rows in batches."""
        size, column = self.request.batch_size, self.request.batch
        option = "--batch" if size is None else "--batch-size"
        if not any(b.call.entry.spec.scope == "batch" for b in bound):
            if size is not None or column is not None:
                named = ", ".join(b.call.name for b in bound)
                raise UsageError(f"{option}: {named} looks at rows one by one", code="bad-option", hint="leave it out")
            return None
        if size is not None and column is not None:
            raise UsageError("--batch and --batch-size both say what a batch is", code="bad-option", hint="one of them")
        if size is not None and size < 1:
            raise UsageError(f"batch_size = {size} is no whole number >= 1", code="bad-option")
        return Batching(size, self.single("batch", column))

    def keys(self, used: set[tuple[int, str]]) -> tuple[Ref, ...]:
        """Key columns: as named by --key, or found in each of two files."""
        places = range(len(self.positional))
        if self.request.key:
            refs = []
            for place in places:
                absent = [name for name in self.request.key if not cols.has(self.positional[place], name)]
                if absent and (len(self.positional) == 1 or self.positional[place].format not in {"npy"}):
                    raise cols.missing(self.positional[place], "key", absent[0])
                if not absent:
                    refs.append(Ref(place, self.request.key))
            if not refs:
                raise cols.missing(self.positional[0], "key", self.request.key[0])
            return tuple(refs)
        if len(self.positional) < 2:
            return ()
        found = [[n for n in cols.key_columns(self.positional[p]) if (p, n) not in used] for p in places]
        if not all(found):
            return ()
        for place, names in enumerate(found):
            if len(names) > 1:
                raise DataError(
                    f"two columns could be the key: {' and '.join(names)}",
                    code="ambiguous-column",
                    file=self.positional[place].name,
                    hint=f"say which: --key {names[0]}",
                )
        return tuple(Ref(place, tuple(names)) for place, names in enumerate(found))

    def is_positional(self, role: str) -> bool:
        """Whether a role is in the positional files: not if it is taken from another file than these."""
        place = self.elsewhere.get(role)
        return place is None or self.sources[place].name in {source.name for source in self.positional}

    def source_of(self, entry: Input, spec_inputs: Sequence[Input]) -> int | None:
        """Which file holds a role: the one table, its side of two files, or a file of its own.

        ``None`` where there is no file left for an optional role.
        """
        if entry.role in self.elsewhere:
            return self.elsewhere[entry.role]
        inputs = [i for i in spec_inputs if self.is_positional(i.role)]
        files = len(self.positional)
        if files == 0 and entry.optional:
            return None
        if files == 0:
            raise UsageError(f"no file for {entry.role}", code="no-input", hint=f"--{entry.role} FILE:COLUMN")
        if files == 1:
            return 0
        if files == 2 and {i.side for i in inputs} == {"P", "T"}:
            return 0 if entry.side == "P" else 1
        if sum(not i.optional for i in inputs) <= files <= len(inputs):
            place = inputs.index(entry)
            return place if place < files else None
        roles = ", ".join(f"{i.role} (optional)" if i.optional else i.role for i in inputs)
        hint = "one table with all of them" + (f", or {len(inputs)} files in that order" if len(inputs) > 1 else "")
        if files > len(inputs):
            hint += "; many files of one data set: quote the pattern, as in 'part-*.csv', or name the folder"
        raise UsageError(f"{files} files for the inputs {roles}", code="file-count", hint=hint)


def bind_or_note(call: LossCall, common: Common) -> BoundCall | None:
    """The call bound; ``None`` and a note if it belongs to a set and does not fit the columns."""
    try:
        if call.of_set is not None and len(common.positional) == 2:
            refuse_two_predictions(call)
        bound = bind_call(call, common)
        bound.call.refuse_idle()
        if call.of_set is not None:
            refuse_words(bound, common)
            refuse_numbers(bound, common.sources)
    except LossctlError as error:
        if call.of_set is None:
            raise
        common.left.append(left_out(call, error))
        return None
    return bound


def refuse_two_predictions(call: LossCall) -> None:
    """Raise where the second of two files would be no target: it is one for the other losses of a set."""
    inputs = call.entry.spec.inputs
    if len(inputs) > 1 and {i.side for i in inputs} == {"P"}:
        roles = " and ".join(i.role for i in inputs)
        raise UsageError(f"it takes {roles}, and the second file holds targets", code="file-count")


def refuse_words(bound: BoundCall, common: Common) -> None:
    """Raise where a column of words stands for numbers: before a reader does, who cannot leave a loss out."""
    for role, ref in bound.refs.items():
        rows = input_of(bound.call, role).kind.decode(bound.call.params, bound.width) in {"units", "sequence"}
        if not rows and not is_text(bound, role, common.sources, common.request.positive):
            for name in ref.columns:
                column = cols.column_of(common.sources[ref.source], name)
                if column.type in {"text", "other"} or column.uneven:
                    raise DataError(f'{role} = "{name}" is {column.dtype}, and must be numbers', code="dtype")


def bind_call(call: LossCall, common: Common) -> BoundCall:
    """Find the columns of one call's roles; settle ``input`` by what the names say."""
    inputs = call.entry.spec.inputs
    found: dict[str, Found] = {}
    places: dict[str, int] = {}
    for entry in inputs:
        text = common.request.roles.get(entry.role)
        place = common.source_of(entry, inputs)
        if place is None:
            continue
        places[entry.role] = place
        source = common.sources[place]
        given = [name for role in ("pred", "target") if (name := common.request.roles.get(role))]
        beside = [i for i in inputs if i is not entry and common.source_of(i, inputs) == place]
        lone = len(common.sources) > 1 and all(i.optional for i in beside) and not (entry.optional and beside)
        if text is not None:
            found[entry.role] = cols.explicit(source, entry.role, text)
        elif not entry.optional or lone:  # a file of its own is not there for nothing
            found[entry.role] = detect(call, entry, source, given, found, lone=lone)
        elif (hit := search(call, entry, source, given)) is not None and may_be(call, entry, source, hit):
            found[entry.role] = hit
    refuse_two_tables(call, found, places, common)
    call = settle_sequences(call, found, places, common.sources)
    call = settle_boxes(call, found, {role: common.sources[place] for role, place in places.items()})
    pred = found.get("pred")
    if pred is not None and "pred" in places:
        call = settle_form(call, pred, common.sources[places["pred"]])
        if pred.form in {"probs", "log-probs"} and input_of(call, "pred").kind.unbounded:
            text = f'{call.name} takes scores on the whole line, and the name of "{pred.columns[0]}" says {pred.form}'
            common.notes.append(("scores-expected", text))
    refs = {role: Ref(places[role], f.columns) for role, f in found.items()}
    return finish(call, found, refs, common)


def refuse_two_tables(call: LossCall, found: Mapping[str, Found], places: Mapping[str, int], common: Common) -> None:
    """Raise where each of two files has predictions and targets: which belongs to which is not for us to say.

    A shell makes two tables of an unquoted pattern.
    """
    roles = ("pred", "target")
    if any(role in common.request.roles or role not in places for role in roles) or len(common.positional) != 2:
        return
    one, two = (common.sources[places[role]] for role in roles)
    if one is two or not all(has_role(call, role, source) for role in roles for source in (one, two)):
        return
    raise DataError(
        f"{one.name} and {two.name} both have predictions and targets",
        code="ambiguous-files",
        file=two.name,
        hint=f"each by itself: lossctl score {call.name} {one.name} {two.name}; all as one: quote the pattern; or say "
        f"which columns: --pred {found['pred'].columns[0]} --target {found['target'].columns[0]}",
    )


def has_role(call: LossCall, role: str, source: Source) -> bool:
    try:
        return search(call, input_of(call, role), source, ()) is not None
    except DataError:  # several could be it
        return True


def finish(call: LossCall, found: dict[str, Found], refs: dict[str, Ref], common: Common) -> BoundCall:
    """Class order, and members of families in one order on both sides."""
    pred = found.get("pred")
    width = None
    if pred is not None:
        column = cols.column_of(common.sources[refs["pred"].source], pred.columns[0])
        width = len(pred.columns) if len(pred.columns) > 1 else column.width
    names: Sequence[str] | None = common.request.classes if pred is None else None
    if pred is not None and width is not None:
        names = pred.suffixes
        wanted = common.request.classes
        if column.classes is not None and len(pred.columns) == 1:
            names = cols.class_names(common.sources[refs["pred"].source], column, wanted)
        elif wanted is not None and names is not None and set(wanted) == set(names):
            order = [names.index(name) for name in wanted]
            refs["pred"] = refs["pred"]._replace(columns=tuple(pred.columns[i] for i in order))
            names = wanted
        elif wanted is not None:
            if width and len(wanted) != width:
                raise DataError(
                    f"--classes names {len(wanted)} classes, and there are {width} scores: {cols.listed(pred.columns)}",
                    code="class-count",
                    file=common.sources[refs["pred"].source].name,
                )
            if names is not None:
                text = f"--classes takes the place of the names in the columns, in this order: {', '.join(names)}"
                common.notes.append(("classes-renamed", text))
            names = wanted
    target = found.get("target")
    if target is not None and not input_of(call, "target").kind.parallel:
        target = None
    if target is not None and names is not None and target.suffixes is not None:
        refs["target"] = refs["target"]._replace(columns=aligned(target, names, common.sources[refs["target"].source]))
    elif target is not None and pred is not None and pred.suffixes and target.suffixes:
        refs["target"] = refs["target"]._replace(
            columns=aligned(target, pred.suffixes, common.sources[refs["target"].source])
        )
    inputs = call.entry.spec.inputs
    if not any(i.kind.columns == "classes" or i.kind.decode(call.params, width) == "class" for i in inputs):
        names = None  # suffixes of outputs are no classes
    return BoundCall(call, refs, ClassNames(names, width or None), width, Vocabulary())


def aligned(target: Found, order: Sequence[str], source: Source) -> tuple[str, ...]:
    """Target columns in the order of the prediction columns, matched by suffix."""
    suffixes = list(target.suffixes or ())
    if set(suffixes) == set(order):
        return tuple(target.columns[suffixes.index(name)] for name in order)
    if len(suffixes) != len(order):
        return target.columns  # the loss says what is wrong with the shapes
    raise DataError(
        f"prediction and target columns do not match: {cols.listed(list(order))} against {cols.listed(suffixes)}",
        code="columns-differ",
        file=source.name,
        hint="name both in one order: --pred a,b,c --target x,y,z",
    )
