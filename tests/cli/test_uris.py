"""Commands on URIs: the same numbers as on files, and the same errors."""

from __future__ import annotations

import gzip
import json
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from lossctl.cli.main import main
from lossctl.data.stores import retry

N = 400
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame({"id": np.arange(N), "pred": RNG.normal(size=N), "target": RNG.normal(size=N)})


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_here(capsys, monkeypatch):
    """The command in this process, which is faster; retries do not wait."""
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.0)

    def run(*arguments):
        capsys.readouterr()
        return Done(main([str(each) for each in arguments]), *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same table in every format."""
    folder = tmp_path_factory.mktemp("formats")
    TABLE.to_csv(folder / "x.csv", index=False)
    TABLE.to_csv(folder / "x.tsv", index=False, sep="\t")
    (folder / "x.csv.gz").write_bytes(gzip.compress((folder / "x.csv").read_bytes()))
    TABLE.to_json(folder / "x.jsonl", orient="records", lines=True, double_precision=15)
    TABLE.to_parquet(folder / "x.parquet", row_group_size=100)
    TABLE.to_feather(folder / "x.arrow")
    np.save(folder / "p.npy", TABLE["pred"].to_numpy())
    np.save(folder / "t.npy", TABLE["target"].to_numpy())
    np.savez(folder / "x.npz", pred=TABLE["pred"], target=TABLE["target"])
    (folder / "r.txt").write_text("the cat sat\non the mat\n")
    (folder / "h.txt").write_text("the cat sat\non a mat\n")
    return folder


@pytest.fixture
def there(s3_bucket, web_server, files):
    """Every file in both places, and what turns a name into a URI."""
    for path in files.iterdir():
        s3_bucket.put(f"d/{path.name}", path)
        web_server.put(f"/d/{path.name}", path)
        web_server.put(f"/plain/{path.name}", path)
    return {
        "s3": lambda name: s3_bucket.uri(f"d/{name}"),
        "http": lambda name: f"{web_server.url}/d/{name}?v=1",
        "plain": lambda name: f"{web_server.url}/plain/{name}",
    }


def document(done, names):
    """The JSON of a run, without what a file is called and how long it took."""
    assert done.returncode == 0, done.stderr
    text = done.stdout
    for old, new in sorted(names.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(json.dumps(old)[1:-1], new)
    return {key: value for key, value in json.loads(text).items() if key not in {"run", "elapsed", "seconds", "timing"}}


CALLS = [
    ("mse,mae", ["x.csv"]),
    ("mse,mae", ["x.tsv"]),
    ("mse,mae", ["x.csv.gz"]),
    ("mse,mae", ["x.jsonl"]),
    ("mse,mae", ["x.parquet"]),
    ("mse,mae", ["x.arrow"]),
    ("mse,mae", ["p.npy", "t.npy"]),
    ("mse,mae", ["x.npz"]),
    ("wer", ["h.txt", "r.txt"]),
]


@pytest.mark.parametrize("place", ["s3", "http", "plain"])
def test_every_format(there, files, run_here, place):
    for losses, names in CALLS if place == "s3" else CALLS[::2]:
        here = [str(files / name) for name in names]
        uris = [there[place](name) for name in names]
        told = dict(zip(here, names, strict=True)) | dict(zip(uris, names, strict=True))
        wanted = document(run_here("compute", losses, *here, "--format", "json"), told)
        assert document(run_here("compute", losses, *uris, "--format", "json"), told) == wanted


def test_in_a_process_of_its_own(there, lossctl, files):
    done = lossctl("compute", "mse", there["s3"]("x.csv"), "--format", "json")
    assert done.returncode == 0, done.stderr
    same = lossctl("compute", "mse", files / "x.csv", "--format", "json")
    assert json.loads(done.stdout)["results"] == json.loads(same.stdout)["results"]
    assert lossctl("compute", "mse", there["http"]("x.csv"), "--format", "json").returncode == 0


def value(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["results"][0]["value"]


def test_roles_and_keys(there, files, s3_bucket, web_server, run_here):
    shuffled = TABLE[["id", "target"]].sample(frac=1, random_state=1).to_csv(index=False).encode()
    (files / "t.csv").write_bytes(shuffled)
    here, form = files / "x.csv", ("--format", "json")
    wanted = value(run_here("compute", "mse", here, "--target", f"{files / 't.csv'}:target", "--key", "id", *form))
    uri, other = there["s3"]("x.csv"), s3_bucket.put("d/t:1.csv", shuffled)
    web = web_server.put("/d/t.csv", shuffled)
    for target in (f"{other}:target", f"{web}:target"):
        assert value(run_here("compute", "mse", uri, "--target", target, "--key", "id", *form)) == wanted
    whole = value(run_here("compute", "mse", here, *form))
    for target in (f"{uri}:target", f"{there['http']('x.csv')}:target"):
        assert value(run_here("compute", "mse", uri, "--target", target, *form)) == whole
    npy = run_here("compute", "mse", there["s3"]("p.npy"), "--target", there["http"]("t.npy"), *form)
    assert value(npy) == whole


@pytest.fixture
def shards(s3_bucket):
    for place in range(4):
        part = TABLE[place * 100 : place * 100 + 100].to_csv(index=False).encode()
        s3_bucket.put(f"preds/part-{place}.csv", part)
    s3_bucket.put("preds/_SUCCESS", b"")
    return s3_bucket


@pytest.mark.parametrize("pattern", ["preds", "preds/", "preds/part-*.csv", "**/part-?.csv", "pre*"])
def test_folders_and_patterns(shards, files, run_here, pattern):
    wanted = value(run_here("compute", "mse", files / "x.csv", "--format", "json"))
    assert value(run_here("compute", "mse", shards.uri(pattern), "--format", "json")) == wanted


def test_score_and_inspect(shards, there, run_here):
    done = run_here("score", "mse", f"new={shards.uri('preds/')}", shards.uri("preds/part-0.csv"), "--format", "json")
    assert done.returncode == 0, done.stderr
    assert [each["input"] for each in json.loads(done.stdout)["inputs"]] == ["new", shards.uri("preds/part-0.csv")]
    done = run_here("score", "mse", there["s3"]("p.npy"), "--targets", there["http"]("t.npy"), "--format", "json")
    assert done.returncode == 0, done.stderr
    done = run_here("inspect", shards.uri("preds"))
    assert "4 files" in done.stdout
    done = run_here("inspect", there["s3"]("h.txt"), there["http"]("r.txt"))
    assert "wer" in done.stdout
    done = run_here("inspect", shards.uri("preds"), "--plan", "mse", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plan"]["sources"][0]["bytes"] > 0
    done = run_here("inspect", there["s3"]("x.parquet"), "--plan", "mse", "--format", "json")
    assert json.loads(done.stdout)["plan"]["sources"][0]["bytes"] > 0


def test_a_file_uri_is_a_path(files, run_here):
    one = run_here("compute", "mse", f"file://{files}/x.csv", "--format", "json")
    assert value(one) == value(run_here("compute", "mse", files / "x.csv", "--format", "json"))


def test_outputs_that_are_inputs(shards, run_here):
    uri = shards.uri("preds/part-0.csv")
    for given in (uri, shards.uri("preds"), shards.uri("preds/*.csv")):
        done = run_here("compute", "mse", given, "-o", uri)
        assert done.returncode == 2
        assert "would overwrite an input" in done.stderr
        done = run_here("compute", "mse", given, "--per-sample", uri)
        assert done.returncode == 2
        assert "would overwrite an input" in done.stderr
    assert shards.get("preds/part-0.csv").startswith(b"id,pred,target\n")


def test_errors_name_the_file(shards, run_here):
    shards.put("preds/part-2.csv", b"id,pred,target\n1,2,x\n")
    done = run_here("compute", "mse", shards.uri("preds"))
    assert done.returncode == 3
    assert shards.uri("preds/part-2.csv") in done.stderr
    assert "row 1" in done.stderr
    for name, said in (("none.csv", "no such file"), ("none/*.csv", "no file matches"), ("preds/_SUCCESS", "is empty")):
        done = run_here("compute", "mse", shards.uri(name))
        assert (done.returncode, said in done.stderr) == (3, True), done.stderr
    done = run_here("compute", "mse", "s3://key:secret@bucket/x.csv")
    assert done.returncode == 2
    assert "secret" not in done.stderr


def test_numbers_of_a_parameter_in_a_file(shards, run_here):
    shards.put("w.txt", b"0.25\n")
    done = run_here("compute", "pinball", shards.uri("preds"), "--quantile", shards.uri("w.txt"), "--format", "json")
    wanted = run_here("compute", "pinball:quantile=0.25", shards.uri("preds"), "--format", "json")
    assert value(done) == value(wanted)
