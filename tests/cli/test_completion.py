"""Completion: what may stand next, from the declarations and the file's header; in the shells that are here."""

from __future__ import annotations

import gzip
import json
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl import index
from lossctl.cli.complete import complete
from lossctl.cli.completion import SHELLS, escaped, joined, reply, split
from lossctl.cli.compute import compute
from lossctl.cli.headers import column_names
from lossctl.cli.losses import LossGroup
from lossctl.cli.main import COMMANDS, cli, main
from lossctl.data.formats import FORMATS, open_source
from lossctl.model.registry import entries
from lossctl.report.topics import topics

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "sample_data"
RIDGE = ["patient_id", "age_band", "weight", "y_true", "y_pred"]
ENTRIES = list(entries())
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def after(line: str) -> list[str]:
    """What may take the place of the last word (none where the line ends in a blank)."""
    words, _ = split(line)
    files, found = complete(words[1:-1], words[-1])
    assert not (files and found)
    return ["FILES"] if files else [text for text, _ in found]


# Words


def test_commands():
    assert after("lossctl ") == list(COMMANDS)
    assert after("lossctl -q ") == list(COMMANDS)
    assert after("lossctl --color never ") == list(COMMANDS)
    for name in COMMANDS:
        assert name in after(f"lossctl {name[:3]}")
    assert after("lossctl nothing ") == []


def options_of(command: click.Command) -> set[str]:
    context = click.Context(command, **command.context_settings)
    options = [p for p in command.get_params(context) if isinstance(p, click.Option) and not p.hidden]
    return {name for option in options for name in (*option.opts, *option.secondary_opts) if name.startswith("--")}


