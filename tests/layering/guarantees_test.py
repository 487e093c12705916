#!/usr/bin/python3
"""Every promise in docs/guarantees.md names its test: this one checks that the name exists, and that no row of
a table is without one. First sees two planted lies caught. Usage: guarantees_test.py [ROOT]"""

import os
import re
import sys

NAMED = re.compile(r"`(\w+_test): (test_\w+)`|`(tests/[\w/.]+)`")
UNPROVEN = ("|---", "| failure ", "| promise ", "| situation ")


def problems(text: str, exists) -> list[str]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        names = NAMED.findall(line)
        if line.startswith("|") and not line.startswith(UNPROVEN) and not names:
            found.append(f"docs/guarantees.md:{number}: a row that names no test")
        for file, test, path in names:
            if not exists(file, test, path):
                found.append(f"docs/guarantees.md:{number}: no such test: {path or file + ': ' + test}")
    return found


def exists_under(root: str):
    def exists(file: str, test: str, path: str) -> bool:
        if path:
            return os.path.exists(os.path.join(root, path))
        source = os.path.join(root, "tests/sockets", file + ".py")
        return os.path.exists(source) and f"def {test}(" in open(source, encoding="utf-8").read()
    return exists


def main() -> int:
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../..")
    if not problems("| a | holds (`x_test: test_y`) |", lambda *_: False) or \
       not problems("| a | holds |", lambda *_: True):
        print("self-test: a planted lie went unseen")
        return 1
    with open(os.path.join(root, "docs/guarantees.md"), encoding="utf-8") as file:
        text = file.read()
    found = problems(text, exists_under(root))
    print("\n".join(found) or f"guarantees: {len(NAMED.findall(text))} names, all there")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
