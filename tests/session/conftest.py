import pytest

from tests.session.sessions import Stage, stages


@pytest.fixture
def stage(qapp) -> Stage:
    """A session that nobody has started."""
    yield from stages()


@pytest.fixture
def standing(stage) -> Stage:
    """A session with an open run and its first trace."""
    stage.stand()
    return stage
