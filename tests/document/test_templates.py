"""The templates that come with the program: each is there, has no problems, and is told apart."""

from __future__ import annotations

import pytest

from nnviz.document.shapes.report import examine
from nnviz.document.store.examples import TEMPLATES, document_path, open_document, template, template_path
from nnviz.document.store.files import DocumentError, dumps
from nnviz.resource_files import resource_folder


def test_every_file_is_offered_and_every_offer_has_its_file():
    assert {path.stem for path in resource_folder("templates").glob("*.json")} == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_can_be_run_and_is_placed_automatically(name):
    present = template(name)
    assert examine(present).problems == () and present.canvas == {}
    assert dumps(present) == template_path(name).read_bytes(), "written as the program writes"


def test_titles_and_explanations_tell_them_apart():
    assert len({template(name).title for name in TEMPLATES}) == len(set(TEMPLATES.values())) == len(TEMPLATES)


def test_templates_open_by_name():
    assert open_document("template:mlp") == template("mlp") and document_path("template:mlp") == template_path("mlp")
    with pytest.raises(DocumentError, match=r"template:mpl.*Did you mean mlp"):
        open_document("template:mpl")