@pytest.mark.parametrize("name", COMMANDS)
def test_options_of_every_command(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert {*after(f"lossctl {name} --"), "--help"} == {*options_of(command), "--help"}
    assert "--quiet" in after("lossctl --q")


@each_entry
def test_options_of_every_loss(entry):
    command = compute.loss_command(entry.name, [entry.name])
    shown = after(f"lossctl compute {entry.name} preds.csv --")
    assert set(shown) | {"--help"} == options_of(command) | {"--help"}
    for name, param in entry.spec.params.items():
        assert (param.option in shown) == (name not in entry.fixed)


def test_what_was_given_is_not_offered_again():
    assert "--nan" not in after("lossctl compute mse --nan skip --")
    assert "--fail-above" in after("lossctl compute mse --fail-above 1 --")
    assert "-f" in after("lossctl compute mse -")


def choices() -> list[tuple[str, click.Option]]:
    found = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        many = isinstance(command, LossGroup)
        inner = command.loss_command("mse", ["mse"]) if many else command
        line = f"lossctl {name} mse" if many else f"lossctl {name}"
        found += [(line, p) for p in inner.params if isinstance(p, click.Option) and isinstance(p.type, click.Choice)]
    return found


@pytest.mark.parametrize(("line", "option"), choices(), ids=lambda value: getattr(value, "name", value))
def test_choices(line, option):
    expected = list(option.type.choices)
    for name in option.opts:
        assert after(f"{line} {name} ") == expected
        assert after(f"{line} {name} {expected[0][:2]}") == [c for c in expected if c.startswith(expected[0][:2])]
    long = option.opts[-1]
    assert after(f"{line} {long}=") == [f"{long}={choice}" for choice in expected]


def test_families_topics_formats_shells():
    assert after("lossctl list --family ") == list(index.families())
    assert set(after("lossctl help ")) >= {*COMMANDS, *topics(), *index.families(), *index.names()}
    assert after("lossctl inspect --input-format ") == list(FORMATS)
    assert after("lossctl inspect --plan mse,hub") == ["mse,huber", *after("lossctl compute mse,hub")[1:]]
    assert after("lossctl completion ") == list(SHELLS)
    assert after("lossctl completion bash ") == []


@each_entry
def test_losses(entry):
    assert after(f"lossctl compute {entry.name}")[0] == entry.name
    assert entry.name in after("lossctl compute ")
    assert entry.name in after(f"lossctl explain {entry.name[:2].upper()}")
    assert f"mse,x:y=1,{entry.name}" in after(f"lossctl compute mse,x:y=1,{entry.name[:-1]}")
    for alias in entry.aliases:
        assert alias in after(f"lossctl compute {alias[:-1]}")
        assert alias not in after("lossctl compute ")


@each_entry
def test_parameters_behind_a_colon(entry):
    for typed in (entry.name, *entry.aliases):
        found = after(f"lossctl compute {typed}:")
        assert len(found) == sum(key not in entry.fixed for key in entry.spec.params)
        for key, param in entry.spec.params.items():
            if key in entry.fixed:
                continue
            word = param.option.removeprefix("--").replace("-", "_")
            ending = "" if "bool" in param.types else "="
            assert f"{typed}:{word}{ending}" in found
            assert after(f"lossctl compute mse,{typed}:{word[:2]}") == [
                f"mse,{text}" for text in found if text.startswith(f"{typed}:{word[:2]}")
            ]
            values = after(f"lossctl compute {typed}:{word}=")
            assert values[: len(param.choices)] == [f"{typed}:{word}={choice}" for choice in param.choices]
            assert f"{typed}:{word}=1:{word}{ending}" not in after(f"lossctl compute {typed}:{word}=1:")
            if "bool" not in param.types:
                options = after(f"lossctl compute {typed} {param.option} ")
                if param.call:
                    values = after("lossctl compute ")
                assert options == (["FILES"] if param.file else [value.rpartition("=")[2] for value in values])


def test_lists_of_words():
    """The last word of a list is completed, behind a comma in an option and behind a slash in a call."""
    assert after("lossctl compute wer --normalize lower,p") == ["lower,punct"]
    assert after("lossctl compute wer:normalize=lower/p") == ["wer:normalize=lower/punct"]


def test_files_that_parameters_name():
    assert after("lossctl compute ctc --tokens lines") == ["FILES"]


def test_synonyms_of_roles(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("ref,hyp\na,b\n", encoding="utf-8")
    assert after(f"lossctl compute wer {file} --hyp ") == after(f"lossctl compute wer {file} --pred ") == ["ref", "hyp"]


@each_entry
def test_reductions(entry):
    found = after(f"lossctl compute {entry.name} --reduction ")
    assert [view for view in found if not view.startswith("p") or view == "prod"] == [
        view for view in index.record(entry.name)["reductions"] if view != "pNN"
    ]
    assert ("p90" in found) == ("pNN" in index.record(entry.name)["reductions"])


def test_sets_of_losses():
    family = next(iter(index.families()))
    assert after("lossctl compute @") == [*(f"@{name}" for name in index.families()), "@auto"]
    assert after(f"lossctl compute mse,@{family[:4]}") == [f"mse,@{family}"]
    assert f"mse,@{family}" not in after("lossctl compute mse,")


def test_files_where_files_stand():
    for line in ("lossctl compute mse ", "lossctl compute mse p.csv t", "lossctl inspect ", "lossctl compute mse -o "):
        assert after(line) == ["FILES"]
    assert after("lossctl compute mse --limit ") == []
    assert after("lossctl list ") == []
    assert after("lossctl explain mse ") == []


# Columns


@each_entry
def test_roles_complete_columns(entry):
    for role in entry.spec.roles:
        assert after(f"lossctl compute {entry.name} {SAMPLES / 'diabetes_ridge.csv'} --{role} ") == RIDGE


@pytest.mark.parametrize("option", ["--weight", "-w", "--by", "-g", "--key", "-k", "--mask"])
def test_columns(option):
    file = SAMPLES / "diabetes_ridge.csv"
    assert after(f"lossctl compute mse {file} {option} ") == RIDGE
    assert after(f"lossctl compute mse,mae:x {option} y_") == ["FILES"]
    assert after(f"lossctl compute mse {option} y_t {file} {option} y_") == ["y_true", "y_pred"]


def test_lists_of_columns(tmp_path):
    file = SAMPLES / "diabetes_ridge.csv"
    assert after(f"lossctl compute mse {file} --by age_band,w") == ["age_band,weight"]
    assert after(f"lossctl compute mse {file} --by=age_band,w") == ["--by=age_band,weight"]
    assert "age_band,age_band" not in after(f"lossctl compute mse {file} --by age_band,")
    assert after(f"lossctl compute mse {file} --target {file}:y_t") == [f"{file}:y_true"]


def test_columns_of_two_files(tmp_path):
    (tmp_path / "p.csv").write_text("id,out\n1,2\n")
    (tmp_path / "t.csv").write_text("id,truth\n1,2\n")
    assert after(f"lossctl compute mse {tmp_path / 'p.csv'} {tmp_path / 't.csv'} --pred ") == ["id", "out", "truth"]


def test_headers_are_those_of_the_readers(tmp_path):
    np.savez(tmp_path / "a.npz", anchor=np.zeros((2, 3)), positive=np.ones((2, 3)))
    np.save(tmp_path / "a.npy", np.zeros(3))
    pq.write_table(pa.table({"x": [1.0], "y z": ["a"]}), tmp_path / "a.parquet")
    text = '\ufeffy_true,"a, b","c""d",,e\n1,2,3,4,5\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    (tmp_path / "a.tsv").write_text("y_true\ty_pred\n1\t2\n")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "a.dat").write_text("y_true,y_pred\n1,2\n")
    for path in sorted(tmp_path.iterdir()):
        names = column_names(str(path))
        assert names == [column.name for column in open_source(path).columns] != []
    assert column_names(str(tmp_path / "a.csv"))[1] == "a, b"


def test_headers_heed_how_the_file_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("y_true;y_pred\n1;2\n")
    file = tmp_path / "a.csv"
    assert after(f"lossctl compute mse --delimiter ';' {file} --pred ") == ["y_true", "y_pred"]
    assert after(f"lossctl compute mse --delimiter=';' --no-header {file} --pred ") == ["1", "2"]
    (tmp_path / "b.txt").write_text("y_true\ty_pred\n1\t2\n")
    assert column_names(str(tmp_path / "b.txt"), input_format="tsv") == ["y_true", "y_pred"]


def test_keys_of_json_lines(tmp_path):
    text = '\n{"y_true": 1, "out": {"a": 1, "b": {"c": 2}}, "z": [1, 2], "choices": [{"text": "x"}, {"text": "y"}]}\n'
    (tmp_path / "a.jsonl").write_text(text)
    names = ["y_true", "out.a", "out.b.c", "z", "choices.0.text", "choices.1.text"]
    assert column_names(str(tmp_path / "a.jsonl")) == names


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"PAR1", b"PK\x03\x04", b"\n\n", b'"open', b"\xff,\xfe\n"])
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.npz", "a.jsonl", "a.npy", "a.csv.gz", "a.h5"])
def test_a_broken_file_has_no_columns(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    names = column_names(str(tmp_path / name))
    assert all(isinstance(found, str) and "\ufffd" not in found for found in names)
    assert len(names) <= 1


def test_pipes_and_folders_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    assert column_names(str(tmp_path / "pipe.csv")) == []
    assert column_names(str(tmp_path)) == []
    assert column_names(str(tmp_path / "nothing.csv")) == []
    assert column_names("-") == []


def test_a_header_is_read_without_the_file(tmp_path):
    """Only its beginning: a file of any size."""
    with (tmp_path / "large.csv").open("wb") as file:
        file.write(b"y_true,y_pred\n")
        file.truncate(1 << 40)
    assert column_names(str(tmp_path / "large.csv")) == ["y_true", "y_pred"]


# The protocol


@pytest.mark.parametrize(
    ("line", "words", "quote"),
    [
        ("lossctl compute ", ["lossctl", "compute", ""], ""),
        ("lossctl  compute mse", ["lossctl", "compute", "mse"], ""),
        ("lossctl 'a b' \"c d", ["lossctl", "a b", "c d"], '"'),
        ("lossctl a\\ b 'it", ["lossctl", "a b", "it"], "'"),
        ("lossctl '' x", ["lossctl", "", "x"], ""),
        ('lossctl "a\\"b" c', ["lossctl", 'a"b', "c"], ""),
        ("", [""], ""),
    ],
)
def test_lines_are_cut_as_a_shell_does(line, words, quote):
    assert split(line) == (words, quote)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["lossctl", "compute", "huber", ":", "de"], ["lossctl", "compute", "huber:de"]),
        (["lossctl", "compute", "huber", ":", "delta", "=", "2"], ["lossctl", "compute", "huber:delta=2"]),
        (["lossctl", "compute", "huber", ":"], ["lossctl", "compute", "huber:"]),
        (["lossctl", "compute", "@", "reg"], ["lossctl", "compute", "@reg"]),
        (["lossctl", "compute", "mse", "--format", "=", "j"], ["lossctl", "compute", "mse", "--format=j"]),
        (["lossctl", "compute", ""], ["lossctl", "compute", ""]),
    ],
)
def test_pieces_are_put_together(pieces, words):
    assert joined(pieces) == words


