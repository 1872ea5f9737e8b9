"""`python -m local.stack`: run the stack in the foreground until Ctrl-C, and print how to reach it."""

import argparse
import signal
import sys
import time
from pathlib import Path
from shlex import quote

from local.stack.errors import EmbeddedStackError
from local.stack.stack import EmbeddedStack


def main() -> int:
    """Start the stack, print its environment as export lines, and stop it on Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".local/embedded"), help="data and logs (%(default)s)")
    parser.add_argument("--write-env", type=Path, metavar="FILE", help="write the environment to FILE as well")
    parser.add_argument("--not-durable", action="store_true", help="faster and unsafe: for tests only")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # in a shell's background job SIGINT is ignored by default
        signal.signal(number, signal.default_int_handler)
    stack = EmbeddedStack(folder=options.folder, durable=not options.not_durable)
    try:
        with stack:
            environment = stack.environment | {
                "MIGRATIONS_DATABASE_URL": stack.postgres.owner_database_url,
                "SUPERUSER_DATABASE_URL": stack.superuser_database_url,
            }
            if options.write_env:
                options.write_env.write_text("".join(f"{name}={value}\n" for name, value in environment.items()))
            print("".join(f"export {name}={quote(value)}\n" for name, value in environment.items()), flush=True)
            print(f"Running; logs are in {stack.log_folder}. Ctrl-C stops.", file=sys.stderr, flush=True)
            while all(server.running for server in stack.servers):
                time.sleep(0.5)
            ended = next(server for server in stack.servers if not server.running)
            print(f"{ended.name} ended.{ended.process.log_tail()}", file=sys.stderr)
            return 1
    except EmbeddedStackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
