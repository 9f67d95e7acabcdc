"""The dashboard: pages where people write policies, review, watch and prove.

It has no door of its own. A page shows what `/v1` answers to the person who looks, asked in this process with
the session of that person: what they may see and do, and every failure, is decided there (ADR 0029).
"""
