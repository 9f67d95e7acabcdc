"""Conformance cases where Bylaw means something else on purpose: name → reason.

A case listed here must fail; one that begins to pass is an error until its line is removed.
"""

EXACT = (
    "int and double compare by their exact amounts; the case expects the int to be rounded to a double, "
    "so that 2**63 - 1 would equal 2**63"
)

DIFFERENCES: dict[str, str] = {
    "comparisons/lt_literal/not_lt_dyn_int_big_lossy_double": EXACT,
    "comparisons/gt_literal/not_gt_dyn_big_double_int": EXACT,
    "comparisons/lte_literal/lte_dyn_big_double_int": EXACT,
    "comparisons/gte_literal/gte_dyn_int_big_lossy_double": EXACT,
}
