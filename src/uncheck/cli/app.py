"""The command `uncheck`: its subcommands, and how errors leave it."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from uncheck.cli import demo, doctor, explain, fuse, inspect, measure, overlap, repair
from uncheck.cli.arguments import check_command, check_repeated, command_of
from uncheck.cli.config import find_config, words_of
from uncheck.cli.helping import Command, Group
from uncheck.cli.output import keep_arguments, note
from uncheck.errors import UncheckError, UncheckWarning, first_line

ERROR = 2
INTERRUPTED = 130

#: Set by a shell that asks for completions.
COMPLETE = "_UNCHECK_COMPLETE"

#: Commands that must work whatever pyproject.toml holds.
WITHOUT_CONFIG = {"doctor", "explain", "demo"}

app = typer.Typer(
    cls=Group,
    help="Find, measure and remove checkerboard artifacts of neural upsampling.",
    epilog="Exit codes: 0 clean, 1 a lattice or a finding, 2 an error, 3 undetermined.",
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
for _name, _module in {
    "inspect": inspect,
    "measure": measure,
    "overlap": overlap,
    "fuse": fuse,
    "repair": repair,
    "explain": explain,
    "demo": demo,
    "doctor": doctor,
}.items():
    app.command(_name, cls=Command)(_module.command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from uncheck import __version__

        typer.echo(f"uncheck {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error arose; also after the command.")
    ] = False,
    no_config: Annotated[
        bool, typer.Option("--no-config", help="Leave [tool.uncheck] of pyproject.toml alone.")
    ] = False,
) -> None:
    # `main` takes these out of the arguments wherever they stand; they are here to be in the help.
    del version, traceback, no_config


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments after the name of the program; those of the process if None.

    Returns:
        0 clean, 1 a lattice or a finding, 2 an error, 3 undetermined, 130 interrupted from the keyboard.
    """
    arguments, with_traceback = _without(sys.argv[1:] if argv is None else list(argv), "--traceback")
    arguments, without_config = _without(arguments, "--no-config")
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the program
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        # A file name or a block character that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    keep_arguments(arguments)
    command = typer.main.get_command(app)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warner(warnings.showwarning)
            if COMPLETE not in os.environ:
                arguments = _prepared(command, arguments, without_config)
            code = int(command.main(arguments, "uncheck", standalone_mode=False) or 0)
            # Some versions of the option parser make an exit code of the interruption.
            return _interrupted() if code == INTERRUPTED else code
    except KeyboardInterrupt:
        return _interrupted()
    except typer.Abort as error:
        # This is what the option parser makes of both kinds of interruption.
        if not isinstance(error.__cause__, EOFError):
            return _interrupted()
        return _failed("the program asked for input and there was none", with_traceback)
    except SystemExit as error:
        if COMPLETE in os.environ or any(word.endswith("-completion") for word in arguments):
            return int(error.code or 0)
        return _failed(_sentence(error), with_traceback)
    except BaseException as error:  # exit code 1 would read as a lattice
        if isinstance(error.__context__, BrokenPipeError):  # whoever read the help has seen enough
            return 0
        return _failed(_sentence(error), with_traceback)


def _prepared(command: Any, arguments: list[str], without_config: bool) -> list[str]:
    """Return the arguments with the options of pyproject.toml, after a check of what a parser lets pass.

    Raises:
        UncheckError: no command or an unknown one, an option given twice, or a faulty pyproject.toml.
    """
    known = list(command.commands)
    if not arguments:
        command.main(["--help"], "uncheck", standalone_mode=False)
        raise UncheckError(f"no command given; name one of {', '.join(known)}")
    name, place = command_of(arguments)
    if name is None or place > 0:
        return arguments  # an option of the program itself, or a mistake that the parser tells
    check_command(name, known)
    given = arguments[1:]
    parameters = {one: made.params for one, made in command.commands.items()}
    check_repeated(given, parameters[name])
    if without_config or name in WITHOUT_CONFIG or any(word in ("--help", "-h") for word in given):
        return arguments
    config = find_config(Path.cwd())
    return arguments if config is None else [name, *words_of(config, name, given, parameters), *given]


def _without(arguments: list[str], flag: str) -> tuple[list[str], bool]:
    """Return the arguments without a flag (before a bare `--`), and whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [word for word in arguments[:end] if word != flag]
    return kept + arguments[end:], len(kept) < end


def _sentence(error: BaseException) -> str:
    """Return one sentence, on one line, for the user."""
    if isinstance(error, UncheckError):
        return " ".join(str(error).split())
    if hasattr(error, "format_message"):  # of the option parser
        return _usage(error)
    if isinstance(error, MemoryError):
        return "not enough memory; give a smaller --shape or smaller pictures"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; check the path"
    return (
        f"uncheck itself failed ({type(error).__name__}: {first_line(error)}); "
        "run it again with --traceback and report what it shows"
    )


def _usage(error: Any) -> str:
    name, near = getattr(error, "option_name", None), list(getattr(error, "possibilities", None) or [])
    context = getattr(error, "ctx", None)
    where = f"{context.command_path} --help" if context is not None else "uncheck --help"
    if name and near:
        near = get_close_matches(name, near, 3, 0.75) or near
        return f"there is no option {name}; did you mean {' or '.join(near[:3])}?"
    message = " ".join(str(error.format_message()).split()).rstrip(".")
    return f"{message[:1].lower()}{message[1:]}" + ("" if message.endswith("?") else f"; see {where}")


def _failed(sentence: str, with_traceback: bool) -> int:
    if with_traceback:
        traceback.print_exc()
    note(sentence, "error")
    return ERROR


def _interrupted() -> int:
    print("interrupted", file=sys.stderr)
    return INTERRUPTED


def _warner(usual: Any) -> Any:
    """Show this package's own warnings as one line, and those of others as they are."""

    def show(message: Any, category: type[Warning], *rest: Any, **named: Any) -> None:
        if issubclass(category, UncheckWarning):
            note(str(message), "warning")
        else:
            usual(message, category, *rest, **named)

    return show
