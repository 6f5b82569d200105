"""Write the output of `uncheck inspect` on the demo network into README.md, or check that it is still right.

    python docs/readme.py            # write
    python docs/readme.py --check    # compare; exit code 1 and the differing lines if it is out of date

The text must be the same. Because processors round differently, numbers may differ by one unit of their last
digit or 1 %, and p-values by a factor of 10.
"""

from __future__ import annotations

import re
import sys
from itertools import zip_longest
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
COMMAND = "uncheck inspect uncheck.demo:load --input uncheck.demo:pictures"
BLOCK = re.compile(r"(?<=<!-- inspect -->\n).*?(?=<!-- /inspect -->)", re.DOTALL)

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
PADDING = re.compile(r"[ ─▏▎▍▌▋▊▉█]+")
"""Spaces, rules and bars follow from the numbers."""


def measured() -> str:
    """Return the block as the present code writes it."""
    import torch

    from uncheck import inspect
    from uncheck.cli.demo import REQUEST
    from uncheck.cli.network import Told
    from uncheck.demo import load, pictures
    from uncheck.reporting import inspect_text

    torch.set_num_threads(1)
    found = Told(inspect(load(), pictures()), by_target=True, request=REQUEST)
    lines = [f"$ {COMMAND}", *inspect_text(found).rstrip().split("\n")]
    return "".join(f"    {line}".rstrip() + "\n" for line in lines)


def same(old: str, new: str) -> bool:
    """Test whether two lines have the same words, and numbers that agree.

    >>> same("period 4 at 4.42", "period 4 at 4.43"), same("period 4 at 4.42", "period 5 at 4.42")
    (True, False)
    >>> same("0.78  4e-35", "0.78  2e-34"), same("0.78", "0.80")
    (True, False)
    """
    words = [PADDING.sub(" ", NUMBER.sub("#", line)).strip() for line in (old, new)]
    return words[0] == words[1] and all(
        agree(a, b) for a, b in zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    )


def agree(old: str, new: str) -> bool:
    """Test whether two printed numbers agree as far as rounding allows; integers below 10 must be equal."""
    a, b = float(old), float(new)
    if "e" in old or "e" in new:
        return a / 10 <= b <= 10 * a
    if "." not in old and a < 10:
        return a == b
    last = 10.0 ** -len(old.partition(".")[2])
    return abs(a - b) <= max(1.01 * last, 0.01 * a)


def main(arguments: list[str]) -> int:
    """Write the block, or compare it with `--check`."""
    text = README.read_text(encoding="utf-8")
    found = BLOCK.search(text)
    if found is None:
        print(f"{README.name} has lost its <!-- inspect --> marks")
        return 1
    new = measured()
    if arguments != ["--check"]:
        README.write_text(text[: found.start()] + new + text[found.end() :], encoding="utf-8")
        return 0
    pairs = zip_longest(found[0].splitlines(), new.splitlines(), fillvalue="")
    wrong = [(a, b) for a, b in pairs if not same(a, b)]
    for a, b in wrong:
        print(f"{README.name}: {a}\nnow:       {b}")
    if wrong:
        print("run `python docs/readme.py`, and look at what has changed")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
