"""Tables of the manual, drawn from the code that obeys them: names, formats, statuses, documents, conventions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lossctl import errors, index
from lossctl.report.catalogue import convention
from lossctl.report.page import Block, Item, Line, Para, Section, bold, literal, say

__all__ = ["TABLES", "schemas", "statuses"]

# Words for formats; one without words is listed all the same.
READ = {
    "csv": "Comma-separated text with a header, in UTF-8. `--delimiter` names another separator, `--no-header` makes "
    "the columns 1, 2, 3, ... Cells that are empty, NA, NaN or null are missing in a numeric column.",
    "tsv": "The same, separated by tabs.",
    "parquet": "Only the columns that are needed are read. Lists of one length are vectors; lists of any length, of "
    "words and of lists are sequences.",
    "arrow": "Arrow IPC files and streams, Feather (version 2) among them.",
    "jsonl": "One JSON object on each line, or one array of objects; a dotted path names a value within it, and behind "
    "a list of objects that value of each (choices.0.logprobs.content.logprob). A file of Whisper is one row.",
    "text": "Numbers without a header, between commas, tabs or blanks, as numpy.savetxt writes them; the columns are "
    "1, 2, 3, ...",
    "lines": "Plain text, one row a line, in the column text. Losses that compare text read two files `.txt`, `.ref`, "
    "`.hyp` or without a known extension so. Only LF or CRLF ends a line; blank lines are rows.",
    "kaldi": "Transcripts, on each line an utterance id and the words: the columns utt_id and text.",
    "trn": "Transcripts as sclite reads them, `words (utterance-id)`: the columns utt_id, text and speaker. Lines that "
    "begin with ;; are comments.",
    "npy": "One array: N, N x D or N x C numbers, in any byte order. Pickles are never opened.",
    "npz": "Several arrays by name, one for each input.",
}
WRITTEN = {
    "table": "for people; the default on a terminal",
    "plain": "tab-separated records with every digit; the default in a pipe",
    "csv": "comma-separated records with every digit",
    "json": "one document, see `lossctl help json`",
    "jsonl": "one record on each line",
    "markdown": "a table for a report",
    "value": "one bare number on each line",
}


def input_formats() -> Iterator[Block]:
    from lossctl.data.formats import FORMATS

    yield from (Item(bold(name), (say(READ.get(name, "")),)) for name in FORMATS)


def output_formats() -> Iterator[Block]:
    from lossctl.report.output import EXTENSIONS
    from lossctl.report.render import FORMATS

    extensions = {form: f" (`-o` with `{extension}`)" for extension, form in EXTENSIONS.items()}
    yield from (Item(bold(name), (say(WRITTEN.get(name, "") + extensions.get(name, "")),)) for name in FORMATS)


# How people write the words that the tables of names hold without case and separators.
SPELLINGS = (
    "y_true y_pred y_hat y_prob y_proba y_score y_logit label_ids ground_truth pred_text generated_text log_prob "
    "log_probs row_id sample_id example_id doc_id utt_id query_id sample_weight"
)
SPELLED = {word.replace("_", ""): word for word in SPELLINGS.split()}


def spelled(names: Sequence[str]) -> str:
    """The words as people write them."""
    return ", ".join(SPELLED.get(name, name) for name in names)


def ranked(role: str, ranks: Sequence[Sequence[str]]) -> Item:
    return Item(bold(role), (literal("; ".join(map(spelled, ranks))),))


def roles() -> Iterator[Block]:
    from lossctl.data.roles import columns as cols

    families = ", ".join(f"{prefix}<c>" for prefix in cols.PREFIXES)
    lists = "; ".join(map(spelled, cols.CLASS_LISTS))
    yield ranked("target", cols.TARGET)
    yield ranked("target of a ranking", cols.RANKING_TARGET)
    yield ranked("pred", cols.PRED)
    yield ranked("one positive score", cols.SCORE)
    yield Item(bold("class scores"), (literal(f"one family of columns: {families}; or one column of lists: {lists}"),))
    yield from (ranked(role, ranks) for role, ranks in cols.ALSO.items())


def forms() -> Iterator[Block]:
    from lossctl.data.roles import columns as cols

    for form, names in cols.FORMS.items():
        prefixes = [f"{prefix}<c>" for prefix, said in cols.PREFIXES.items() if said == form]
        yield Item(bold(form), (literal(", ".join([*prefixes, spelled(sorted(names))])),))


def keys() -> Iterator[Block]:
    from lossctl.data.roles.columns import KEY

    yield Para(literal(spelled(KEY)))


def weights() -> Iterator[Block]:
    from lossctl.data.roles.columns import WEIGHT

    yield Para(literal(spelled(WEIGHT)))


def statuses() -> dict[int, str]:
    """Every exit status and what it means; those of errors from the errors themselves."""
    kinds = subclasses(errors.LossctlError)
    found = {
        0: "Done; every bound held.",
        1: "Only a verdict: a value is beyond its bound.",
        **{kind.exit: (kind.__doc__ or "").partition(" (exit")[0].rstrip(".") + "." for kind in kinds},
        errors.BUG: "A bug in lossctl. Run again with --debug, and report the traceback.",
        errors.INTERRUPTED: "Interrupted (Ctrl-C).",
        errors.CLOSED_PIPE: "The reader of standard output went away.",
        128 + 15: "Ended by a signal (SIGTERM).",
    }
    return dict(sorted(found.items()))


def subclasses(kind: type[errors.LossctlError]) -> Iterator[type[errors.LossctlError]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def status_items() -> Iterator[Block]:
    yield from (Item(bold(str(status)), (literal(words),)) for status, words in statuses().items())


def schemas() -> dict[str, dict[str, Any]]:
    """Every JSON Schema that ships, by the name of its document."""
    import os

    from lossctl.report.jsonout import schema

    folder = os.path.join(os.path.dirname(__file__), "schemas")
    every = [schema(file.removesuffix(".json")) for file in sorted(os.listdir(folder))]
    return {found["title"]: found for found in every}


def documents() -> Iterator[Block]:
    for name, schema in schemas().items():
        yield from (Section(name), Para(literal(schema.get("description", ""))))
        for key, member in schema["properties"].items():
            yield Item(bold(key), (literal(member_words(member, schema)),))


def member_words(member: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a schema says about one of its members."""
    if "const" in member:
        return f"always {member['const']}"
    part = member.get("items", member)
    target: Mapping[str, Any] = schema.get("$defs", {}).get(part.get("$ref", "").rpartition("/")[2], {})
    said = member.get("description") or target.get("description") or ""
    inner = ", ".join(part.get("properties") or target.get("properties") or ())
    if inner:
        inner = f"each with {inner}" if "items" in member else f"holds {inner}"
    choices = ", ".join(map(str, member.get("enum", ())))
    kind = member.get("type", target.get("type", "anything"))
    kind = f"one of {choices}" if choices else kind if isinstance(kind, str) else " or ".join(kind)
    return "; ".join(filter(None, [said.rstrip("."), inner])) or kind


