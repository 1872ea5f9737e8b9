"""The version is in one place, `coruscant.__version__`; what cannot import it says the same."""

import re
from pathlib import Path

import yaml

from coruscant import __version__

ROOT = Path(__file__).resolve().parent.parent


def test_the_version_is_one_of_semantic_versioning():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_description_of_the_api_has_it():
    assert yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["info"]["version"] == __version__


def test_the_label_of_the_image_has_it():
    labels = re.findall(r'org\.opencontainers\.image\.version="([^"]+)"', (ROOT / "Dockerfile").read_text())
    assert labels == [__version__]


def test_the_chart_has_it():
    chart = yaml.safe_load((ROOT / "deploy" / "helm" / "coruscant" / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_changelog_begins_with_it_or_with_what_is_unreleased():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert re.fullmatch(re.escape(__version__) + r" - \d{4}-\d{2}-\d{2}", released[0])
    assert "Unreleased" not in headings[1:]
