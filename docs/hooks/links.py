"""What `mkdocs build` cannot do by itself: pages that lie outside docs/, and links that work here and on GitHub alike.

A page links as GitHub wants it, by the path from its own file. Here a path to one of `PAGES`, or into docs/, becomes
the way to that page; any other file of the repository is copied into the site and linked there. Strict mode then checks
every link. A path that does not exist stays as it is, and is what strict mode reports.
"""

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
#: Files of the repository that are pages of the site, each where GitHub's readers look for it.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "local/README.md": "local.md",
    "local/simulators/README.md": "simulators.md",
    "proofs/README.md": "proofs.md",
    "proofs/model/README.md": "proofs-model.md",
}
_LINK = re.compile(r"\]\((?P<path>[^)\s#:]+)(?P<rest>(?:#[^)\s]*)?)\)")
_CELL = re.compile(r"<td>.*</td>")


def on_config(config: MkDocsConfig) -> None:
    """Put every decision into the navigation, in the order of their numbers."""
    decisions = sorted(path.relative_to(config.docs_dir) for path in Path(config.docs_dir, "decisions").glob("0*.md"))
    (section,) = (entry["Decisions"] for entry in config.nav or [] if "Decisions" in entry)
    section.extend(str(path) for path in decisions)


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages that lie elsewhere."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the page's links to files."""
    home = next((path for path, uri in PAGES.items() if uri == page.file.src_uri), f"docs/{page.file.src_uri}")

    def rewritten(link: re.Match[str]) -> str:
        path = normpath(join(dirname(home), link["path"]))
        if not (ROOT / path).is_file():
            return link[0]
        uri = PAGES.get(path) or path.removeprefix("docs/")
        if files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
        return f"]({relpath(uri, dirname(page.file.src_uri) or '.')}{link['rest']})"

    return _LINK.sub(rewritten, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    r"""Show `\|` in a cell as `|`, as GitHub does, and give Mermaid to pages with diagrams.

    It is large, and the theme would fetch it from another host.
    """
    html = _CELL.sub(lambda cell: cell[0].replace(r"\|", "|"), html)
    if 'class="mermaid"' not in html:
        return html
    return f'{html}\n<script src="{relpath("assets/mermaid.tiny.js", dirname(page.file.dest_uri) or ".")}"></script>'
