"""Options, loading and input of a network, shared by the commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from uncheck.advising import Request, advised
from uncheck.cli.options import INPUT_RANGE, parse_range, parse_shape
from uncheck.cli.output import note, progress_bar
from uncheck.errors import UncheckError, first_line
from uncheck.progress import Progress
from uncheck.targets import check_target, check_weights

if TYPE_CHECKING:
    from torch import nn

    from uncheck.reading import LoadedWeights
    from uncheck.reporting.page import Result

T = TypeVar("T")
Inputs = tuple[Any, ...]

#: Tried in this order when nothing is said about the input: a colour picture, a grey one.
SHAPES = ((1, 3, 256, 256), (1, 1, 256, 256))


@dataclass(frozen=True)
class Told:
    """A result, and what only the command line knows: which weights the network had.

    Attributes:
        weights: those of `--weights`, if it was given.
        by_target: whether the target's code loaded weights itself.
        request: what was given on the command line, for advice that can be pasted.
        sources: where the target and its layers are defined.
        fail_above: of `--fail-above`.
    """

    result: Result
    weights: LoadedWeights | None = None
    by_target: bool = False
    request: Request | None = None
    sources: Mapping[str, Any] = field(default_factory=dict)
    fail_above: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result's dictionary, with the keys of `about` and those that say what was asked."""
        asked = {
            "target": self.request.target if self.request else None,
            "sources": dict(self.sources),
            "fail_above": self.fail_above,
        }
        return {**advised(self.result.to_dict(), self.request), **self.about, **asked}

    @property
    def about(self) -> dict[str, Any]:
        """The keys that are added."""
        return {"weights": self.weights and self.weights.to_dict(), "target_loads_weights": self.by_target}


@dataclass(frozen=True)
class Asked:
    """A result whose advice names what was given on the command line."""

    result: Result
    request: Request
    sources: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the result's dictionary, with the keys `target` and `sources`."""
        said = advised(self.result.to_dict(), self.request)
        return {**said, "target": self.request.target, "sources": dict(self.sources)}


