"""The command line. Exit codes: 0 done; 1 a fault that has no code of its own, or --strict and something to deal with; 2 declaration or
usage; 3 data; 4 bundle; 5 a library is missing; 6 disk, permission, memory; 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import typer

from holdgood import __version__
from holdgood.cli import (
    alarms,
    clean,
    contract,
    export,
    ignore,
    journal,
    journal_rows,
    keep,
    live,
    memory,
    models,
    plans,
    projects,
    retrain,
    serve,
    tables,
    watch,
)
from holdgood.cli.draw import err
from holdgood.core.errors import EnvironmentFault, HoldgoodError, Interrupted

EPILOG = (
    "Exit codes: 0 done · 1 something to deal with (--strict) · 2 declaration or usage · 3 data · 4 bundle · "
    "5 library missing · 6 disk, permission or memory · 130 interrupted (run again to resume)"
)

app = typer.Typer(
    name="holdgood",
    help="Turns a company's tables into decisions that it can defend. Start with: holdgood audit FILE, or holdgood demo.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"holdgood {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    # One thread a fit and no spinning: on a busy machine OpenMP's default makes small fits many times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


_COMMANDS: tuple[Callable[..., Any], ...] = (
    tables.audit,
    clean.clean,
    ignore.ignore,
    projects.init,
    projects.run,
    projects.status,
    projects.show,
    projects.report,
    projects.rebalance,
    projects.trust,
    models.predict,
    models.forecast,
    models.explain,
    models.verify,
    projects.runs,
    memory.compare,
    memory.lessons,
    live.promote,
    live.rollback,
    live.approve,
    live.retire,
    keep.backup,
    keep.restore,
    retrain.retrain,
    watch.watch,
    watch.acknowledge,
    projects.demo,
    projects.doctor,
)
for _command in _COMMANDS:
    app.command()(_command)
app.add_typer(contract.app)
app.add_typer(plans.app)
app.add_typer(export.app)
for _command in (
    alarms.alarms,
    journal_rows.forget,
    journal_rows.label,
    journal_rows.override,
    journal_rows.benefit,
    journal_rows.backup,
    journal_rows.restore,
):
    journal.app.command()(_command)
app.add_typer(journal.app)
app.add_typer(serve.app)


@cache
def _made() -> Callable[[], Any]:
    """The commands, read off all annotations, which takes a sixth of a second: once, however often a process calls ``main``."""
    return typer.main.get_command(app)


_INTERRUPTED = Interrupted("interrupted", "nothing is lost: what was finished is kept", "run the same command again")


def main() -> None:
    """Run the command line; every fault becomes its message and its exit code, never a stack trace."""
    if not os.environ.get("HOLDGOOD_DEBUG"):
        # on a full disk what a library left open fails once more while it is swept up: the fault itself is told below
        sys.unraisablehook = lambda _: None
    if isinstance(sys.stdout, io.TextIOWrapper):
        # half of a surrogate pair, in a record or in an argument, is no UTF-8: shown as an escape, which JSON reads back
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _made()()
    except KeyboardInterrupt:
        _fail(_INTERRUPTED)
    except SystemExit as end:
        # typer turns Ctrl-C into this code and says nothing
        if end.code == Interrupted.exit_code:
            _fail(_INTERRUPTED)
        raise
    except HoldgoodError as error:
        _fail(error)
    except MemoryError:
        _fail(
            EnvironmentFault(
                "the machine ran out of memory",
                "data that fits into it",
                "use fewer columns or rows, or a machine with more memory",
            )
        )
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(
            EnvironmentFault(
                f"the machine refused: {error.strerror or error}{where}",
                "room on the disk and permission",
                "free some space or choose another folder",
            )
        )
    except Exception as error:
        if os.environ.get("HOLDGOOD_DEBUG"):
            traceback.print_exc()
        _fail(
            HoldgoodError(
                f"an unexpected fault: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                "this should not happen",
                "please report it; HOLDGOOD_DEBUG=1 shows where it happened",
            )
        )


def _fail(error: HoldgoodError) -> None:
    err.print("error: " + str(error), style="red")
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
