"""The state of a task as a tree, and back: merged into another, it adds what the state itself would have added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from lossctl.data.roles.binding import Binding
from lossctl.engine.books import Buckets, Classes
from lossctl.engine.job import Job
from lossctl.engine.options import BUCKETS
from lossctl.engine.slices import Slices
from lossctl.engine.state import State
from lossctl.engine.wire.damage import array_of, count_of, damaged, item, reading
from lossctl.engine.wire.notes import error_in, error_out, findings_in, findings_out, number, whole
from lossctl.engine.wire.tallies import sums_in, sums_out, tally_in, tally_out
from lossctl.engine.wire.words import WordsIn, WordsOut, seen_in, seen_out
from lossctl.model.findings import Findings
from lossctl.model.penalised import Penalised
from lossctl.sums import Sums

__all__ = ["state_in", "state_out"]

Tree: TypeAlias = dict[str, Any]


def state_out(state: State) -> Tree:
    """What merging the state adds to another; its lists must have been closed (``State.rest``)."""
    slices = [list(column) for column in zip(*state.slices.codes, strict=True)]
    return {
        "jobs": [job_out(job) for job in state.jobs],
        "slices": slices,
        "read": state.read,
        "lists": state.lists,
        "counts": state.counts,
    }


def state_in(tree: Any, binding: Binding, jobs: Sequence[Job]) -> State:
    """The state of fresh twins (``Job.twin``) of the jobs that it is to be merged with.

    The vocabularies, which twins share, take on what the worker has seen as well. ``DataError`` (state) for what is no
    state of these jobs.
    """
    with reading():
        state = State(binding, list(jobs))
        trees = item(tree, "jobs", list)
        if [item(each, "loss", str) for each in trees] != [job.label for job in jobs]:
            raise damaged("it is of other losses")
        state.slices = slices_in(item(tree, "slices", list), len(binding.by))
        state.check_slices()
        state.read, state.lists = count_of(tree, "read"), count_of(tree, "lists")
        state.counts = array_of(tree, "counts", "i8", state.counts.shape, 0)
        for each, job in zip(trees, jobs, strict=True):
            job_in(each, job, max(1, len(state.slices.codes)))
        for each, job in zip(trees, jobs, strict=True):
            seen_in(item(each, "seen", dict), job.bound.vocabulary)
        return state


def slices_in(columns: list[Any], by: int) -> Slices:
    """The names of slices, column by column, in the order of their codes."""
    if len(columns) not in (0, by):
        raise damaged("its slices are by other columns")
    slices = Slices()
    for names in zip(*columns, strict=True):
        if not all(name is None or isinstance(name, str) for name in names):
            raise damaged("a slice has no name")
        if slices.codes.setdefault(names, len(slices.codes)) != len(slices.codes) - 1:
            raise damaged("a slice stands twice")
    return slices


def job_out(job: Job) -> Tree:
    if job.cutter is not None and job.cutter.waits:
        raise ValueError("a state whose lists are open cannot be written")
    words = WordsOut(job)
    beside, rows = Findings(), Findings()  # what stands beside all rows is checked by every process
    whole_roles = {i.role for i in job.spec.inputs if i.kind.whole}
    for key, finding in job.findings.by_rule.items():
        (beside if finding.role in whole_roles else rows).by_rule[key] = finding
    tree: Tree = {
        "loss": job.label,
        "findings": findings_out(rows),
        "beside": findings_out(beside),
        "tally": tally_out(job.tally, words.term),
        "infinite": job.infinite,
        "seen": seen_out(job.bound.vocabulary),
    }
    if isinstance(job.reduce, Penalised) and job.whole:
        finisher = job.finisher
        assert isinstance(finisher, Penalised)
        tree["price"] = finisher.known
    if job.columns:
        tree["columns"] = [tally_out(column, words.term) for column in job.columns]
    if job.classes is not None:
        tree["classes"] = classes_out(job.classes, words)
    if job.buckets is not None:
        tree["buckets"] = {"large": job.buckets.large, "tally": tally_out(job.buckets.tally, words.term)}
    for name, every in (("moments", job.moments), ("first", job.first_sums)):
        if every:
            tree[name] = {kind: {"groups": sums.groups, "sums": sums_out(sums)} for kind, sums in every.items()}
    if job.failed is not None:
        tree["failed"] = {"in": job.failed_in, "error": error_out(job.failed)}
    tree["labels"] = words.labels()
    return tree


def job_in(tree: Tree, job: Job, slices: int) -> None:
    words = WordsIn(job, item(tree, "labels", list))
    findings_in(item(tree, "findings", list), job.findings)
    beside_in(tree, job)
    job.tally = tally_in(item(tree, "tally", dict), job.tally, slices, words.term)
    job.infinite = count_of(tree, "infinite")
    for column in item(tree, "columns", list) if "columns" in tree else ():
        job.columns.append(tally_in(column, job.new_tally(), slices, words.term))
    if (job.classes is None, job.buckets is None) != ("classes" not in tree, "buckets" not in tree):
        raise damaged("it was made with other options")
    if job.classes is not None:
        classes_in(item(tree, "classes", dict), job.classes, slices, words)
    if job.buckets is not None:
        buckets_in(item(tree, "buckets", dict), job.buckets, slices, words)
    for name, every in (("moments", job.moments), ("first", job.first_sums)):
        for kind, sums in item(tree, name, dict).items() if name in tree else ():
            every[kind] = groups_in(sums, slices)
    if "failed" in tree:
        failed = item(tree, "failed", dict)
        job.failed, job.failed_in = error_in(item(failed, "error", dict)), whole(failed["in"])


def beside_in(tree: Tree, job: Job) -> None:
    """What is beside all rows: said once, whoever says it first."""
    shared = job.shared
    found = Findings()
    findings_in(item(tree, "beside", list), found)
    if found.by_rule and shared.whole is None and not shared.told:
        shared.told = True
        job.findings.merge(found)
    if "price" in tree and shared.whole is None:
        if not isinstance(job.reduce, Penalised):
            raise damaged("it has a price, and the loss has none")
        shared.reduce = Penalised(job.reduce.base, job.reduce.price, number(tree["price"]))


def groups_in(tree: Tree, most: int) -> Sums:
    groups = count_of(tree, "groups")
    if not 1 <= groups <= most:
        raise damaged(f"its groups are out of range ({groups:,} of {most:,})")
    return sums_in(tree["sums"], groups)


def classes_out(classes: Classes, words: WordsOut) -> Tree:
    """Slice and class of each group: a number, or the number of a label; NaN where there is no class."""
    slices = np.array([code for code, _ in classes.places], np.int64)
    labels = [label if label is None or not words.codes else words.number(label) for _, label in classes.places]
    found = np.array([np.nan if label is None else label for label in labels], np.float64)
    called = bool(words.codes)
    return {"slices": slices, "labels": found, "called": called, "tally": tally_out(classes.tally, words.term)}


def classes_in(tree: Tree, classes: Classes, slices: int, words: WordsIn) -> None:
    codes = array_of(tree, "slices", "i8", (None,), 0, slices - 1)
    labels = array_of(tree, "labels", "f8", (len(codes),)).tolist()
    if item(tree, "called", bool):
        labels = [label if label != label else float(words.code(label)) for label in labels]
    pairs = [(code, None if label != label else label) for code, label in zip(codes.tolist(), labels, strict=True)]
    classes.places = {pair: place for place, pair in enumerate(pairs)}
    if len(classes.places) != len(pairs):
        raise damaged("a class stands twice")
    classes.tally = tally_in(item(tree, "tally", dict), classes.tally, max(1, len(pairs)), words.term)


def buckets_in(tree: Tree, buckets: Buckets, slices: int, words: WordsIn) -> None:
    within = item(tree, "tally", dict)
    buckets.large = item(tree, "large", bool)
    if count_of(within, "groups") > 1:
        buckets.room_for(slices)
    buckets.tally = tally_in(within, buckets.tally, 2 * BUCKETS * slices, words.term)
