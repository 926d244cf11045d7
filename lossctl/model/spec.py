"""What a loss is: one frozen record, read off the declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from numpy.typing import NDArray

from lossctl.errors import DataError, UsageError
from lossctl.model.params import value_text
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.model.findings import Seen
    from lossctl.model.kinds import Kind
    from lossctl.model.laws import Law
    from lossctl.model.params import Param, Value
    from lossctl.model.reduce import Reduction, Switch, Term

__all__ = ["Detail", "Equivalent", "Input", "LossSpec", "Paper", "Prelude", "Preset", "Scope"]

Arrays: TypeAlias = "dict[str, Any]"  # NumPy arrays by role, and Ragged rows where they have any length
# What must be seen together: a row, the rows of a list, those of a batch, or all of them.
Scope: TypeAlias = Literal["row", "group", "batch", "dataset"]

# Which of two files holds a role: predictions or targets.
TARGETS_SIDE = frozenset({"target", "group", "target-lengths"})


class Paper(NamedTuple):
    """Where a loss comes from."""

    authors: str
    year: int
    title: str
    doi: str | None = None

    def __str__(self) -> str:
        tail = f" doi:{self.doi}" if self.doi else ""
        return f"{self.authors} ({self.year}). {self.title}.{tail}"


class Input(NamedTuple):
    """One positional argument of the kernel; ``optional`` where it has a default of ``None``."""

    role: str
    kind: Kind
    optional: bool = False

    @property
    def side(self) -> Literal["P", "T"]:
        return "T" if self.role in TARGETS_SIDE else "P"


class Equivalent(NamedTuple):
    """The same number elsewhere: a library, the call, and how it differs where it does."""

    library: str
    call: str
    note: str = ""


class Preset(NamedTuple):
    """A canonical name for this loss with parameters set."""

    name: str
    title: str
    summary: str
    params: Mapping[str, Value]
    aliases: tuple[str, ...] = ()


class Prelude(NamedTuple):
    """A statistic that must be known before any row value: a sum over a first pass.

    It runs while ``params[param] == when`` (and ``also`` holds); ``terms`` gives what is summed and
    ``finish`` makes the parameter's value from the sums.
    """

    param: str
    when: Value
    terms: Callable[[Arrays], dict[str, Term]]
    finish: Callable[[Mapping[str, float]], float]
    also: Mapping[str, Value] = {}

    def needed(self, params: Mapping[str, Value]) -> bool:
        return params[self.param] == self.when and all(params[k] == v for k, v in self.also.items())


class Detail(NamedTuple):
    """Something to read beside the value of a row, such as decoded text; made for the rows that are shown.

    ``make(arrays, params)`` gives one thing a row that JSON can hold. ``when`` says for which parameters it is
    there; ``None``: only where alignments are asked for.
    """

    name: str
    make: Callable[[Arrays, Mapping[str, Value]], list[Any]]
    when: Callable[[Mapping[str, Value]], bool] | None = None


class LossSpec(NamedTuple):
    """A loss, as declared. ``kernel`` is the plain NumPy function."""

    name: str
    family: str
    module: str
    kernel: Callable[..., Any]
    title: str
    summary: str
    formula: str
    inputs: tuple[Input, ...]
    params: Mapping[str, Param]
    kernel_params: tuple[str, ...]
    reduce: Reduction  # at the default parameters
    unit: str
    range: str
    laws: frozenset[Law]
    scope: Scope
    direction: Literal["minimise", "maximise"]
    aliases: tuple[str, ...]
    presets: tuple[Preset, ...]
    paper: Paper | None
    see: tuple[str, ...]
    tasks: tuple[str, ...]
    like: Mapping[str, Mapping[str, Any]]
    equivalents: tuple[Equivalent, ...]
    traps: tuple[str, ...]
    prelude: Prelude | None
    align: Callable[[Arrays, Mapping[str, Value]], str | None] | None
    checks: Callable[[Arrays, Mapping[str, Value]], list[Seen]] | None
    switch: Switch | None = None
    details: tuple[Detail, ...] = ()
    derive: Callable[[Mapping[str, Any], Mapping[str, Any]], float] | None = None  # what it adds to another loss
    units: Mapping[str, Mapping[str, str]] = {}  # the unit where a parameter has some value, if it is another one

    def unit_of(self, params: Mapping[str, Value]) -> str:
        """The unit of the value under these parameters."""
        found = (units.get(str(params[name])) for name, units in self.units.items())
        return next((unit for unit in found if unit is not None), self.unit)

    def reduction(self, params: Mapping[str, Value]) -> Reduction:
        """The reduction under these parameters."""
        return self.reduce if self.switch is None else self.switch.cases[str(params[self.switch.param])]

    @property
    def views(self) -> tuple[str, ...]:
        """Every reduction a user may ask for, the default first, whatever the parameters."""
        every = [self.reduce] if self.switch is None else [self.reduce, *self.switch.cases.values()]
        return tuple(dict.fromkeys(view for reduce in every for view in reduce.views))

    @property
    def per(self) -> str:
        """What one sample is at the default parameters: row, element, group or dataset."""
        return self.sample_of(self.reduce)

    def sample_of(self, reduce: Reduction) -> str:
        if self.scope == "group" or reduce.batchwise:
            return "group"
        if reduce.views == ("set",):
            return "dataset"
        return "element" if reduce.row_mode else "row"

    @property
    def reads_text(self) -> bool:
        """Whether sentences are compared: files may then be lines of text."""
        return any(i.kind.name == "text" for i in self.inputs)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(i.role for i in self.inputs)

    def resolve(self, given: Mapping[str, Value], soft: Mapping[str, Value] | None = None) -> dict[str, Value]:
        """All parameters in declaration order: what was given, else ``soft``, else the defaults.

        A conditional parameter that does not act stands at its ``off`` value.
        """
        for name in given:
            if name not in self.params:
                known = ", ".join(self.params) or "none"
                raise UsageError(
                    f"{self.name} has no parameter {name}", code="unknown-parameter", hint=f"it has: {known}"
                )
        said = {**(soft or {}), **given}
        values = {name: p.check(said[name]) if name in said else p.default for name, p in self.params.items()}
        for name, param in self.params.items():
            if param.when is not None and values[param.when.param] not in param.when.values:
                values[name] = param.when.off
        return values

    def refuse_idle(self, given: Mapping[str, Value], values: Mapping[str, Value]) -> None:
        """Raise for a parameter that was given and does not act."""
        for name, value in given.items():
            when = self.params[name].when
            if when is not None and values[when.param] not in when.values and value != when.off:
                wanted = "|".join(value_text(v) for v in when.values)
                raise UsageError(
                    f"{self.name}: {name} acts only with {when.param}={wanted}, and {when.param} is "
                    f"{value_text(values[when.param])}",
                    code="idle-parameter",
                    hint=f"leave {name} out, or change {when.param}",
                )

    def slots(self, count: int) -> tuple[Input, ...]:
        """The inputs that so many arrays in order stand for: those that are needed, if there are no more, else all."""
        needed = tuple(i for i in self.inputs if not i.optional)
        return needed if count == len(needed) else self.inputs

    def rowwise(self, arrays: Mapping[str, Any]) -> list[Input]:
        """The inputs given that have a value for each row."""
        return [i for i in self.inputs if i.role in arrays and not i.kind.whole]

    def whole(self, arrays: Mapping[str, Any]) -> list[Input]:
        """The inputs given that stand beside all rows, such as class prototypes."""
        return [i for i in self.inputs if i.role in arrays and i.kind.whole]

    def run(self, arrays: Arrays, params: Mapping[str, Value]) -> Any:
        """The kernel's output for arrays of all inputs that were given."""
        inputs = {i.role.replace("-", "_"): arrays[i.role] for i in self.inputs if i.role in arrays}
        return self.kernel(**inputs, **{name: params[name] for name in self.kernel_params})

    def class_count(self, arrays: Mapping[str, Any], params: Mapping[str, Value]) -> int | None:
        """How many classes the arrays speak of; ``None`` where nothing says so."""
        pred = arrays.get("pred")
        if pred is not None and pred.ndim == 2 and not isinstance(pred, Ragged):
            return int(pred.shape[1])
        counts = (i.kind.class_count(arrays[i.role], params) for i in self.inputs if i.role in arrays)
        return next((count for count in counts if count is not None), None)

    def fit(self, arrays: Arrays, params: Mapping[str, Value]) -> Arrays:
        """Arrays in the shapes the kernel wants, or a ``DataError`` that states both shapes.

        (N, 1) is taken as (N,) on purpose where a row is not a vector; nothing else is broadcast.
        """
        fitted = dict(arrays)
        for entry in self.inputs:
            if entry.role not in arrays or entry.kind.mapping:
                continue
            array = arrays[entry.role]
            if array.ndim == 2 and entry.kind.flat and array.shape[1] == 1:
                array = array[:, 0]
            dims = {part.count(" ") + 1 for part in entry.kind.axes.split(" | ")}
            if array.ndim == 1 and dims == {2} and not entry.kind.flat and entry.kind.lift:
                array = array[:, None]
            if array.ndim not in dims:
                shape = shape_of(array) if entry.kind.whole else shape_text(array)
                raise DataError(
                    f"{self.name}: {entry.role} is {shape}, and must be {entry.kind.axes}: {entry.kind.phrase}",
                    code="shape",
                )
            fitted[entry.role] = array
        trouble = (self.align or same_shapes(self))(fitted, params)
        if trouble is not None:
            whole = {entry.role for entry in self.whole(fitted)}
            shapes = ", ".join(
                f"{role} is {shape_of(a) if role in whole else shape_text(a)}"
                for role, a in fitted.items()
                if hasattr(a, "shape")
            )
            raise DataError(f"{self.name}: {trouble}: {shapes}", code="shapes-differ", hint="nothing is broadcast")
        ways = {entry.role: entry.kind for entry in self.inputs if entry.role in fitted}
        return {**fitted, **{role: kind.settled(role, fitted, params) for role, kind in ways.items()}}


