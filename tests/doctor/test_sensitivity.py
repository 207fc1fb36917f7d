"""Planted faults are named first: of every kind three or more. README.md prints how many are."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnviz.document.finding_kinds import FINDING_KINDS
from tests.doctor.going import diagnoses
from tests.doctor.planted import ALL, Planted
from tests.doctor.planted_later import LATER

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def named_first(planted: Planted) -> bool:
    """Whether nothing but information stands before it when it is first found, in time."""
    for _, found in diagnoses(planted.experiment, planted.within):
        wrong = [one.kind for one in found if not one.is_information]
        if planted.kind in wrong:
            return wrong[0] == planted.kind
    return False


def bounds(kind: str) -> str:
    """What stands in the table of README.md."""
    fields = FINDING_KINDS[kind].fields
    return " · ".join(f"{field.explanation}: {field.default:g}" for field in fields).replace("|", r"\|") or "exact"


@pytest.mark.parametrize("kind", FINDING_KINDS)
def test_planted_faults_are_named_first(kind: str) -> None:
    planted = [one for one in ALL if one.kind == kind]
    missed = [one.what for one in planted if not named_first(one)]
    assert len(planted) >= 3 and not missed
    row = f"| {FINDING_KINDS[kind].label} | {bounds(kind)} | {len(planted) - len(missed)} of {len(planted)} |"
    assert row in README.splitlines()


def test_a_second_batch_is_named_first_as_often_as_the_readme_says() -> None:
    hits = sum(named_first(one) for one in LATER)
    assert f"{hits} of {len(LATER)}" in README
