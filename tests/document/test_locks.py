from __future__ import annotations

import pytest

from nnviz.document import edits
from nnviz.document.locks import is_locked
from nnviz.document.problems import Refused
from nnviz.document.run_log import same_run
from nnviz.document.shapes.report import examine
from nnviz.document.store import files
from nnviz.document.store.files import DocumentError
from tests.session.sessions import two_moons


def test_weights_are_locked_and_freed_one_by_one_and_altogether():
    locked = edits.lock_weights(two_moons(), "h1.weight", [(0, 1), (3, 0), (0, 1)])
    assert locked.locks == {"h1.weight": [[0, 1], [3, 0]]} and not same_run(locked, two_moons())
    assert is_locked(locked, "h1.weight", (3, 0)) and not is_locked(locked, "h1.weight", (0, 0)) and not is_locked(locked, "h1.weight")
    whole = edits.lock_parameter(locked, "h1.weight")
    assert is_locked(whole, "h1.weight") and is_locked(whole, "h1.weight", (1, 1))
    but_one = edits.lock_weights(whole, "h1.weight", [(0, 0)], locked=False)
    assert len(but_one.locks["h1.weight"]) == 7 and not is_locked(but_one, "h1.weight", (0, 0))
    assert edits.lock_weights(but_one, "h1.weight", [(0, 0)]) == whole
    assert edits.lock_parameter(whole, "h1.weight", False) == two_moons()
    assert edits.lock_weights(locked, "h1.weight", [(0, 1), (3, 0)], locked=False) == two_moons()


def test_locks_are_saved_and_lost_with_what_they_locked():
    locked = edits.lock_weights(edits.lock_parameter(two_moons(), "out.bias"), "h1.weight", [(0, 1), (3, 0)])
    assert files.loads(files.dumps(locked)) == locked and examine(locked).ok
    assert edits.change_layer(locked, "h1", units=2).locks == {"out.bias": True}
    assert edits.disconnect_layers(locked, "x", "h1").locks == locked.locks
    assert edits.remove_layers(locked, ["h1"]).locks == {"out.bias": True}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda e: edits.lock_weights(e, "h1.weight", [(9, 0)]), "no element"),
        (lambda e: edits.lock_weights(e, "h1.weight", [(0,)]), "no element"),
        (lambda e: edits.lock_parameter(e, "h1.wait"), "Did you mean h1.weight"),
    ],
)
def test_what_cannot_be_locked_says_why(call, said):
    with pytest.raises(Refused, match=said):
        call(two_moons())


@pytest.mark.parametrize("written", ['{"h1.weight": 3}', '{"h1.weight": []}', '{"h1.weight": [[true]]}', '{"h1.weight": [[-1, 0]]}', "[]"])
def test_a_document_with_broken_locks_is_refused_at_the_place(written):
    with pytest.raises(DocumentError, match="locks"):
        files.loads(files.dumps(two_moons()).rstrip()[:-1] + b', "locks": ' + written.encode() + b"}")


def test_locks_that_fit_nothing_are_problems_of_the_document():
    text = files.dumps(two_moons()).rstrip()[:-1] + b', "locks": {"h1.weight": [[9, 9]], "gone.bias": true}}'
    assert {problem.place for problem in examine(files.loads(text)).problems} == {"locks.h1.weight", "locks.gone.bias"}