def shape_of(array: NDArray[Any]) -> str:
    """``3 x 4``."""
    return " x ".join(map(str, array.shape))


def shape_text(array: NDArray[Any]) -> str:
    """``N x 3`` rather than the shape of one chunk."""
    return " x ".join(["N", *(str(k) for k in array.shape[1:])])


def same_shapes(spec: LossSpec) -> Callable[[Arrays, Mapping[str, Value]], str | None]:
    """Elementwise inputs have one shape; whatever else has two axes agrees in the second."""

    def align(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
        paired = [arrays[i.role].shape[1:] for i in spec.inputs if i.role in arrays and i.kind.elementwise(params)]
        if len(set(paired)) > 1:
            return "shapes differ"
        widths = {a.shape[1] for a in arrays.values() if a.ndim == 2 and not isinstance(a, Ragged)}
        return "the numbers of columns differ" if len(widths) > 1 else None

    return align


def rows_of(spec: LossSpec, arrays: Arrays) -> int:
    lengths = {i.role: len(arrays[i.role]) for i in spec.rowwise(arrays)}
    if all(i.kind.unpaired for i in spec.rowwise(arrays)):
        return max(lengths.values())
    if len(set(lengths.values())) > 1:
        raise DataError(
            "inputs have different lengths: " + ", ".join(f"{r} {n:,}" for r, n in lengths.items()),
            code="lengths-differ",
        )
    return next(iter(lengths.values()))
