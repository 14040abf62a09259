//! Tests of matching at a node.
