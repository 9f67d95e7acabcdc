"""What was decided, provably: receipts, the Merkle log, keys, proofs, bundles and verification."""
