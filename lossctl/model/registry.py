"""The declaration of a loss, and the shelf where declared losses stand.

``@loss`` reads the signature and docstring of a kernel, builds a frozen ``LossSpec`` and registers it.
Name = function name, family = its package, parameters = the keyword-only arguments and those that the
kinds of its inputs bring along, inputs = the positional arguments.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from lossctl import index
from lossctl.model.batch import settle, values_of
from lossctl.model.findings import Seen
from lossctl.model.kinds import Kind
from lossctl.model.laws import Law
from lossctl.model.params import Value, annotated_params
from lossctl.model.reduce import Reduction, Switch
from lossctl.model.spec import Arrays, Detail, Equivalent, Input, LossSpec, Paper, Prelude, Preset, Scope

__all__ = ["Entry", "Loss", "entries", "get", "loss"]


class Entry(NamedTuple):
    """A canonical name: a loss, or a loss with parameters set."""

    name: str
    title: str
    summary: str
    spec: LossSpec
    fixed: Mapping[str, Value]
    aliases: tuple[str, ...]


_entries: dict[str, Entry] = {}
_owner: dict[str, str] = {}  # every name and alias -> the module that declared it


class Loss:
    """A declared loss as a function: ``huber(pred, target, delta=1.0)`` gives (N,) float64 values.

    Inputs may be anything that holds numbers (lists, NumPy, pandas, Arrow); they are checked by kind.
    Losses of a whole data set (r2) return one float. ``kernel`` is the plain NumPy function below it.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.spec = entry.spec
        self.kernel = entry.spec.kernel
        self.__name__ = entry.name.replace("-", "_")
        self.__doc__ = (
            f"{entry.summary}\n\n{(inspect.getdoc(entry.spec.kernel) or '').partition(chr(10))[2].strip(chr(10))}"
        )
        self.__module__ = entry.spec.module
        self.__wrapped__ = entry.spec.kernel

    def __repr__(self) -> str:
        return f"<loss {self.entry.name}>"

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if self.spec.derive is not None and "loss" in params:
            from lossctl.model.derived import derived

            made, params = derived(self.entry, params)
            return Loss(made)(*inputs, **params)
        given = {entry.role: a for entry, a in zip(self.spec.slots(len(inputs)), inputs, strict=False)}
        for entry in self.spec.inputs:
            word = entry.role.replace("-", "_")
            if (entry.optional or entry.kind.unpaired) and word in params:
                given[entry.role] = params.pop(word)
        missing = [i.role for i in self.spec.inputs if not i.optional and i.role not in given]
        if missing or len(inputs) > len(self.spec.inputs):
            roles = ", ".join(f"{i.role} (optional)" if i.optional else i.role for i in self.spec.inputs)
            raise TypeError(f"{self.__name__} takes the inputs {roles}; got {len(inputs)}")
        values = settle(self.entry, params)
        self.spec.refuse_idle(params, values)
        return values_of(self.spec, {role: a for role, a in given.items() if a is not None}, values)


def loss(
    *,
    title: str,
    reduce: Reduction | Switch,
    unit: str,
    range: str,
    laws: Iterable[Law] = (),
    aliases: tuple[str, ...] = (),
    presets: tuple[Preset, ...] = (),
    paper: Paper | None = None,
    see: tuple[str, ...] = (),
    tasks: tuple[str, ...] = (),
    scope: Scope = "row",
    direction: Literal["minimise", "maximise"] = "minimise",
    like: Mapping[str, Mapping[str, Any]] | None = None,
    equivalents: tuple[Equivalent, ...] = (),
    traps: tuple[str, ...] = (),
    prelude: Prelude | None = None,
    align: Callable[[Arrays, Mapping[str, Value]], str | None] | None = None,
    checks: Callable[[Arrays, Mapping[str, Value]], list[Seen]] | None = None,
    details: tuple[Detail, ...] = (),
    derive: Callable[[Mapping[str, Any], Mapping[str, Any]], float] | None = None,
    units: Mapping[str, Mapping[str, str]] | None = None,
) -> Callable[[Callable[..., Any]], Loss]:
    """Declare the decorated kernel as a loss; see CONTRIBUTING for the four steps.

    ``tasks`` are words people search by ("outliers", "imbalanced classes"), beyond those of title and summary.
    """

    def declare(kernel: Callable[..., Any]) -> Loss:
        doc = inspect.getdoc(kernel) or ""
        summary, _, rest = doc.partition("\n")
        own = annotated_params(kernel)
        inputs = _inputs(kernel)
        brought = {name: p for i in inputs for name, p in i.kind.params().items()}
        switch = reduce if isinstance(reduce, Switch) else None
        spec = LossSpec(
            name=kernel.__name__.replace("_", "-"),
            family=kernel.__module__.split(".")[-2].replace("_", "-"),
            module=kernel.__module__,
            kernel=kernel,
            title=title,
            summary=summary,
            formula=_formula(rest),
            inputs=inputs,
            params={**own, **brought},
            kernel_params=tuple(own),
            reduce=reduce.cases[str(own[reduce.param].default)] if isinstance(reduce, Switch) else reduce,
            switch=switch,
            unit=unit,
            range=range,
            laws=frozenset(laws),
            scope=scope,
            direction=direction,
            aliases=aliases,
            presets=presets,
            paper=paper,
            see=see,
            tasks=tasks,
            like=like or {},
            equivalents=equivalents,
            traps=traps,
            prelude=prelude,
            align=align,
            checks=checks,
            details=details,
            units=units or {},
            derive=derive,
        )
        entry = Entry(spec.name, title, summary, spec, {}, aliases)
        register(entry)
        for preset in presets:
            register(Entry(preset.name, preset.title, preset.summary, spec, preset.params, preset.aliases))
        return Loss(entry)

    return declare


def _inputs(kernel: Callable[..., Any]) -> tuple[Input, ...]:
    hints = typing.get_type_hints(kernel, include_extras=True)
    code = kernel.__code__
    defaults = kernel.__defaults__ or ()
    last = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    optional = [role for role, default in zip(last, defaults, strict=True) if default is None]
    inputs = []
    for role in code.co_varnames[: code.co_argcount]:
        kinds = [note for note in getattr(hints.get(role), "__metadata__", ()) if isinstance(note, Kind)]
        if len(kinds) != 1:
            raise TypeError(f"{kernel.__module__}.{kernel.__name__}({role}): an input needs Annotated[..., Kind]")
        inputs.append(Input(role.replace("_", "-"), kinds[0], role in optional))
    return tuple(inputs)


def _formula(doc: str) -> str:
    """The docstring between summary and doctest."""
    return doc.split(">>>")[0].strip("\n").rstrip()


def register(entry: Entry) -> None:
    """Put a name on the shelf; two declarations of one name are an error that names both files."""
    place = f"{entry.spec.module} ({entry.name})"
    names = (entry.name, *entry.aliases)
    for name in names:
        if name in _owner or names.count(name) > 1:
            raise ImportError(f"the name {name} is declared twice: in {_owner.get(name, place)} and in {place}")
    _owner.update(dict.fromkeys(names, place))
    _entries[entry.name] = entry


def get(name: str) -> Entry:
    """The entry for any name or alias; its module is imported only now."""
    canonical = index.resolve(name)
    if canonical not in _entries:
        importlib.import_module(index.record(canonical)["module"])
    return _entries[canonical]


def entries() -> Iterator[Entry]:
    """Every loss, in name order: imports all of them."""
    importlib.import_module("lossctl.losses").discover()
    for name in sorted(_entries):
        yield _entries[name]


def door(name: str) -> Loss:
    return Loss(get(name))
