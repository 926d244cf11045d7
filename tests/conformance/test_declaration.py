"""What a declaration must say, and that everything derived from it agrees: names, options, calls, help."""

from __future__ import annotations

import doctest
import itertools
import re

import click
import numpy as np
import pytest
from click.testing import CliRunner

from lossctl import index
from lossctl.cli.common import COMMON
from lossctl.cli.compute import compute
from lossctl.cli.main import cli
from lossctl.cli.options import LIBRARIES, MANY, RESULTS, ROWS, RUNNING, SAMPLES, reading
from lossctl.cli.score import score
from lossctl.engine.ready import with_convention
from lossctl.errors import UsageError
from lossctl.model import registry
from lossctl.model.batch import settle
from lossctl.model.call import LossCall, parse_calls
from lossctl.model.kinds import Kind, Sizes
from lossctl.model.params import value_text
from lossctl.model.spec import Input

ORACLES = {"torchmetrics", "scipy", "jiwer", "rapidfuzz", "torchvision", "monai", "smp", "pml", "rax", "scoringrules"}


def sentence(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Z0-9].*\.", text)) and "\n" not in text


# What stands in the declaration.


def test_words(entry):
    spec = entry.spec
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.name)
    assert sentence(entry.summary)
    assert entry.title
    assert not entry.title.endswith(".")
    assert spec.formula.strip()
    assert ">>>" not in spec.formula
    assert spec.unit.strip()
    assert re.fullmatch(r"(-inf|-?\d+(\.\d+)?) to (inf|-?\d+(\.\d+)?)", spec.range)
    assert spec.direction in {"minimise", "maximise"}
    assert spec.scope in {"row", "group", "batch", "dataset"}
    assert all(trap.strip() for trap in spec.traps)
    assert spec.paper is None or (spec.paper.authors and spec.paper.title and 1700 < spec.paper.year < 2100)


def test_formula_is_indented_from_the_prose(entry):
    """The formula is a block of its own, so that every view can set it apart."""
    assert any(line.startswith("    ") and line.strip() for line in entry.spec.formula.splitlines())


def test_where_it_lives(entry):
    spec = entry.spec
    assert spec.kernel.__module__ == spec.module
    assert spec.kernel.__name__.replace("_", "-") == spec.name
    assert spec.family.replace("-", "_") == spec.module.split(".")[-2]
    assert index.record(entry.name)["module"] == spec.module
    assert registry.get(entry.name) is entry


def test_inputs(entry):
    roles = [i.role for i in entry.spec.inputs]
    assert len(set(roles)) == len(roles) > 0
    for i in entry.spec.inputs:
        assert isinstance(i, Input)
        assert isinstance(i.kind, Kind)
        assert i.kind.phrase.strip()
        assert i.kind.describe(entry.fixed).strip()
        first = "[A-Z]" if i.kind.whole else "N"
        assert re.fullmatch(rf"{first}( [A-Z])*( \| {first}( [A-Z])*)*", i.kind.axes)
        assert i.side in {"P", "T"}
    assert tuple(roles) == entry.spec.roles


def test_every_input_can_be_spoiled_or_takes_anything(entry):
    """A kind without a bad example checks nothing, unless any text will do."""
    params = settle(entry, {})
    for i in entry.spec.inputs:
        good = i.kind.sample(np.random.default_rng(0), Sizes(4, 2), params)
        anything = i.kind.decode(params, None) in {"text", "label"}
        assert anything or list(i.kind.spoil(good, params))


def test_samples_are_good(any_case):
    """What a kind calls a good array is accepted, with every parameter."""
    any_case.call(any_case.sample(12))


def test_see_also(entry):
    for name in entry.spec.see:
        assert index.resolve(name) == name
        assert name != entry.spec.name


def test_conventions(entry):
    """``--like``: libraries we know, and parameters, row modes and divisors the loss has."""
    spec = entry.spec
    assert set(spec.like) <= set(LIBRARIES)
    assert {e.library for e in spec.equivalents} <= {*LIBRARIES, *ORACLES}
    for settings in spec.like.values():
        for key, value in settings.items():
            if key == "norm":
                assert value in {"sum", "n"}
            elif key == "row" and "row" not in spec.params:
                assert spec.reduce.row_mode is not None
                assert value in {"mean", "sum"}
            else:
                assert spec.params[key].check(value) == value


