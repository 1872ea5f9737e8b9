"""An application for a worker whose clients have a second: at `/short` an answer that is short, else a long one."""

from coruscant.web import sending

LENGTH = 64 * 1024 * 1024
_PART = b"x" * 65536

sending.ANSWER_SECONDS = 1.0


def application(environ, start_response):
    """What gunicorn serves."""
    parts = [b"short"] if environ["PATH_INFO"] == "/short" else [_PART] * (LENGTH // len(_PART))
    start_response("200 OK", [("Content-Length", str(sum(map(len, parts))))])
    return iter(parts)