class Network:
    """A network and its input, as the options name them.

    Args:
        target, weights, shape: as the options say.
        what: the input; made up if None.
        input_range: the values of black and white in it.
        most: pictures taken from a folder; a few if None.
    """

    def __init__(
        self,
        target: str,
        weights: Path | None,
        what: str | None,
        shape: str | None,
        input_range: str,
        most: int | None = None,
    ) -> None:
        self.target, self.weights, self.what, self.most = target, weights, what, most
        self.request = Request(
            target,
            None if weights is None else str(weights),
            what,
            None if input_range == INPUT_RANGE else input_range,
            shape,
        )
        self.shape = None if shape is None else parse_shape(shape)
        self.range = parse_range(input_range, "--input-range") or (0.0, 1.0)
        self.folder = Path.cwd()
        self.loaded: LoadedWeights | None = None
        self.by_target = False
        self.fail_above: float | None = None
        self.model: nn.Module | None = None
        check_target(target)
        if weights is not None:
            check_weights(weights)
        _check_input(what)

    def told(self, result: Result) -> Told:
        """Return a result on this network with its weights, as it is reported."""
        names = [stage["name"] for stage in result.to_dict().get("stages", ())]
        sources = self._sources(names)
        return Told(result, self.loaded, self.by_target, self.request, sources, self.fail_above)

    def advised(self, result: Result, output: Path | None = None) -> Asked:
        """Return a result on this network whose advice names it, and the folder or file written."""
        said = result.to_dict()
        resizes = [
            one["resize"] for one in (*said.get("fused", ()), *said.get("refused", ())) if "resize" in one
        ]
        request = replace(self.request, output=None if output is None else str(output))
        return Asked(result, request, self._sources(resizes))

    def _sources(self, names: Iterable[str]) -> dict[str, Any]:
        if self.model is None:
            return {}
        from uncheck.reading.definitions import find_definitions

        with chdir(self.folder):
            return find_definitions(self.model, self.target, names)

    def note_weights(self, result: Result) -> None:
        """Say on stderr which weights the network had, for commands whose result does not name them."""
        from uncheck.reporting.loaded import weights_line

        for line in weights_line(self.told(result).about):
            note(line, "")

    @property
    def files(self) -> list[Path]:
        """Files and folders that are read, which no result may replace."""
        names = [name for name in (self.target, self.what) if name]
        homes = [name.rpartition(":")[0] for name in names if ":" in name]
        modules = [f"{home.replace('.', '/')}.py" for home in homes]
        return [*map(Path, [*names, *homes, *modules]), *([self.weights] if self.weights else [])]

    def run(self, act: Callable[[nn.Module, Inputs, Progress], T]) -> T:
        """Load the network and do something with it on its input, under a progress bar.

        Where the options leave the input's channels open, colour is tried first, then grey. Files are read
        from the folder in which the command was given, even if the target's code goes to another.

        Raises:
            UncheckError: the network or its input cannot be read, or it takes no input that was tried.
        """
        with progress_bar() as progress, _user_code(self.target):
            return self._run(lambda model, inputs: act(model, inputs, progress))

    def _run(self, act: Callable[[nn.Module, Inputs], T]) -> T:
        from uncheck.reading import load_target, load_weights, watch_loading

        with watch_loading() as loaded:
            self.model = model = load_target(self.target)
        self.by_target = bool(loaded)
        if self.weights is not None:
            with chdir(self.folder):
                self.loaded = load_weights(model, self.weights)
        if self.what is None and self.shape is None:
            return self._on_made_up(model, act)
        inputs = self._input(model, self.shape)
        try:
            return act(model, inputs)
        except UncheckError as error:
            if self.shape is not None or not self._names_pictures or not _forward_raised(error):
                raise
            count, _, height, width = inputs[0].shape
            grey = self._input(model, (count, 1, height, width))
            try:
                result = act(model, grey)
            except UncheckError:
                raise error from None
        note("the network takes no colour pictures; they were made grey")
        return result

    def _on_made_up(self, model: nn.Module, act: Callable[[nn.Module, Inputs], T]) -> T:
        failures = []
        for shape in SHAPES:
            try:
                result = act(model, self._input(model, shape))
            except UncheckError as error:
                if not _forward_raised(error):
                    raise
                failures.append(error)
                continue
            note(f"no --input and no --shape given; used a made-up {_text(shape)}")
            self.request = replace(self.request, shape=_text(shape))
            return result
        raise UncheckError(
            f"no --input and no --shape given, and neither {_text(SHAPES[0])} nor {_text(SHAPES[1])} works "
            f"({failures[0]}); give the network's input with --input or --shape"
        ) from failures[0]

    @property
    def _names_pictures(self) -> bool:
        what = self.what or ""
        return not what.endswith(".npy") and (":" not in what or (self.folder / what).exists())

    def _input(self, model: nn.Module, shape: tuple[int, ...] | None) -> Inputs:
        from uncheck.probing.inputs import MOST_FROM_FOLDER, like_weights, load_input

        with chdir(self.folder):
            inputs = load_input(self.what, shape, self.range, self.most or MOST_FROM_FOLDER)
        if self.what is not None and ":" in self.what:  # a callable has the last word on its inputs
            return inputs
        return tuple(like_weights(model, x) for x in inputs)


@contextmanager
def _user_code(what: str) -> Iterator[None]:
    """Send what is printed inside to stderr, and come back to the same folder afterwards.

    Raises:
        UncheckError: instead of ending the program, when the code inside calls sys.exit or raises what is no
            Exception.
    """
    with redirect_stdout(sys.stderr), chdir(Path.cwd()):
        try:
            yield
        except (Exception, KeyboardInterrupt):
            raise
        except SystemExit as error:
            raise UncheckError(
                f"{what} ended the program (sys.exit({error.code!r})); let it return instead"
            ) from error
        except BaseException as error:
            raise UncheckError(
                f"{what} raised {type(error).__name__} ({first_line(error)}), which ends a program; let it "
                "raise an Exception instead"
            ) from error


def _check_input(what: str | None) -> None:
    """Refuse an input that does not exist before anything heavy is imported.

    Raises:
        UncheckError: there is no such file, folder, or name in a file.
    """
    if what is None or Path(what).exists():
        return
    if ":" in what:
        check_target(what)
        return
    from uncheck.signals.folders import expand
    from uncheck.signals.paths import check_file

    if any(sign in what for sign in "*?["):
        expand([what])
    else:
        check_file(what)


def _forward_raised(error: UncheckError) -> bool:
    """Test whether the network itself failed, so that another input may help."""
    return error.__cause__ is not None


def _text(shape: tuple[int, ...]) -> str:
    return ",".join(map(str, shape))
