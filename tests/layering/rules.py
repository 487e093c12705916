"""The checks themselves: each takes the files of a tree, as a map from path to text, and yields
violations (rule, path, line, text)."""

import ast
import re
from typing import Iterator, NamedTuple

import tables


class Violation(NamedTuple):
    rule: str
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


Files = dict[str, str]
CPP = (".cpp", ".hpp", ".h", ".c")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def cpp(files: Files) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in sorted(files.items()) if path.endswith(CPP))


def longest_prefix(path: str, prefixes) -> str | None:
    return max((p for p in prefixes if path.startswith(p)), key=len, default=None)


def allowed(target: str, arrows: list[str]) -> bool:
    for arrow in arrows:
        if arrow.endswith("*"):  # the folder itself, not what is under it
            folder = arrow[:-1]
            if target.startswith(folder) and "/" not in target[len(folder):]:
                return True
        elif target.startswith(arrow):
            return True
    return False


def resolve(name: str, quote: str, path: str, files: Files) -> str | None:
    """The file of ours that an include means, or None when it is not ours."""
    if name.startswith("holdfast/"):
        return "include/" + name
    if name in files:
        return name
    beside = path.rsplit("/", 1)[0] + "/" + name
    if quote == '"' and beside in files:
        return beside
    return name if quote == '"' else None


def arrows(files: Files) -> Iterator[Violation]:
    for path, text in cpp(files):
        room = longest_prefix(path, tables.ARROWS)
        if room is None:
            yield Violation("room", path, 1, "stands in no room of docs/architecture.md")
            continue
        for found in INCLUDE.finditer(text):
            target = resolve(found[2], found[1], path, files)
            if target is not None and not allowed(target, tables.ARROWS[room]):
                yield Violation("arrow", path, line_of(text, found.start()),
                                f"{room} may not include {target}")


def library_of(name: str) -> str | None:
    return longest_prefix(name, tables.LIBRARIES)


def is_free(path: str, library: str | None) -> bool:
    places = tables.LIBRARIES.get(library, [])
    return path.startswith(tables.FREE_ROOMS) and not any(p.startswith(tables.FREE_ROOMS) for p in places)


def libraries(files: Files) -> Iterator[Violation]:
    for path, text in cpp(files):
        for found in INCLUDE.finditer(text):
            name, line = found[2], line_of(text, found.start())
            library = library_of(name)
            if is_free(path, library) or resolve(name, found[1], path, files) in files:
                continue
            if library is None:
                if found[1] == "<" and "/" in name and not name.startswith(tables.SYSTEM_PREFIXES):
                    yield Violation("library", path, line, f"<{name}> is in no table of libraries")
            elif not path.startswith(tuple(tables.LIBRARIES[library]) or ("\0",)):
                places = ", ".join(tables.LIBRARIES[library]) or "tests"
                yield Violation("library", path, line, f"<{name}> belongs in {places} only")


def pure_patterns(files: Files) -> Iterator[Violation]:
    for path, text in cpp(files):
        if not path.startswith("patterns/"):
            continue
        for found in INCLUDE.finditer(text):
            if found[2] in tables.PATTERN_BANNED:
                yield Violation("pure", path, line_of(text, found.start()),
                                f"a pattern has no <{found[2]}>")


def clocks(files: Files) -> Iterator[Violation]:
    for path, text in cpp(files):
        if path in tables.CLOCK_PLACES or path.startswith(tables.CLOCK_FREE_ROOMS):
            continue
        for found in re.finditer(tables.CLOCK_CALLS, blank(text)):
            yield Violation("clock", path, line_of(text, found.start()),
                            f"{found[0]}: time and randomness are passed in")


