"""The documents as a site: it builds, every link in it leads somewhere, and it needs no other host."""

import fnmatch
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser import CHROMIUM, open_chromium

ROOT = Path(__file__).resolve().parent.parent
#: Tags that make a browser fetch something, by the attribute that says what.
FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}
MOST_LINES_OF_README = 90
#: What stands in backticks and is a path of the repository, or the end of one.
_PATH = re.compile(
    r"`((?=[^`]*(?:/|\.(?:css|in|ini|js|json|md|py|sh|sql|template|toml|tpl|txt|ya?ml)`))\w[\w.-]*(?:/[\w.*<>-]+)*)/?`"
)
#: Images.
NOT_IN_THE_REPOSITORY = {"localstack/localstack", "valkey/valkey"}


class Page(HTMLParser):
    """What a page links to, what it fetches, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.anchors = set(), set(), {""}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.anchors.add(value)
            elif (tag, name) in FETCHED:
                self.fetched.add(value)
            elif (tag, name) == ("a", "href"):
                self.links.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def chromium():
    yield from open_chromium()


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text()) for path in site.rglob("*.html")}


def test_every_link_leads_to_a_file_of_the_site_and_to_an_anchor_in_it(site, pages):
    followed = 0
    for path, page in pages.items():
        if path.name == "404.html":  # whose links begin at the root of the server
            continue
        for link in page.links | page.fetched:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.relative_to(site)}: {link}"
            if target in pages and not parts.fragment.startswith("__"):  # the theme's own, made by its script
                assert unquote(parts.fragment) in pages[target].anchors, f"{path.relative_to(site)}: {link}"
            followed += 1
    assert followed > 1000


def test_no_page_fetches_anything_from_another_host(site, pages):
    assert len(pages) > 50
    foreign = {url for page in pages.values() for url in page.fetched if urlsplit(url).netloc}
    assert foreign == set()
    styles = [path.read_text() for path in site.rglob("*.css")]
    assert not any(re.search(r"url\(['\"]?(https?:)?//", style) for style in styles)


def test_links_into_the_repository_work_here_too(site, pages):
    assert "benchmarks.html#compare-two-commits" in pages[site / "scaling.html"].links
    assert "benchmarks/results/full.json" in pages[site / "scaling.html"].links
    assert (site / "benchmarks/results/full.json").read_text() == (ROOT / "benchmarks/results/full.json").read_text()
    assert "add-a-market.html" in pages[site / "contributing.html"].links


def test_a_bar_in_a_cell_is_shown_as_on_github(pages):
    assert not any(r"\|" in cell for path in pages for cell in re.findall("<td>.*</td>", path.read_text()))


def test_no_page_shows_markdown_that_was_to_be_made_into_html(site, pages):
    for path in pages:
        shown = re.sub(r"(?s)<(script|pre|code)\b.*?</\1>", "", path.read_text())
        found = re.search(r"(?m)\]\(|\*\*|\|---|^\| ", re.sub("<[^>]*>", "", shown))
        assert found is None, f"{path.relative_to(site)}: {found}"


def test_the_api_has_a_page_with_every_operation_and_field(site, pages):
    page = site / "api-reference.html"
    operations = {"post-loan-applications", "post-collateral-top-ups", "get-loans", "get-loansloanid"}
    assert operations <= pages[page].anchors
    assert "outstandingBalance" in page.read_text()
    assert "[OAD(" not in page.read_text()
    assert "<credential>" not in page.read_text()  # a browser would take it for a tag


@pytest.mark.system
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium found: apt-get install chromium")
def test_opened_from_disk_it_draws_its_diagrams_and_finds_words_without_a_network(site, chromium):
    page = chromium.new_page()
    requested, errors = [], []
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{site}/architecture.html")
    page.wait_for_function("document.querySelectorAll('div.mermaid').length === 4")
    page.keyboard.press("/")
    page.get_by_role("textbox").press_sequentially("outbox")
    page.locator(".md-search-result__item").first.wait_for()
    assert errors == []
    assert {urlsplit(url).scheme for url in requested} <= {"file", "blob", "data"}


def test_readme_is_a_screen_and_a_half_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= MOST_LINES_OF_README
    assert re.findall(r"^    (make \w+)$", text, re.MULTILINE) == ["make demo", "make test"]
    links = re.findall(r"\]\(([^)#:]+)", text)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_path_that_a_document_names_is_there():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    there = [Path(name) for name in listed] + [folder for name in listed for folder in Path(name).parents]
    ends = {"/".join(path.parts[first:]) for path in there for first in range(len(path.parts))}
    missing, looked_at = [], 0
    for document in (name for name in listed if name.endswith(".md")):
        for written in re.findall(_PATH, (ROOT / document).read_text()):
            # A migration is named without its folder and title, and a market's module by what stands for its name.
            path = re.sub(r"^(\w+)/(\d{4})$", r"\1/migrations/\2_*.py", written).replace("<market>", "*")
            if path not in NOT_IN_THE_REPOSITORY:
                looked_at += 1
                if path not in ends and not fnmatch.filter(ends, path):
                    missing.append(f"{document}: {written}")
    assert missing == []
    assert looked_at > 400
