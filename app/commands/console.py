"""Where commands print: what was asked for on standard output, everything else on standard error."""

from rich.console import Console

out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)