REDUCTIONS = {
    "mean": "What it divides by is the loss's own business and is printed: rows, elements, or weights.",
    "sum": "Everything added up; with weights, each value times its weight.",
    "none": "No reduction: one record for each row.",
    "min": "The least value of a row.",
    "max": "The greatest value of a row.",
    "median": "The middle value, exact whatever the size.",
    "pNN": "A quantile such as p90, by linear interpolation between the two nearest values.",
    "std": "The standard deviation of a sample (n - 1).",
    "prod": "The product, by way of an exact sum of logarithms.",
    "set": "One number for the whole data set, in which rows have no part of their own.",
}


def reductions() -> Iterator[Block]:
    """What each reduction is, and the losses that have it by default."""
    defaults: dict[str, list[str]] = {}
    for name in index.names():
        views = index.record(name)["reductions"]
        for view in views:
            defaults.setdefault(view, [])
        defaults[views[0]].append(name)
    order = [view for view in REDUCTIONS if view in defaults] + sorted(set(defaults) - set(REDUCTIONS))
    usual = max(defaults, key=lambda view: len(defaults[view]))
    for view in order:
        body: list[Line] = [say(REDUCTIONS.get(view, ""))]
        if view == usual:
            body.append(literal("The default of most losses."))
        elif defaults[view]:
            body.append(literal(f"The default of {', '.join(defaults[view])}."))
        yield Item(bold(view), tuple(body))


def conventions() -> Iterator[Block]:
    """What --like changes, library by library, from the declarations."""
    table: dict[str, list[Block]] = {}
    for name in index.names():
        for library, preset in index.record(name)["like"].items():
            table.setdefault(library, []).append(Item(bold(name), (literal(convention(preset)),)))
    for library, items in sorted(table.items()):
        yield from (Section(f"--like {library}"), *items)


TABLES: dict[str, Callable[[], Iterator[Block]]] = {
    "input-formats": input_formats,
    "output-formats": output_formats,
    "roles": roles,
    "forms": forms,
    "keys": keys,
    "weights": weights,
    "statuses": status_items,
    "documents": documents,
    "reductions": reductions,
    "conventions": conventions,
}
