"""Where commands print: what was asked for on standard output, everything else on standard error."""

from rich.console import Console

out, err = (Console(stderr=each, soft_wrap=True, highlight=False, emoji=False) for each in (False, True))
