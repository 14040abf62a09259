"""A second implementation of the protocol's formats and rules, for checking. See protocol/SPEC.md."""
