"""Finds what of a notebook grading can leave out: given cells that only show something, for nobody looks.

Such a cell defines no function and imports nothing; it changes nothing that was there before; and what it
names is used by no cell that does more. It draws a picture with the student's function, say. Running such
cells is most of what a notebook costs. Left out as well are lines that install something.
"""

import ast
import re
import symtable
from collections.abc import Sequence

# A call of a method for what it does changes its object, unless that is one of these: they draw.
DRAWING = {"plt"}
# With these, code can reach names that it does not spell out.
REACHING = {"eval", "exec", "get_ipython", "globals", "locals", "vars"}
# A line that installs something: everything there is is here already, and there is no network.
INSTALLING = re.compile(r"^([ \t]*)[%!][ \t]*(?:pip|conda)\b.*$", re.MULTILINE)


def showing(sources: Sequence[str]) -> dict[str, list[str]]:
    """Return the cells among all of a notebook that only show something, each with the names it assigns."""
    parts = {source: _Cell(source) for source in sources}
    found = {source for source, cell in parts.items() if cell.harmless}
    while True:
        used = {name for source, cell in parts.items() if source not in found for name in cell.used}
        needed = {source for source in found if parts[source].assigned & used}
        if not needed:
            return {source: sorted(parts[source].assigned) for source in sources if source in found}
        found -= needed


def used(sources: Sequence[str]) -> list[str] | None:
    """Return the names of the notebook that cells use; None where they may reach any name."""
    names: set[str] = set()
    for source in sources:
        cell = _Cell(source)
        # Of a cell that is not plain Python every word could be a name.
        names |= cell.used if cell.understood else set(re.findall(r"\w+", source))
    return None if names & REACHING else sorted(names)


class _Cell(ast.NodeVisitor):
    """What a cell does with the names of its notebook.

    used      names that it reads, in its functions too
    assigned  names that it makes, makes anew, or adds to
    made      those of them that hold nothing from before
    changed   names whose values it changes in place
    understood  whether it is plain Python at all
    """

    def __init__(self, source: str) -> None:
        self.used: set[str] = set()
        self.assigned: set[str] = set()
        self.made: set[str] = set()
        self.changed: set[str] = set()
        self.understood = self.harmless = False
        try:
            table = symtable.symtable(source, "cell", "exec")
            self.harmless = not any(symbol.is_imported() for symbol in table.get_symbols())
            self.scope(table)
            self.visit(ast.parse(source))
        # A magic, a line for the shell, nonsense; or a sum so long that it is deeper than we can follow.
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.harmless = False
            return
        self.understood = True
        self.harmless &= self.changed <= self.made

    def scope(self, table: symtable.SymbolTable) -> None:
        """Collect what a scope, and those within it, read and assign in the notebook."""
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if top or symbol.is_global():
                if symbol.is_referenced():
                    self.used.add(symbol.get_name())
                if symbol.is_assigned():
                    self.assigned.add(symbol.get_name())
        for child in table.get_children():
            self.scope(child)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """``x[0] = 1`` changes what x holds."""
        if not isinstance(node.ctx, ast.Load):
            self.changed |= _root(node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """``x.shape = 1`` changes what x holds."""
        if not isinstance(node.ctx, ast.Load):
            self.changed |= _root(node)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """``x += 1`` may change in place what x held before."""
        self.changed |= _root(node.target)
        self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        """``x = 1`` makes x anew, whatever is done with it then."""
        if isinstance(node.ctx, ast.Store):
            self.made.add(node.id)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A method that is called for what it does, not for what it gives, may change its object."""
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            self.changed |= _root(node.value.func) - DRAWING
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """A cell with a definition does more than show."""
        self.harmless = False

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef

    def visit_Delete(self, node: ast.Delete) -> None:
        """So does one that takes something away."""
        self.harmless = False


def _root(node: ast.expr) -> set[str]:
    """Return the name at the root of ``name.part[0].other``, if there is one."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
