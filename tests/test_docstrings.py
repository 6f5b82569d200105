"""Every public function and class shows an example, its own or its base's, which runs with the tests."""

import inspect

import pytest

import uncheck

ROOMS = {"": uncheck, **{f"{name}.": getattr(uncheck, name) for name in ("layers", "phases", "training")}}


def public():
    """Return the functions and classes that users can reach, by their names; exceptions show nothing."""
    found = {room + name: getattr(home, name) for room, home in ROOMS.items() for name in home.__all__}
    return {
        name: one
        for name, one in found.items()
        if inspect.isfunction(one) or (inspect.isclass(one) and not issubclass(one, Exception))
    }


@pytest.mark.parametrize("name", public())
def test_it_shows_an_example(name):
    one = public()[name]
    homes = inspect.getmro(one) if inspect.isclass(one) else [one]
    assert any(">>>" in (home.__doc__ or "") for home in homes if home.__module__.startswith("uncheck"))
