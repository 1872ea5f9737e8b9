"""Bugs in what a worker takes from a Redis that anybody may have written to."""

from proofs.mutants.planting import Edit, Mutant

_BROKER = "coruscant.broker"
_SEALS = "coruscant.seals"
#: The simulation has a broker of its own.
_TESTS = ("coruscant/tests/test_broker.py",)

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "seal-not-asked-for",
        "whatever lies in a queue is read as a message",
        (Edit(_BROKER, "    return False\n\n\nclass _PubSub", "    return True\n\n\nclass _PubSub"),),
        tests=_TESTS,
        simulated=False,
    ),
    Mutant(
        "seal-for-any-queue",
        "a message that was sealed for another queue is taken",
        (Edit(_SEALS, "hashlib.sha256(name.encode()).digest() + text", "text"),),
        tests=_TESTS,
        simulated=False,
    ),
    Mutant(
        "seal-of-nobody",
        "the seal is made without SECRET_KEY",
        (
            Edit(
                _SEALS,
                "salted_hmac(purpose, hashlib.sha256(name.encode()).digest() + text, algorithm=",
                'salted_hmac(purpose, hashlib.sha256(name.encode()).digest() + text, secret="known", algorithm=',
            ),
        ),
        tests=_TESTS,
        simulated=False,
    ),
    Mutant(
        "whoever-publishes-commands",
        "whoever can publish can have all workers shut down",
        (Edit(_BROKER, 'found[0] in (b"message", b"pmessage") and', "False and"),),
        tests=_TESTS,
        simulated=False,
    ),
    Mutant(
        "given-back-unread",
        "what was planted as not acknowledged comes into its queue",
        (Edit(_BROKER, "return (queue, text) if _is_ours(queue, text.encode()) else None", "return queue, text"),),
        tests=_TESTS,
        simulated=False,
    ),
    Mutant(
        "wrong-type-stays",
        "a key of another type in the place of a queue stays there",
        (Edit(_BROKER, "                    client.delete(key)\n", ""),),
        tests=_TESTS,
        simulated=False,
    ),
    Mutant(
        "every-error-is-a-wrong-type",
        "a worker takes a replica's refusal for an empty queue, and spins",
        (Edit(_BROKER, 'if "WRONGTYPE" not in str(error):', "if False:"),),
        tests=_TESTS,
        simulated=False,
    ),
)
