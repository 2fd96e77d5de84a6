# SPDX-License-Identifier: Apache-2.0
"""Counts what test tools reported.

Arguments: a file to append "passed failed" to, then reports: JUnit XML files or directories of them, and logs of
`go test -v`. Names each test that failed or was skipped; a skip counts as a failure, for a skipped test proves nothing.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

GO_RESULT = re.compile(r"^(\s*)--- (PASS|FAIL|SKIP): (\S+)")

passed = 0
bad = []


def count_xml(path):
    global passed
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name')}"
        verdicts = {child.tag: child for child in case}
        if "failure" in verdicts or "error" in verdicts:
            problem = verdicts["failure"] if "failure" in verdicts else verdicts["error"]
            reason = (problem.get("message") or problem.text or "").strip().splitlines()
            bad.append(f"FAILED  {name}" + "".join(f"\n              {line[:200]}" for line in reason[:3]))
        elif "skipped" in verdicts:
            bad.append(f"SKIPPED {name}: {verdicts['skipped'].get('message') or ''}".strip())
        else:
            passed += 1


def count_go(path):
    global passed
    for line in path.read_text(errors="replace").splitlines():
        match = GO_RESULT.match(line)
        if match and match[2] == "PASS":
            passed += 1
        elif match:
            bad.append(f"{'SKIPPED' if match[2] == 'SKIP' else 'FAILED '} {match[3]}")


for argument in sys.argv[2:]:
    path = pathlib.Path(argument)
    if path.is_dir():
        for report in sorted(path.glob("TEST-*.xml")):
            count_xml(report)
    elif path.suffix == ".xml" and path.exists():
        count_xml(path)
    elif path.exists():
        count_go(path)

for line in bad:
    print("    " + line)
with open(sys.argv[1], "a", encoding="utf-8") as results:
    results.write(f"{passed} {len(bad)}\n")
