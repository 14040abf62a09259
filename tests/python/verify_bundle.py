"""Verifies an exported bundle without a network: charter, entries, proofs, what counts, and the frontier.

Exit code 0 when everything holds, 10 when something does not, 2 for wrong use.
"""

import sys

from xianmeng.bundle import Failure, Verifier

DAMAGED = 10


def summary(verifier):
    charter, replica = verifier.charter, verifier.replica
    yield f"federation  {charter.federation.hex()}  {charter.roster.name}"
    yield f"charter     version {charter.version()}, tip {charter.blocks[-1].hash.hex()}"
    for log in charter.roster.logs:
        held, counted = len(replica.logs[log.number].entries), replica.effective_length(log)
        notes = [f"{held} held"]
        if log.key in replica.proofs:
            notes.append(f"forked at {replica.proofs[log.key]}")
        if log.seal is not None:
            notes.append("sealed")
        yield f"{verifier.member(log)}, log {log.number}: {counted} entries count ({', '.join(notes)})"
    if verifier.above_seal:
        yield f"{verifier.above_seal} entries lie above a seal and were left out"
    yield f"bodies      {'complete' if replica.complete() else 'some are absent'}"
    yield f"frontier    {replica.digest().hex()}"


def main(arguments):
    if len(arguments) != 1:
        print(f"usage: {sys.argv[0]} BUNDLE", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], "rb") as file:
            verifier = Verifier().run(file)
    except OSError as error:
        print(f"{arguments[0]}: {error.strerror}", file=sys.stderr)
        return 2
    except Failure as failure:
        print(f"NOT VALID: {failure}", file=sys.stderr)
        return DAMAGED
    print("\n".join(summary(verifier)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