def test_escaping():
    assert escaped("a b$(x)", "") == "a\\ b\\$\\(x\\)"
    assert escaped('a"$`\\', '"') == 'a\\"\\$\\`\\\\'
    assert escaped("it's", "'") == "it'\\''s"
    assert escaped("é_1-2.3,x=y:z@w", "") == "é_1-2.3,x=y:z@w"


def test_answers_for_the_shells():
    words = ["lossctl", "compute", "huber:de"]
    assert reply("zsh", words, "", "").splitlines()[0] == "glued"
    assert reply("zsh", words, "", "").splitlines()[1].split("\t")[0] == "huber:delta="
    assert reply("fish", ["lossctl", "compute", "hub"], "", "").splitlines()[1] == "huber\tHuber loss"
    assert reply("fish", ["lossctl", "compute", "mse", ""], "", "") == "files\n"
    assert reply("bash", words, "", ":=").splitlines()[1].startswith("delta=")
    assert reply("bash", words, "", "").splitlines()[1].startswith("huber:delta=")
    assert reply("bash", [], "", "") == "words\n" + "".join(
        f"{name}\t{text}\n" for name, (_, _, text) in COMMANDS.items()
    )


def test_names_that_no_terminal_shows_are_left_out(tmp_path):
    (tmp_path / "a.csv").write_text('y_true,"a\tb","c\x1b[2J","d\ne",f\n')
    words = ["lossctl", "compute", "mse", str(tmp_path / "a.csv"), "--pred", ""]
    assert reply("zsh", words, "", "") == "words\ny_true\nf\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script(shell, capsys):
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert out == (ROOT / "lossctl" / "cli" / "shells" / f"lossctl.{shell}").read_text()
    assert f"completion {shell} --answer" in out


