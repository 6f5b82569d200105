"""Released networks and the article's labelled pictures, where they lie beside the repository."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def labelled(pattern: str) -> list[str]:
    """Names of the article's pictures that match; none where they are not at hand."""
    return sorted(path.name for path in (CASES / "labelled").glob(pattern))


def measured(name: str, periods: tuple[int, ...] = (2, 4)) -> dict[str, float]:
    """`uncheck.measure` of a labelled picture: grey levels of every period that is there, 0 where none is."""
    import uncheck

    found = uncheck.measure(CASES / "labelled" / name, periods=periods).images[0].found.present
    seen = {max(component.period): float(component.amplitude) for component in found}
    return {f"amplitude_{period}": round(seen.get(period, 0.0), 3) for period in periods}


def network(name: str) -> tuple[Any, Any]:
    """The module that defines the released networks, and the one of this name."""
    module = sys.modules.get("released_networks")
    if module is None:
        spec = spec_from_file_location("released_networks", CASES / "networks.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules["released_networks"] = module
        spec.loader.exec_module(module)
    return module, module.load(name)