def test_presets(entry):
    assert set(entry.fixed) <= set(entry.spec.params)
    for name, value in entry.fixed.items():
        assert entry.spec.params[name].check(value) == value


def test_prelude_stands_for_a_parameter(entry):
    prelude = entry.spec.prelude
    if prelude is not None:
        assert entry.spec.params[prelude.param].check(prelude.when) == prelude.when
        assert prelude.needed(settle(entry, {})) == (settle(entry, {})[prelude.param] == prelude.when)
        assert all(entry.spec.params[key].check(value) == value for key, value in prelude.also.items())


def test_example_runs_through_the_function(entry):
    """The docstring's example, typed as a person would."""
    spec = entry.spec
    names = {"np": np, spec.name.replace("-", "_"): registry.door(spec.name)}
    example = doctest.DocTestParser().get_doctest(spec.kernel.__doc__ or "", names, spec.name, spec.module, 0)
    assert example.examples
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert not said, "".join(said)


# Parameters.


def test_parameter_words(entry):
    for name, param in entry.spec.params.items():
        assert name == param.name
        assert param.help.strip()
        assert not param.help.endswith(".")
        phrase = param.phrase()
        assert phrase.strip()
        assert all(choice in phrase for choice in param.choices)
        for bound in (param.gt, param.ge, param.lt, param.le):
            assert bound is None or f"{bound:g}" in phrase
        assert all(f"{bound:g}" in phrase for bound in param.outside or ())
        assert ("none" in phrase.split(" | ")) == ("none" in param.types or "none" in param.choices)


def test_default_is_allowed(entry):
    for param in entry.spec.params.values():
        assert param.check(param.default) == param.default
        assert param.parse(value_text(param.default, ","), separator=",") == param.default


def test_conditions_name_a_parameter(entry):
    for param in entry.spec.params.values():
        when = param.when
        if when is not None:
            other = entry.spec.params[when.param]
            assert all(other.check(value) == value for value in when.values)
            assert when.off is None or param.check(when.off) == when.off


def test_idle_parameter_is_refused(entry, good_values):
    """A parameter that does not act is refused by name, and stands at its off value."""
    for name, param in entry.spec.params.items():
        if param.when is None or param.when.param in entry.fixed:
            continue
        for idle in good_values(entry.spec.params[param.when.param]):
            if idle in param.when.values:
                continue
            given = {param.when.param: idle, name: next(v for v in good_values(param) if v != param.when.off)}
            outer = entry.spec.params[param.when.param].when
            if outer is not None:  # what says whether this acts acts only with something else
                given[outer.param] = outer.values[0]
            call = LossCall.make(entry.name, given)
            assert call.params[name] == param.when.off
            with pytest.raises(UsageError, match=rf"\b{name}\b") as caught:
                call.refuse_idle()
            assert (caught.value.exit, caught.value.code) == (2, "idle-parameter")


def test_good_values_are_taken_as_they_are(entry, good_values):
    for name, param in entry.spec.params.items():
        for value in good_values(param):
            assert param.check(value) == value
            assert type(param.check(value)) is type(value) or isinstance(value, (int, float))
            if name not in entry.fixed:
                LossCall.make(entry.name, {name: value})


def test_bad_values_are_refused(entry, case_of):
    """By the parameter, by the call, by the command's text, and by the function."""
    arguments = case_of(entry).arguments(case_of(entry).sample(4))
    for name, param in entry.spec.params.items():
        bad = list(param.spoil())
        assert bad
        for value in bad:
            ways = [
                lambda p=param, v=value: p.check(v),
                lambda p=param, v=value: p.parse(value_text(v), separator=","),
                lambda n=name, v=value: LossCall.make(entry.name, {n: v}),
                lambda n=name, v=value: LossCall.parse(f"{entry.name}:{n}={value_text(v, '/')}"),
                lambda n=name, v=value: registry.door(entry.name)(*arguments, **{n: v}),
            ]
            for way in ways:
                with pytest.raises(UsageError, match=rf"\b{name}\b") as caught:
                    way()
                assert caught.value.exit == 2
                expected = "preset-parameter" if name in entry.fixed else "bad-parameter"
                assert caught.value.code in {expected, "bad-parameter"}


