"""What `import uncheck` gives, and what it does not import."""

import subprocess
import sys

import pytest


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_rooms_are_there_without_an_import_of_their_own():
    code = "import uncheck; print(uncheck.layers.ResizeConv2d.__name__, uncheck.phases.project.__name__)"
    assert run(code) == "ResizeConv2d project"


def test_importing_the_package_imports_no_torch():
    assert run("import sys, uncheck; print('torch' in sys.modules)") == "False"


def test_a_name_that_is_not_there():
    import uncheck

    with pytest.raises(AttributeError, match="module 'uncheck' has no attribute 'unchek'"):
        uncheck.unchek  # noqa: B018
