"""Imports point one way: each room may use the rooms listed for it, and no other."""

import ast
from pathlib import Path

import uncheck

SOURCE = Path(uncheck.__file__).parent

#: Not a room, but the one name that the command line takes from the package itself.
VERSION = "__version__"

#: Which rooms each room may import, beside itself.
ALLOWED = {
    "errors": set(),
    "plain": set(),
    # Results show themselves, and what draws them lies above all of them: imported when something is drawn.
    "showing": {"plain", "reporting"},
    "progress": set(),
    "workers": {"errors"},
    "writing": {"errors"},
    "words": set(),
    "foreign": set(),
    "targets": {"errors", "foreign"},
    # What a result means: it knows dictionaries alone, so that every result can ask it.
    "advising": {"errors", "plain", "words"},
    "geometry": {"errors", "plain", "showing", "advising"},
    "phases": {"errors", "words", "geometry"},
    "signals": {"errors", "words"},
    "measuring": {"errors", "words", "plain", "showing", "progress", "signals", "workers", "advising"},
    "cleaning": {"errors", "words", "plain", "writing", "signals", "measuring"},
    "reading": {"errors", "words", "plain", "targets", "geometry", "phases"},
    "probing": {
        "errors",
        "plain",
        "showing",
        "progress",
        "phases",
        "signals",
        "measuring",
        "reading",
        "advising",
    },
    "training": {
        "errors",
        "words",
        "plain",
        "showing",
        "reporting",
        "signals",
        "phases",
        "measuring",
        "reading",
    },
    "layers": {"errors", "words", "geometry", "phases"},
    "fusing": {"errors", "plain", "showing", "progress", "reading", "layers", "advising"},
    "editing": {"errors", "plain", "phases", "reading", "layers"},
    "judging": {"errors", "plain", "signals", "measuring", "reading", "probing"},
    "repairing": {
        "errors",
        "words",
        "plain",
        "showing",
        "progress",
        "writing",
        "phases",
        "signals",
        "measuring",
        "reading",
        "probing",
        "layers",
        "editing",
        "judging",
        "advising",
    },
    "swapping": {"errors", "plain", "showing", "phases", "reading", "layers", "editing"},
    # The former names of several rooms, for the code of users.
    "fixing": {"errors", "fusing", "editing", "repairing", "swapping"},
    "demo": {"errors"},
    "reporting": {"errors", "words", "advising", "geometry"},
    "cli": {
        "errors",
        "targets",
        "progress",
        "workers",
        "writing",
        "plain",
        "geometry",
        "signals",
        "measuring",
        "reading",
        "probing",
        "demo",
        "fusing",
        "editing",
        "repairing",
        "reporting",
        "advising",
        VERSION,
    },
    # The package itself names the public verbs; `python -m uncheck` starts the command line.
    "__init__": {
        "errors",
        "cleaning",
        "geometry",
        "measuring",
        "probing",
        "training",
        "editing",
        "fusing",
        "repairing",
        "swapping",
    },
    "__main__": {"cli"},
}

#: Rooms that must stay importable without the libraries named.
WITHOUT = {
    "errors": {"torch", "numpy", "scipy"},
    "plain": {"torch", "numpy", "scipy"},
    "showing": {"torch", "numpy", "scipy"},
    "writing": {"torch", "numpy", "scipy"},
    "words": {"torch", "numpy", "scipy"},
    "foreign": {"torch", "numpy", "scipy"},
    "targets": {"torch", "numpy", "scipy"},
    "advising": {"torch", "numpy", "scipy"},
    "geometry": {"torch", "scipy"},
    "signals": {"torch"},
    "measuring": {"torch"},
    "reporting": {"torch"},
}


def back_arrows(source: Path) -> list[str]:
    """One line per import of `source` (the folder of the package) that ALLOWED and WITHOUT do not allow."""
    found = []
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        room = parts[0]
        for line, name in imports(path, ("uncheck", *parts[:-1])):
            package, _, rest = name.partition(".")
            used = rest.split(".")[0]
            where = f"{'/'.join(parts)}.py:{line}"
            if room not in ALLOWED:
                found.append(f"{where} lies in {room}, a room that is not in ALLOWED")
            elif package == "uncheck" and used not in {room, *ALLOWED[room]}:
                found.append(f"{where} imports {used or 'the package itself'}, which {room} may not")
            elif package in WITHOUT.get(room, set()):
                found.append(f"{where} imports {package}, which {room} does without")
    return found


def imports(path: Path, package: tuple[str, ...]) -> list[tuple[int, str]]:
    """Line and full dotted name of everything a file imports, wherever in the file it does."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            home = ".".join((*base, *([node.module] if node.module else [])))
            # `from uncheck import x` names x's room only in the list of names.
            found += [(node.lineno, f"{home}.{alias.name}") for alias in node.names]
    return found


def test_no_back_arrow():
    assert back_arrows(SOURCE) == []


def test_no_arrow_is_allowed_that_nobody_takes():
    taken: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        names = [
            name.split(".")[1]
            for _, name in imports(path, ("uncheck", *parts[:-1]))
            if name.startswith("uncheck.")
        ]
        taken.setdefault(parts[0], set()).update(names)
    assert {room: allowed - taken[room] for room, allowed in ALLOWED.items() if allowed - taken[room]} == {}


def test_every_room_is_seen():
    rooms = {p.name for p in SOURCE.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert rooms <= set(ALLOWED)
    assert {"geometry", "phases", "reading", "measuring", "probing", "reporting", "cli"} <= rooms


def plant(tmp_path: Path, name: str, text: str) -> list[str]:
    path = tmp_path / "uncheck" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return back_arrows(tmp_path / "uncheck")


def test_planted_arrows_are_caught(tmp_path):
    cases = {
        "import uncheck.cli\n": "geometry/a.py:1 imports cli, which geometry may not",
        "from uncheck import reading\n": "geometry/a.py:1 imports reading, which geometry may not",
        "from ..phases import gains\n": "geometry/a.py:1 imports phases, which geometry may not",
        "if 1:\n    import uncheck.cli.a\n": "geometry/a.py:2 imports cli, which geometry may not",
        "import torch.nn\n": "geometry/a.py:1 imports torch, which geometry does without",
        "import uncheck\n": "geometry/a.py:1 imports the package itself, which geometry may not",
    }
    for i, (text, expected) in enumerate(cases.items()):
        assert plant(tmp_path / str(i), "geometry/a.py", text) == [expected]


def test_allowed_imports_pass(tmp_path):
    text = "from uncheck.errors import UncheckError\nfrom . import b\nfrom .b import c\nimport numpy\n"
    assert plant(tmp_path, "geometry/a.py", text) == []


def test_unknown_room_is_caught(tmp_path):
    assert plant(tmp_path, "utils/a.py", "import math\n") == [
        "utils/a.py:1 lies in utils, a room that is not in ALLOWED"
    ]
