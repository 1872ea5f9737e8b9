"""The service's settings for a process that a proof kills or freezes at a failpoint.

A process gets them through DJANGO_SETTINGS_MODULE. Reading them arms it: a web worker when it loads the application,
a Celery worker before its pool is forked, so that the pool's processes are armed as well.
"""

from coruscant.settings import *  # noqa: F403
from coruscant.settings import env
from proofs.service import arming

FAILPOINT_SIGNAL = env.text("FAILPOINT_SIGNAL")
try:
    arming.arm(FAILPOINT_SIGNAL)
except ValueError as error:
    env.refuse("FAILPOINT_SIGNAL", str(error))
