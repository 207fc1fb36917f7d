"""A call beside the window is interrupted where it does not end by itself, and not while it leaves all in order."""

import time

from nnviz.session.background_call import BackgroundCall, Cancelled


def test_a_call_that_has_heard_that_it_is_cancelled_leaves_all_in_order():
    left = []

    def work(check):
        try:
            while True:
                check()
        finally:
            for _ in range(50):
                time.sleep(0.01)
            left.append("in order")

    call = BackgroundCall(work)
    assert call.end(5.0) and isinstance(call.error, Cancelled)
    assert left == ["in order"]


def test_a_call_that_never_looks_is_interrupted():
    def work(check):
        while True:
            pass

    call = BackgroundCall(work)
    assert call.end(5.0) and isinstance(call.error, Cancelled)
