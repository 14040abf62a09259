"""Verifies an exported bundle without a network: charter, entries, proofs, what counts, and the frontier.

An audit bundle gets a verdict as well: COMPLETE, or INCOMPLETE with everything that is missing.

Exit code 0 when everything holds, 10 when something does not, 2 for wrong use.
"""

import argparse
import sys

from xianmeng.bundle import Failure, Verifier
from xianmeng.completeness import AuditVerifier, is_audit

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


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", help="an export or an audit bundle")
    parser.add_argument("--expect-frontier", metavar="HEX", type=bytes.fromhex, help="the frontier that it must be of")
    return parser.parse_args(arguments)


def main(arguments):
    arguments = parse(arguments)
    expected = arguments.expect_frontier
    try:
        with open(arguments.bundle, "rb") as file:
            verifier = (AuditVerifier(expected) if is_audit(file) else Verifier()).run(file)
    except OSError as error:
        print(f"{arguments.bundle}: {error.strerror}", file=sys.stderr)
        return 2
    except Failure as failure:
        print(f"NOT VALID: {failure}", file=sys.stderr)
        return DAMAGED
    if isinstance(verifier, AuditVerifier):
        complete = verifier.finish()
        print("\n".join(verifier.summary()))
        return 0 if complete else DAMAGED
    print("\n".join(summary(verifier)))
    if expected is not None and expected != verifier.replica.digest():
        print("NOT VALID: frontier-unexpected", file=sys.stderr)
        return DAMAGED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
