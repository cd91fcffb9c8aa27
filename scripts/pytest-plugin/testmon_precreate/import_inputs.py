"""Which modules of the project a file imports, directly or through others.

The interpreter tells of every module that it executes, however it is loaded, and hands over its code (the audit event
"exec"). The names in that code that are names of loaded modules are what it imports: by `import`, absolute or relative,
as an attribute of a package, or as a text for importlib. That may be more than it uses, and is never less.
"""

from __future__ import annotations

import sys
from types import CodeType, ModuleType
from typing import Any, Dict, FrozenSet, Iterator, List, Set

from testmon_precreate.project_files import ProjectFiles

CO_OPTIMIZED = 1  # of inspect, which is slow to import
# A lazy module may load itself when it is asked for its namespace in another way.
_namespace: Any = vars(ModuleType)["__dict__"].__get__


class ImportInputs:
    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._codes: Dict[str, CodeType] = {}
        self._direct: Dict[str, FrozenSet[str]] = {}
        self._without_functions: Dict[str, bool] = {}
        self._known = -1  # of how many modules those below tell
        self._paths: Dict[str, str] = {}
        self._names: Dict[str, List[str]] = {}
        self._children: Dict[str, Set[str]] = {}

    def executed(self, path: str, code: CodeType) -> None:
        self._codes[path] = code

    def has(self, path: str) -> bool:
        return path in self._codes

    def paths(self) -> List[str]:
        return list(self._codes)

    def without_functions(self, path: str) -> bool:
        """Whether the module at `path` has no function that could be executed once it is imported."""
        found = self._without_functions.get(path)
        if found is None:
            found = self._without_functions[path] = not any(is_function(code) for code in codes_in(self._codes[path]))
        return found

    def closure(self, roots: List[str]) -> Set[str]:
        """Those of `roots` that are modules, and all that they import."""
        self._look_at_modules()
        found: Set[str] = set()
        to_do = list(roots)
        while to_do:
            path = to_do.pop()
            if path not in found and path in self._codes:
                found.add(path)
                to_do += self._imported_by(path)
        return found

    def _look_at_modules(self) -> None:
        if self._known == len(self._codes):
            return
        self._known = len(self._codes)
        self._direct.clear()
        self._paths = dict(self._loaded_modules())
        self._names, self._children = {}, {}
        for name, path in self._paths.items():
            self._names.setdefault(path, []).append(name)
            parts = name.split(".")
            for i in range(len(parts)):
                self._children.setdefault(".".join(parts[:i]), set()).add(".".join(parts[i:]))

    def _loaded_modules(self) -> Iterator[Any]:
        for name, module in list(sys.modules.items()):
            if isinstance(module, ModuleType):
                file = _namespace(module).get("__file__")
                path = self._files.relative(file) if isinstance(file, str) else None
                if path is not None:
                    if path not in self._codes and path.endswith(".py"):
                        self._load(path, name, module)  # before this process could watch
                    yield name, path

    def _load(self, path: str, name: str, module: ModuleType) -> None:
        spec = _namespace(module).get("__spec__")
        get_code = getattr(getattr(spec, "loader", None), "get_code", None)
        try:
            code = get_code(name) if get_code else None
            if not isinstance(code, CodeType):
                with open(_namespace(module)["__file__"], "rb") as file:
                    code = compile(file.read(), path, "exec", dont_inherit=True)
        except Exception:  # a module that came from elsewhere than its file
            return
        self._codes[path] = code

    def _imported_by(self, path: str) -> FrozenSet[str]:
        found = self._direct.get(path)
        if found is None:
            found = self._direct[path] = frozenset(self._paths[name] for name in self._modules_named_in(path))
        return found

    def _modules_named_in(self, path: str) -> Set[str]:
        names, texts = names_in(self._codes[path])
        bases = [""]
        for own in self._names.get(path, ()):
            parts = own.split(".") + ([""] if path.endswith("__init__.py") else [])
            bases += [".".join(parts[:i]) for i in range(1, len(parts))]
        found = {text for text in texts if text in self._paths}
        bases += found
        seen: Set[str] = set()
        while bases:
            base = bases.pop()
            if base in seen:
                continue
            seen.add(base)
            for child in self._children.get(base, set()) & names:
                name = f"{base}.{child}" if base else child
                found.add(name)
                bases.append(name)
        for name in [*found, *self._names.get(path, ())]:  # a module is imported after its packages
            parts = name.split(".")
            found.update(".".join(parts[:i]) for i in range(1, len(parts)))
        return {name for name in found if name in self._paths}


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """The code, and that of all classes and functions in it."""
    codes = [code]
    while codes:
        code = codes.pop()
        yield code
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def is_function(code: CodeType) -> bool:
    """Whether it is the body of a `def`: not that of a class or a module, a comprehension or a lambda expression."""
    return bool(code.co_flags & CO_OPTIMIZED) and code.co_name[:1] != "<"


def names_in(code: CodeType) -> Any:
    """The names that the code and all in it uses, and its texts that may be a module's name."""
    names: Set[str] = set()
    texts: Set[str] = set()
    for part in codes_in(code):
        names.update(part.co_names)
        for constant in part.co_consts:
            if isinstance(constant, str):
                texts.update(_beginnings(constant))
            elif isinstance(constant, tuple):
                of_tuple = [one for one in constant if isinstance(one, str)]
                names.update(of_tuple)  # from . import these
                texts.update(text for one in of_tuple for text in _beginnings(one))
    return names, texts


def _beginnings(text: str) -> List[str]:
    """`a`, `a.b` and `a.b.c` of "a.b.c:d", which may be the name of a module and something in it."""
    name = text.split(":")[0]
    if len(text) > 200 or not name.replace(".", "_").isidentifier():
        return []
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]