def test_wrong_calls(capsys):
    assert main(["completion"]) == 2
    assert main(["completion", "tcsh"]) == 2
    assert main(["completion", "bash", "more"]) == 2
    assert "one argument too many" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["compute", "huber:delta=", "--"],
        ["compute", "zzz", "--pred", "x"],
        ["-x", "y", "z"],
        ["--", "--", "a"],
        ["compute"],
        ["compute", "@regression", "--by", ""],
        ["compute", ",", ":", "="],
        ["help", "\udc80"],
        ["compute", "mse,,", "-"],
    ],
)
def test_half_typed_lines_are_no_errors(words, capsys):
    assert main(["completion", "zsh", "--answer", "--", "lossctl", *words]) == 0
    done = capsys.readouterr()
    assert done.err == ""
    assert done.out.splitlines()[0] in {"words", "glued", "files"}


# Real shells

BASH = r"""
lossctl() { "$PYTHON" -m lossctl "$@"; }
eval "$(lossctl completion bash)"
while IFS= read -r line; do
    COMP_LINE=$line COMP_POINT=${#line}
    eval "COMP_WORDS=($(pieces "$line"))"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    [[ $BARE ]] && COMP_LINE= COMP_POINT=0
    _lossctl lossctl
    for reply in "${COMPREPLY[@]}"; do printf '%s\x1f' "$reply"; done
    printf '\n'
done
"""
PIECES = r"""pieces() { "$PYTHON" -c 'import re, shlex, sys
line = sys.argv[1]
found = re.findall(r"[:=@]+|[^\s:=@]+", line) + ([""] if line[-1:].isspace() else [])
print(shlex.join(found))' "$1"; }
"""