def test_unknown_parameter(entry, case_of):
    arguments = case_of(entry).arguments(case_of(entry).sample(4))
    for way in (
        lambda: registry.door(entry.name)(*arguments, no_such_thing=1.0),
        lambda: LossCall.parse(f"{entry.name}:no-such-thing=1"),
        lambda: parse_calls(entry.name, {"no_such_thing": "1"}),
    ):
        with pytest.raises(UsageError) as caught:
            way()
        assert (caught.value.exit, caught.value.code) == (2, "unknown-parameter")


def test_preset_parameters_are_fixed(entry, good_values):
    for name, value in entry.fixed.items():
        assert LossCall.make(entry.name, {name: value}).params[name] == value
        for other in good_values(entry.spec.params[name]):
            if other != value:
                with pytest.raises(UsageError, match=entry.spec.name) as caught:
                    LossCall.make(entry.name, {name: other})
                assert (caught.value.exit, caught.value.code) == (2, "preset-parameter")


def test_one_word_has_one_type():
    """A parameter that several losses have is a number everywhere, or a word, a list or a switch everywhere."""
    types: dict[str, list[frozenset[str]]] = {}
    for entry in registry.entries():
        for name, param in entry.spec.params.items():
            number = {"float" if word == "int" else word for word in param.types}  # whole or not
            types.setdefault(name, []).append(frozenset(number - {"none"}))
    for name, found in types.items():
        for one, other in itertools.combinations(found, 2):
            assert one <= other or other <= one, f"{name}: {sorted(one)} here, {sorted(other)} there"


# Names.


def test_names_resolve(entry):
    for name in (entry.name, *entry.aliases):
        for typed in (name, name.upper(), name.title(), name.replace("-", "_"), f" {name} "):
            assert index.resolve(typed) == entry.name
            assert index.resolve(f"{typed.strip()}-loss") == entry.name
            assert index.resolve(f"{typed.strip()}_LOSS") == entry.name


def test_loss_is_never_taken_off_a_name(entry):
    known = {*index.INDEX, *index.aliases()}
    for name in (entry.name, *entry.aliases):
        short = name.removesuffix("-loss")
        if short not in known:
            with pytest.raises(UsageError):
                index.resolve(short)


def test_names_are_told_apart():
    every = [name for entry in registry.entries() for name in (entry.name, *entry.aliases)]
    assert sorted(every) == sorted(set(every))
    assert not set(every) & set(index.REFUSED)
    assert {*index.INDEX, *index.aliases()} == set(every)


def test_unknown_name_brings_the_nearest(entry):
    for typed in (f"{entry.name}x", entry.name[:-1], entry.name.replace("e", "3", 1)):
        if len(entry.name) < 5 or typed in {*index.INDEX, *index.aliases()}:
            continue
        with pytest.raises(UsageError, match=re.escape(typed)) as caught:
            index.resolve(typed)
        assert (caught.value.exit, caught.value.code) == (2, "unknown-loss")
        near = {entry.name, *entry.aliases}
        assert any(name in re.split(r"[ ,?]+", caught.value.hint or "") for name in near)


def test_nothing_near():
    with pytest.raises(UsageError) as caught:
        index.resolve("qqqqqqqqqqqq")
    assert caught.value.hint
    assert "did you mean" not in caught.value.hint


@pytest.fixture
def shelf(monkeypatch):
    """The registry's own tables, restored afterwards."""
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(registry, "_owner", dict(registry._owner))


def test_two_losses_of_one_name_are_refused_at_import(entry, shelf):
    """As a name or as an alias, and the error names both modules."""
    elsewhere = entry.spec._replace(module="some.where.else")
    for name in (entry.name, *entry.aliases):
        for stranger in (
            entry._replace(name=name, aliases=(), spec=elsewhere),
            entry._replace(name=f"quite-another-{name}", aliases=(name,), spec=elsewhere),
        ):
            with pytest.raises(ImportError) as caught:
                registry.register(stranger)
            for word in (name, entry.spec.module, "some.where.else"):
                assert word in str(caught.value)
    assert registry.get(entry.name) is entry


def test_two_losses_of_one_name_in_one_module_are_refused(shelf):
    """A second declaration, or the same preset on two losses, does not quietly take the place of the first."""
    entry = next(registry.entries())
    with pytest.raises(ImportError, match=re.escape(entry.name)):
        registry.register(entry._replace(spec=entry.spec._replace(title="Something else")))


# Calls that print and parse back.