def file_sizes(files: Files) -> Iterator[Violation]:
    sizes = []
    for path, text in sorted(files.items()):
        if not path.endswith(CPP + (".py",)):
            continue
        lines = text.count("\n")
        sizes.append(lines)
        if lines > tables.FILE_LINES_MAX:
            yield Violation("file size", path, lines, f"more than {tables.FILE_LINES_MAX} lines")
    sizes.sort()
    if sizes and sizes[len(sizes) * 95 // 100] > tables.FILE_LINES_P95:
        yield Violation("file size", ".", 0, f"over 5 % of files exceed {tables.FILE_LINES_P95} lines")


def blank(text: str) -> str:
    """The text with comments, strings and characters blanked, line breaks kept."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])\'',
        re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")
HEAD = re.compile(r"[;{}]|^\s*#(?:[^\n]*\\\n)*[^\n]*", re.M)


def functions(text: str) -> Iterator[tuple[int, int, str]]:
    """(first line, lines, head) of every function body at namespace or class scope."""
    code = blank(text)
    outer: list[str] = []  # "scope" or "body" for each open brace
    begins, head_from = [], 0
    for found in HEAD.finditer(code):
        mark = found[0][-1] if found[0] in (";", "{", "}") else "#"
        if mark == "{":
            head = code[head_from:found.start()].strip()
            inside = "body" in outer
            body = not inside and ")" in head and not (SCOPE.search(head) and "(" not in head)
            outer.append("body" if body else "scope")
            begins.append((found.start() - len(code[head_from:found.start()].lstrip()), head))
        elif mark == "}" and outer:
            kind, (begin, head) = outer.pop(), begins.pop()
            if kind == "body":
                first, last = line_of(code, begin), line_of(code, found.start())
                yield first, last - first + 1, " ".join(head.split())[:60]
        head_from = found.end()


def function_sizes(files: Files) -> Iterator[Violation]:
    for path, text in cpp(files):
        for first, lines, head in functions(text):
            if lines > tables.FUNCTION_LINES_MAX:
                yield Violation("function size", path, first, f"{lines} lines: {head}")
    for path, text in sorted(files.items()):
        if not path.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > tables.FUNCTION_LINES_MAX:
                    yield Violation("function size", path, node.lineno, f"{lines} lines: {node.name}")


def include_depth(files: Files) -> Iterator[Violation]:
    targets = {path: [t for m in INCLUDE.finditer(text)
                      if (t := resolve(m[2], m[1], path, files)) in files]
               for path, text in cpp(files)}
    known: dict[str, int] = {}

    def depth(path: str, above: tuple[str, ...]) -> int:
        if path in above:
            raise RecursionError(" -> ".join(above[above.index(path):] + (path,)))
        if path not in known:
            known[path] = 1 + max((depth(t, above + (path,)) for t in targets[path]), default=0)
        return known[path]

    for path in targets:
        if path.startswith(tables.FREE_ROOMS):  # a test may stand on top of everything
            continue
        try:
            if depth(path, ()) > tables.INCLUDE_DEPTH_MAX:
                yield Violation("include depth", path, 1, f"{known[path]} includes deep")
        except RecursionError as cycle:
            yield Violation("include cycle", path, 1, str(cycle))


def headers(files: Files) -> Iterator[Violation]:
    for path, text in cpp(files):
        if path.endswith(".hpp") and "#pragma once" not in text:
            yield Violation("header", path, 1, "has no #pragma once")
        elif path.endswith(".hpp") and not path.startswith("tests/") and not text.startswith("//"):
            yield Violation("header", path, 1, "does not begin with what the thing is")


def unfinished(files: Files) -> Iterator[Violation]:
    for path, text in sorted(files.items()):
        for found in UNFINISHED.finditer(text):
            yield Violation("unfinished", path, line_of(text, found.start()), found[0])


def packages(files: Files) -> Iterator[Violation]:
    """Every Debian package that ./dev installs has its reason in docs/dependencies.md, and back."""
    if "dev" not in files:
        return
    lists = re.findall(r"^packages_\w+=\(([^)]*)\)", files["dev"], re.M)
    installed = {name for group in lists for name in group.split()}
    reasons = set(re.findall(r"^\| `([a-z0-9.+-]+)` \|", files.get("docs/dependencies.md", ""), re.M))
    for name in sorted(installed - reasons):
        yield Violation("package", "docs/dependencies.md", 1, f"no row for {name}, installed by ./dev")
    for name in sorted(reasons - installed):
        yield Violation("package", "dev", 1, f"{name} of docs/dependencies.md is never installed")


RULES = (arrows, libraries, pure_patterns, clocks, file_sizes, function_sizes, include_depth,
         headers, unfinished, packages)


def check(files: Files, exceptions: dict[tuple[str, str], str]) -> Iterator[Violation]:
    used = set()
    for rule in RULES:
        for found in rule(files):
            key = (found.rule, found.path)
            if key in exceptions:
                used.add(key)
            else:
                yield found
    for rule, path in sorted(set(exceptions) - used):
        yield Violation("ratchet", "tests/layering/tables.py", 1,
                        f"the exception ({rule}, {path}) is no longer needed: remove it")
