import pytest

from nnviz.extras import MissingExtra, extra


def test_a_library_that_is_there_is_loaded():
    with extra("video", "A recording"):
        import json
    assert json.loads("1") == 1


def test_the_line_that_installs_what_is_missing_is_said():
    with pytest.raises(MissingExtra) as caught, extra("video", "A recording"):
        import no_such_library.inside  # noqa: F401
    assert str(caught.value) == 'A recording needs no_such_library, which is not installed. Install it with: pip install "nnviz[video]"'