def test_calls_print_and_parse_back(called):
    call = LossCall.make(called.entry.name, dict(called.given))
    assert LossCall.parse(call.text()) == call
    assert LossCall.parse(call.text().replace("_", "-")) == call
    assert dict(call.given) == dict(called.given)
    # Options say the same as colons, which beat them.
    options = {key: value_text(value, ",") for key, value in called.given}
    assert LossCall.parse(called.entry.name, options) == call
    assert parse_calls(called.entry.name, options) == [call]
    for key, value in called.given:
        other = called.entry.spec.params[key].default
        if other != value:
            assert LossCall.parse(call.text(), {key: value_text(other, ",")}).params[key] == value
    # All parameters spelled out, and the signature.
    again = LossCall.parse(call.text(call.params))
    assert again.params == call.params
    assert again.signature() == call.signature()
    assert LossCall.parse(call.signature()).params == call.params
    assert list(call.params) == list(called.entry.spec.params)


def test_calls_under_a_convention_parse_back(entry):
    for like in entry.spec.like:
        call = with_convention(LossCall.make(entry.name, {}), like)
        again = with_convention(LossCall.parse(call.text()), like)
        assert again == call
        assert LossCall.parse(call.signature()).params == call.params
        assert LossCall.parse(call.text(call.params)).params == call.params


def test_flag_may_stand_bare(entry):
    for name, param in entry.spec.params.items():
        if "bool" in param.types and name not in entry.fixed:
            assert LossCall.parse(f"{entry.name}:{name}").params[name] is True


def test_equal_calls_are_refused(entry):
    for text in (f"{entry.name},{entry.name}", *(f"{entry.name},{alias}" for alias in entry.aliases)):
        with pytest.raises(UsageError) as caught:
            parse_calls(text)
        assert (caught.value.exit, caught.value.code) == (2, "equal-calls")


# The command: roles, parameters and shared options are one name space.


def options(command: click.Command) -> list[str]:
    found = []
    for param in command.get_params(click.Context(command)):  # click warns of a name used twice
        found += [*param.opts, *param.secondary_opts]
    return found


@pytest.mark.parametrize("group", [compute, score], ids=["compute", "score"])
def test_no_two_options_share_a_name(entry, group):
    command = group.loss_command(entry.name, [entry.name])
    words = options(command)
    assert sorted(words) == sorted(set(words))
    names = [param.name for param in command.params]
    assert sorted(names, key=str) == sorted(set(names), key=str)
    for role in entry.spec.roles:
        assert f"--{role}" in words
    for param in entry.spec.params.values():
        assert param.option in words


def test_parameters_are_neither_roles_nor_shared_options(entry):
    shared = {
        word
        for option in (
            *reading({}),
            *ROWS(),
            *RESULTS(["mean"], samples=SAMPLES(aligned=True)),
            *MANY(),
            *RUNNING(),
            *COMMON(),
        )
        for word in option.opts
    }
    spoken = {
        word for param in entry.spec.params.values() for word in (param.option, param.option.replace("--", "--no-"))
    }
    roles = {f"--{role}" for role in entry.spec.roles}
    assert not spoken & (shared | roles | {"--help"})
    assert len({param.option for param in entry.spec.params.values()}) == len(entry.spec.params)


def test_no_two_options_share_a_name_in_any_pair():
    for pair in itertools.combinations(index.names(), 2):
        words = options(compute.loss_command(",".join(pair), list(pair)))
        assert sorted(words) == sorted(set(words)), pair


def test_help_shows_roles_and_parameters(entry):
    done = CliRunner().invoke(cli, ["compute", entry.name, "--help"], terminal_width=200)
    assert done.exit_code == 0, done.output
    shown = " ".join(done.output.split())
    assert " ".join(entry.summary.split()) in shown
    for role in entry.spec.roles:
        assert f"--{role} " in shown or f"--{role}, " in shown
    for name, param in entry.spec.params.items():
        assert (f" {param.option} " in shown) == (name not in entry.fixed)
        assert name in entry.fixed or f"[default: {value_text(param.default)}]" in shown


def test_index_says_what_the_declaration_says(entry):
    record = index.record(entry.name)
    assert record["aliases"] == list(entry.aliases)
    assert [row[0] for row in record["inputs"]] == list(entry.spec.roles)
    assert list(record["params"]) == list(entry.spec.params)
    assert {name for name, param in record["params"].items() if param["fixed"]} == set(entry.fixed)
    assert record["reductions"] == list(entry.spec.views)
