"""Both feeds and both markets' answers under fuzz: by coverage, each in a process of its own, and by structure."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pricing.markets import Market
from proofs.fuzzing import structured
from proofs.fuzzing.seeds import ANSWERS, EVENTS, LIES, envelope, words
from proofs.fuzzing.service import ROOT
from proofs.fuzzing.statuses import STATUSES

TARGETS = tuple((kind, market) for kind in ("feed", "venue") for market in Market)
#: An input that takes longer, or a process that grows beyond, is a finding.
LONGEST_SECONDS = 5
MOST_MEGABYTES = 1024
#: A process that needs longer is stuck, however busy the machine.
SLOWEST_START_SECONDS = 120
FEWEST_A_SECOND = 50
#: The largest body that either reader looks at is 64 KiB; most accidents happen in far shorter ones.
LONGEST_BODY = 4096


@dataclass(frozen=True, slots=True)
class Report:
    """What one target was given and took it for; `finding` is empty when every promise held."""

    target: str
    inputs: int
    counts: Counter[str]
    branches: int = 0
    finding: str = ""


def all_by_coverage(*, inputs: int, folder: Path, seed: int = 1) -> list[Report]:
    """Run Atheris on every target, one a core."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(by_coverage, *target, inputs=inputs, folder=folder, seed=seed) for target in TARGETS]
        return [run.result() for run in runs]


def by_coverage(kind: str, market: Market, *, inputs: int, folder: Path, seed: int = 1) -> Report:
    """Run Atheris on one target; what it learned stays in `folder`, and a later run begins with it."""
    target = f"{kind}:{market.value}"
    corpus = folder / target.replace(":", "-")
    corpus.mkdir(parents=True, exist_ok=True)
    for number, example in enumerate(_examples(kind, market)):
        (corpus / f"documented-{number}").write_bytes(example)
    dictionary, figures = corpus.with_suffix(".words"), corpus.with_suffix(".json")
    dictionary.write_text("".join(f'"{_quoted(word)}"\n' for word in sorted(words())))
    figures.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "proofs.fuzzing.coverage_guided", target, str(figures)),
        *(f"-atheris_runs={inputs}", f"-seed={seed}", f"-timeout={LONGEST_SECONDS}", f"-max_len={LONGEST_BODY}"),
        *(f"-rss_limit_mb={MOST_MEGABYTES}", f"-dict={dictionary}", f"-artifact_prefix={folder}/"),
        str(corpus),
    ]
    patience = SLOWEST_START_SECONDS + inputs / FEWEST_A_SECOND
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired as stuck:
        return Report(target, 0, Counter(), finding=f"it says nothing for {patience:.0f} s: {stuck.stdout!r}")
    counts = Counter[str](json.loads(figures.read_text()) if figures.exists() else {})
    seen = re.findall(r"cov: (\d+)", done.stderr)
    finding = (
        ""
        if done.returncode == 0 and counts.total() >= inputs
        else f"ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return Report(target, counts.total(), counts, int(seen[-1]) if seen else 0, finding)


def _what_went_wrong(output: str) -> str:
    """The output without libFuzzer's progress."""
    return "\n".join(line for line in output.splitlines() if not line.startswith(("#", "INFO", "WARNING")))


def by_structure(kind: str, market: Market, *, inputs: int, seed: int = 1) -> Report:
    """Run Hypothesis on one target, in this process."""
    target = f"{kind}:{market.value}"
    try:
        counts = (structured.feed if kind == "feed" else structured.venue)(market, inputs, seed)
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        return Report(target, 0, Counter(), finding=f"{type(error).__name__}: {error}\n{notes}")
    return Report(target, counts.total(), counts)


def _examples(kind: str, market: Market) -> Iterator[bytes]:
    """Inputs as the target takes them: a byte that decides, then the body."""
    if kind == "venue":
        for number in range(len(STATUSES)):
            yield from (bytes([number]) + json.dumps(answer).encode() for answer in (*ANSWERS[market], *LIES[market]))
        return
    body = json.dumps(EVENTS[market])
    other = json.dumps({**EVENTS[market], "item": "SPICE", "asset": "SPICE"})
    for text in (body, other, json.dumps(envelope(body))):
        yield from (b"\x00" + text.encode(), b"\x01" + text.encode())


def _quoted(word: str) -> str:
    return "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\x{byte:02x}" for byte in word.encode()
    )
