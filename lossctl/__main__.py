"""``python -m lossctl``."""

from lossctl.cli.main import entry

entry()
