"""The generated index says what the declarations say, to the byte."""

from __future__ import annotations

from lossctl import _index, index
from lossctl.model.registry import entries
from lossctl.report import index as generator


def test_the_index_is_up_to_date():
    assert generator.PATH.read_text(encoding="utf-8") == generator.text()


def test_what_is_written_is_what_is_read():
    room: dict[str, object] = {}
    exec(compile(generator.text(), "index", "exec"), room)
    assert room["INDEX"] == _index.INDEX == {entry.name: generator.entry_record(entry) for entry in entries()}
    assert list(_index.INDEX) == sorted(_index.INDEX) == index.names()