def bash(lines: list[str], folder: Path, *, bare: bool = False) -> list[list[str]]:
    """COMPREPLY for each line, as bash would call the function; ``bare`` without COMP_LINE."""
    settings = {**os.environ, "PYTHON": sys.executable, "BARE": "1" if bare else ""}
    command = ["bash", "--norc", "-c", PIECES + BASH]
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(command, input=text, cwd=folder, env=settings, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [row.split("\x1f")[:-1] for row in done.stdout.splitlines()]


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


@needs_bash
@pytest.mark.parametrize("bare", [False, True])
def test_bash(tmp_path, bare):
    shutil.copy(SAMPLES / "diabetes_ridge.csv", tmp_path / "preds.csv")
    shutil.copy(SAMPLES / "digits_triplets.npz", tmp_path / "t.npz")
    expected = {
        "lossctl comp": ["compute", "completion"],
        "lossctl compute hub": ["huber"],
        "lossctl compute mse,hub": ["mse,huber"],
        "lossctl compute huber:de": ["delta="],
        "lossctl compute mse,huber:": ["delta="],
        "lossctl compute bce:input=": ["probs", "logits"],
        "lossctl compute mse preds.csv --pred y_": ["y_true", "y_pred"],
        "lossctl compute mse preds.csv --by age_band,we": ["age_band,weight"],
        "lossctl compute mse --target preds.csv:y_t": ["y_true"],
        "lossctl compute triplet-margin t.npz --anchor ": ["anchor", "positive", "negative"],
        "lossctl compute mse --format=jso": ["json", "jsonl"],
        "lossctl compute mse --reno": ["--renormalize"],
        "lossctl list --family regr": ["regression"],
        "lossctl help exit": ["exit-codes"],
        "lossctl completion z": ["zsh"],
        "lossctl compute mse pre": [],
        "lossctl compute zzz": [],
    }
    assert dict(zip(expected, bash(list(expected), tmp_path, bare=bare), strict=True)) == expected


@needs_bash
def test_a_header_runs_nothing_in_bash(tmp_path):
    (tmp_path / "evil.csv").write_text("$(touch pwned),`touch pwned`,a b,y;touch pwned,q'\"q\n1,2,3,4,5\n")
    ((*replies,),) = bash(["lossctl compute mse evil.csv --pred "], tmp_path)
    assert replies == ["\\$\\(touch\\ pwned\\)", "\\`touch\\ pwned\\`", "a\\ b", "y\\;touch\\ pwned", "q\\'\\\"q"]
    for reply_, name in zip(replies, column_names(str(tmp_path / "evil.csv")), strict=True):
        said = subprocess.run(["bash", "-c", f"printf %s {reply_}"], cwd=tmp_path, capture_output=True, text=True)
        assert said.stdout == name
    assert not (tmp_path / "pwned").exists()


@needs_bash
def test_bash_in_earnest(tmp_path):
    """A terminal, a key: what readline makes of the answer."""
    pty = pytest.importorskip("pty")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "lossctl"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m lossctl "$@"\n')
    program.chmod(0o755)
    shutil.copy(SAMPLES / "diabetes_ridge.csv", tmp_path / "preds.csv")
    settings = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "> "}
    settings |= {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    master, slave = pty.openpty()
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with subprocess.Popen(
        shell, cwd=tmp_path, env=settings, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as process:
        os.close(slave)
        said = b""

        def until(mark: bytes) -> None:
            nonlocal said
            while mark not in said:
                if not select.select([master], [], [], 60)[0]:
                    process.kill()
                try:
                    said += os.read(master, 4096)
                except OSError:  # the shell has closed its end
                    return

        os.write(master, b'eval "$(lossctl completion bash)"; bind "set bell-style none"; echo read""y\n')
        until(b"ready\r\n")
        os.write(master, b"lossctl compute mse,huber:de\t2 pre\t--weight wei\t-f val\t; exit\n")
        until(b"no such mark, but the end")
        process.wait(timeout=60)
    os.close(master)
    text = said.decode()
    assert "lossctl compute mse,huber:delta=2 preds.csv --weight weight -f value ; exit" in text
    assert len(re.findall(r"^\d+\.\d+\r?$", text, re.MULTILINE)) == 2


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh(tmp_path):
    script = r"""
    lossctl() { "$PYTHON" -m lossctl "$@"; }
    compdef() { :; }
    compadd() { local a; for a in "$@"; do print -r -- "$a"; done; print -rl -- "${plain[@]}" "${glued[@]}"; }
    _files() { print FILES; }
    eval "$(lossctl completion zsh)"
    words=(lossctl compute "mse,hub"); CURRENT=3; PREFIX="mse,hub"; _lossctl
    words=(lossctl compute "huber:de"); CURRENT=3; PREFIX="huber:de"; _lossctl
    words=(lossctl compute mse ""); CURRENT=4; PREFIX=""; _lossctl
    """
    settings = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["zsh", "-f", "-c", script], env=settings, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert {"mse,huber", "huber:delta=", "FILES"} <= set(done.stdout.splitlines())


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_fish(tmp_path):
    script = """
    function lossctl; $PYTHON -m lossctl $argv; end
    lossctl completion fish | source
    complete -C 'lossctl compute mse,hub'
    complete -C 'lossctl compute huber:de'
    """
    settings = {**os.environ, "PYTHON": sys.executable, "HOME": str(tmp_path)}
    done = subprocess.run(["fish", "-N", "-c", script], env=settings, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["mse,huber", "huber:delta="]


def balanced(text: str, pairs: list[tuple[str, str]]) -> bool:
    """Whether block words open and close in order, outside comments and quotes."""
    bare = re.sub(r"'[^']*'|(?m:(?<!\S)#.*$)", "", text)
    closing = {end: start for start, end in pairs}
    opening = {start for start, _ in pairs}
    stack: list[str] = []
    for word in re.findall(r"(?<![\w$-])[a-z]+(?![\w=-])|[{}]", bare):
        if word in opening:
            stack.append(word)
        elif word in closing and (not stack or stack.pop() != closing[word]):
            return False
    return not stack


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_whole(shell):
    """No more than this is checked of zsh and fish where they are not installed: quotes and blocks close."""
    text = (ROOT / "lossctl" / "cli" / "shells" / f"lossctl.{shell}").read_text()
    code = re.sub(r"(?m)(?<!\S)#.*$", "", text)
    assert code.count('"') % 2 == 0
    assert code.count("'") % 2 == 0
    assert (
        code.count("(") - code.count(")") == sum(part.count(")") for part in re.findall(r"(?m)^ +[*\w]+\)", code)) * -1
    )
    if shell == "fish":
        assert len(re.findall(r"(?m)^\s*(?:function|if|for|while)\b", code)) == len(re.findall(r"(?m)^\s*end\b", code))
    else:
        blocks = [("if", "fi"), ("case", "esac"), ("do", "done"), ("{", "}")]
        assert balanced(re.sub(r"\$\{[^{}]*\}", "x", code), blocks)
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=text, capture_output=True, text=True).returncode == 0


def test_answers_need_no_numbers(tmp_path):
    """Neither a name nor a header loads NumPy, Arrow, pandas or rich."""
    (tmp_path / "a.csv").write_text("y_true,y_pred\n1,2\n")
    np.savez(tmp_path / "a.npz", pred=np.zeros(2))
    code = (
        "import json, sys\n"
        "from lossctl.cli.main import main\n"
        "main(['completion', 'bash', '--answer', '--', *sys.argv[1:]])\n"
        "sys.stdout.flush(); print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})), file=sys.stderr)"
    )
    lines = ["lossctl ", "lossctl compute hu", "lossctl compute huber:", "lossctl compute mse --fo", "lossctl help "]
    lines += ["lossctl compute mse a.csv --pred ", "lossctl compute mse a.npz --pred ", "lossctl list --family "]
    heavy = {"numpy", "pandas", "pyarrow", "rich", "scipy", "rapidfuzz", "dask", "matplotlib"}
    for line in lines:
        words, _ = split(line)
        settings = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=60)
        assert len(done.stdout.splitlines()) > 1, line
        assert not set(json.loads(done.stderr.splitlines()[-1])) & heavy, line
