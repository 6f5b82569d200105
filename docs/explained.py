"""Write docs/causes.md and docs/glossary.md from the package, or check that they are still right.

python docs/explained.py            # write
python docs/explained.py --check    # compare; exit code 1 if one is out of date
"""

from __future__ import annotations

import sys
from pathlib import Path

from uncheck.advising.causes import CAUSES
from uncheck.advising.explain import page
from uncheck.advising.glossary import GLOSSARY

DOCS = Path(__file__).parent

CAUSES_HEAD = """# Causes

What leaves a grid, what only looks like one, and what to do. `uncheck explain NAME` prints each of
these pages. In a report commands and layers are filled in for the network at hand. Figures are those of
the committed results that are named."""

GLOSSARY_HEAD = """# Glossary

The words of the reports. `uncheck explain WORD` prints each."""


def pages() -> dict[Path, str]:
    """Return the text of each page by its path."""
    causes = [CAUSES_HEAD, *(f"{page(cause, 2)}\n\nName: `{name}`." for name, cause in CAUSES.items())]
    words = [GLOSSARY_HEAD, *(f"**{word}**: {meaning}" for word, meaning in GLOSSARY.items())]
    return {
        DOCS / "causes.md": "\n\n".join(causes) + "\n",
        DOCS / "glossary.md": "\n\n".join(words) + "\n",
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with `--check`."""
    wrong = 0
    for path, text in pages().items():
        if arguments != ["--check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"docs/{path.name} is out of date: run `python docs/explained.py`")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
