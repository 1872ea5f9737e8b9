"""Asking several stores at once, and waiting for none of them beyond a deadline."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

from django.db import connection

Answer = TypeVar("Answer")


def ask(questions: Mapping[str, Callable[[], Answer]], seconds: float) -> dict[str, Future[Answer]]:
    """Ask each in a thread of its own, and wait for so long at most. What is not done by then ends alone, unheard.

    A thread has a database connection of its own, which is closed at its end.
    """
    pool = ThreadPoolExecutor(len(questions), thread_name_prefix="ask")
    asked = {name: pool.submit(partial(_answer, question)) for name, question in questions.items()}
    wait(asked.values(), timeout=seconds)
    pool.shutdown(wait=False)
    return asked


def _answer(question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    finally:
        connection.close()
