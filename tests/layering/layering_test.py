#!/usr/bin/python3
"""Keeps the house in shape: arrows, libraries, sizes. First plants one violation of every rule in a
small imaginary tree and sees each caught, then checks the real tree. Usage: layering_test.py [ROOT]"""

import os
import sys

import rules
import tables

ROOMS = ("include", "base", "journal", "patterns", "plugins", "devices", "sim", "tests", "examples", "bench",
         "docs", "cmake", ".ci")
TOP_FILES = ("dev", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CMakeLists.txt")
KINDS = (".cpp", ".hpp", ".h", ".c", ".py", ".md", ".txt", ".cmake", ".sh", ".yaml")


def read_tree(root: str) -> rules.Files:
    paths = [name for name in TOP_FILES if os.path.exists(os.path.join(root, name))]
    for room in ROOMS:
        for folder, subfolders, names in os.walk(os.path.join(root, room)):
            subfolders[:] = [name for name in subfolders if name != "__pycache__"]
            paths += [os.path.relpath(os.path.join(folder, name), root)
                      for name in names if name.endswith(KINDS)]
    files = {}
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            files[path] = file.read()
    return files


CLEAN = {
    "base/a.hpp": "// a: a thing.\n#pragma once\n#include <vector>\n",
    "patterns/p.hpp": '// p\n#pragma once\n#include "base/a.hpp"\n#include <holdfast/status.hpp>\n',
    "patterns/pipeline/q.cpp": '#include "patterns/p.hpp"\nint f() {\n  return 0;\n}\n',
    "devices/transport/t.cpp": "#include <zmq.hpp>\n",
    "include/holdfast/status.hpp": "// status\n#pragma once\n#include <string>\n",
    "tests/x/x_test.cpp": "#include <doctest/doctest.h>\n#include <zmq.hpp>\n",
}

LONG_BODY = "".join(f"  f({n});\n" for n in range(71))

# rule -> files that break it, added to the clean tree
PLANTED = [
    ("arrow", {"base/b.cpp": '#include "journal/j.hpp"\n'}),
    ("arrow", {"journal/j.cpp": '#include "patterns/p.hpp"\n'}),
    ("arrow", {"patterns/p.cpp": '#include "devices/loop/l.hpp"\n'}),
    ("arrow", {"patterns/p.cpp": '#include "patterns/pipeline/q.hpp"\n'}),
    ("arrow", {"sim/s.cpp": '#include "devices/transport/t.hpp"\n'}),
    ("arrow", {"plugins/json/j.cpp": '#include "plugins/host/h.hpp"\n'}),
    ("arrow", {"plugins/host/h.cpp": '#include "plugins/json/j.hpp"\n'}),
    ("arrow", {"examples/e.cpp": '#include "base/a.hpp"\n'}),
    ("arrow", {"include/holdfast/x.hpp": '// x\n#pragma once\n#include "base/a.hpp"\n'}),
    ("room", {"elsewhere/x.cpp": "int x;\n"}),
    ("library", {"devices/loop/l.cpp": "#include <zmq.hpp>\n"}),
    ("library", {"journal/j.cpp": "#include <boost/interprocess/mapped_region.hpp>\n"}),
    ("library", {"include/holdfast/x.hpp": "// x\n#pragma once\n#include <msgpack.hpp>\n"}),
    ("library", {"base/b.cpp": "#include <unheard/of.h>\n"}),
    ("library", {"bench/b.cpp": "#include <hiredis/hiredis.h>\n"}),
    ("pure", {"patterns/p.cpp": "#include <mutex>\n"}),
    ("pure", {"patterns/pipeline/p.cpp": "#include <thread>\n"}),
    ("clock", {"devices/loop/l.cpp": "auto t = std::chrono::steady_clock::now();\n"}),
    ("file size", {"base/b.cpp": "int x;\n" * 601}),
    ("function size", {"base/b.cpp": "void g() {\n" + LONG_BODY + "}\n"}),
    ("function size", {"base/b.cpp": "namespace n {\nstruct s {\n  int g(int a) const noexcept {\n"
                       + LONG_BODY + "  }\n};\n}\n"}),
    ("function size", {"tests/x/y_test.cpp": 'TEST_CASE("a } in a string") {\n' + LONG_BODY + "}\n"}),
    ("function size", {"tests/x.py": "def g():\n" + "    pass\n" * 71}),
    ("include depth", {f"base/d{n}.hpp": f'// d\n#pragma once\n#include "base/d{n + 1}.hpp"\n'
                       for n in range(14)}),
    ("include cycle", {"base/m.hpp": '// m\n#pragma once\n#include "base/n.hpp"\n',
                       "base/n.hpp": '// n\n#pragma once\n#include "base/m.hpp"\n'}),
    ("header", {"base/b.hpp": "// b\nint x();\n"}),
    ("header", {"base/b.hpp": "#pragma once\nint x();\n"}),
    ("unfinished", {"docs/x.md": "TO" "DO: think\n"}),
    ("package", {"dev": "packages_build=(cmake nobody-knows-why)\n",
                 "docs/dependencies.md": "| `cmake` | builds |\n"}),
    ("package", {"dev": "packages_build=(cmake)\n",
                 "docs/dependencies.md": "| `cmake` | builds |\n| `gone` | - |\n"}),
]

# What looks like a violation and is none.
INNOCENT = [
    {"base/b.cpp": "// steady_clock::now() in a comment\nconst char* s = \"time(nullptr)\";\n"},
    {"base/b.cpp": "namespace n {\n" + "void g();\n" * 100 + "}\n"},
    {"base/b.cpp": "struct s {\n" + "  void g() { f(); }\n" * 100 + "};\n"},
    {"base/b.cpp": "".join(f"int g{n}() {{\n  return '{{';\n}}\n" for n in range(40))},
]


def self_test() -> int:
    failures = 0
    for number, files in enumerate([{}] + INNOCENT):
        for found in rules.check(CLEAN | files, {}):
            print(f"self-test: innocent {number} accused: {found}")
            failures += 1
    for rule, files in PLANTED:
        if not any(found.rule == rule for found in rules.check(CLEAN | files, {})):
            print(f"self-test: a planted '{rule}' went unseen: {files}")
            failures += 1
    excused = {("arrow", "base/b.cpp"): "for the test"}
    if list(rules.check(CLEAN | PLANTED[0][1], excused)):
        print("self-test: an exception was not honoured")
        failures += 1
    if not any(found.rule == "ratchet" for found in rules.check(CLEAN, excused)):
        print("self-test: a needless exception went unseen")
        failures += 1
    return failures


def main() -> int:
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../..")
    if self_test():
        return 1
    files = read_tree(root)
    violations = list(rules.check(files, tables.EXCEPTIONS))
    for found in violations:
        print(found)
    print(f"layering: {len(files)} files, {len(PLANTED)} planted violations caught, "
          f"{len(violations)} real ones")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
