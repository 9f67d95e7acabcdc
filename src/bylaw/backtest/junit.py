"""Results of cases as JUnit XML, which build servers read."""

from itertools import groupby
from xml.etree import ElementTree as ET

from bylaw.backtest.cases import CaseResult, Run


def junit(run: Run) -> str:
    """Return the run as JUnit XML, one suite for each file of cases."""
    root = ET.Element("testsuites", tests=str(len(run.results)), failures=str(run.failed))
    for file, results in groupby(run.results, key=lambda result: result.file):
        _suite(root, file, list(results))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ET.Element, file: str, results: list[CaseResult]) -> None:
    failed = sum(bool(result.misses) for result in results)
    suite = ET.SubElement(root, "testsuite", name=file, tests=str(len(results)), failures=str(failed))
    for result in results:
        case = ET.SubElement(
            suite, "testcase", classname=file, name=result.name, file=file, line=str(result.line)
        )
        if result.misses:
            failure = ET.SubElement(case, "failure", message=_printable(result.misses[0]))
            failure.text = _printable("\n".join(result.misses))


def _printable(text: str) -> str:
    """Return `text` without the control characters that XML cannot carry."""
    return "".join(c for c in text if c in "\t\n" or c.isprintable() or c == " ")
