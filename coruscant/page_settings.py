"""How pages and those of history are made, the same everywhere. The settings import all of it."""

from typing import Any

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

SIMPLE_HISTORY_ENABLED = False  # its signal handlers: triggers of the database write the history
SIMPLE_HISTORY_DATE_INDEX = False  # history is read by row, in the order of its own ids
SIMPLE_HISTORY_REVERT_DISABLED = True  # the past is read, never restored over the present
