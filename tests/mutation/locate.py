"""Finds a statement inside a named function of a C++ file.

Reads C++ as far as that needs: comments, literals, preprocessor lines, and which braces belong to
a namespace, a class or a function. White space and comments never count, so that a statement is
still found after its file was formatted anew.
"""

import difflib
import re
from typing import NamedTuple


class LocateError(Exception):
    """The statement was not found exactly once; the text says why."""


class Token(NamedTuple):
    kind: str  # "word", "number", "literal", "directive" or "mark"
    text: str
    begin: int
    end: int


class Function(NamedTuple):
    name: str  # qualified as at its definition, without template arguments: "Mailbox::Push"
    first: int  # its first token, of its return type or `template`
    last: int  # its last token, the closing brace


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|\\\n|//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^\s()\\]{0,16})\(.*?\)(?P=delimiter)")
  | (?P<literal>(?:u8|[uUL])?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'))
  | (?P<number>\.?\d(?:[eEpP][+-]|'\w|[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<mark><<=|<=>|\.\.\.|->\*|->|::|\+\+|--|<<|<=|>=|==|!=|&&|\|\||[-+*/%^&|]=
      |[][{}()<>;:,.?~!%^&*+=|/-])
    """,
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(r"#(?:\\\n|/\*.*?\*/|[^\n])*", re.DOTALL)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_CLASS_KEYS = ("class", "struct", "union")
# Words whose parentheses hold no parameters.
_NO_FUNCTIONS = ("alignas", "decltype", "explicit", "__attribute__")


def _line_of(text, position):
    return text.count("\n", 0, position) + 1


def tokens_of(text):
    """The tokens of C++ text; comments and white space are none, a preprocessor line is one."""
    tokens = []
    position = 0
    at_line_begin = True
    while position < len(text):
        if text[position] == "#" and at_line_begin:
            match, kind = _DIRECTIVE.match(text, position), "directive"
        else:
            match = _TOKEN.match(text, position)
            kind = match and match.lastgroup
            if match and match["raw"]:
                kind = "literal"
        if not match:
            line = _line_of(text, position)
            raise LocateError(f"line {line} is not C++ from `{text[position : position + 20]}` on")
        if kind == "space":
            at_line_begin = at_line_begin or "\n" in match[0]
        else:
            at_line_begin = kind == "directive"
            tokens.append(Token(kind, match[0], position, match.end()))
        position = match.end()
    return tokens


class _Scanner:
    """Finds the functions of a file in one walk over its tokens."""

    def __init__(self, text):
        self.text = text
        self.tokens = tokens_of(text)
        self.functions = []
        self.partners = self._find_partners()

    def _find_partners(self):
        """Where each bracket is closed, by the index of the opening one."""
        partners = {}
        opened = []
        for index, token in enumerate(self.tokens):
            if token.kind != "mark":
                continue
            if token.text in _CLOSING:
                opened.append(index)
            elif token.text in _CLOSING.values():
                if not opened or _CLOSING[self.tokens[opened[-1]].text] != token.text:
                    line = _line_of(self.text, token.begin)
                    raise LocateError(f"`{token.text}` in line {line} closes nothing")
                partners[opened.pop()] = index
        if opened:
            token = self.tokens[opened[-1]]
            line = _line_of(self.text, token.begin)
            raise LocateError(f"`{token.text}` in line {line} is never closed")
        return partners

    def at(self, index):
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def scan(self):
        self._scan_scope(0, len(self.tokens), "")
        return self.functions

    def _scan_scope(self, index, end, qualifier):
        """Reads the declarations of a file, a namespace or a class, one after another."""
        while index < end:
            token = self.tokens[index]
            if token.kind == "directive" or token.text == ";":
                index += 1
            elif token.text in ("public", "private", "protected") and self.at(index + 1) == ":":
                index += 2
            else:
                index = self._scan_declaration(index, end, qualifier)

    def _scan_declaration(self, first, end, qualifier):
        """Reads one declaration; returns the index behind it."""
        index = self._skip_template(first)
        is_class_head = self._begins_class(index)
        parameters = None  # the parenthesis that begins them
        operator = None  # the word, where the function is one
        while index < end:
            text = self.at(index)
            if self.tokens[index].kind == "literal":
                index += 1
            elif text == ";":
                return index + 1
            elif text == "operator":
                operator, parameters = index, self._skip_operator(index)
                index = self.partners[parameters] + 1
            elif text == "=":
                return self._skip_initializer(index, end)
            elif text in ("namespace", "extern") and self._brace_of_scope(index):
                brace = self._brace_of_scope(index)
                self._scan_scope(brace + 1, self.partners[brace], qualifier)
                return self.partners[brace] + 1
            elif text == "<":
                index = self._skip_angles(index)
            elif text == "requires":
                index = self._skip_requires(index)
            elif text == "(":
                if parameters is None and self._names_function(index):
                    parameters = index
                index = self.partners[index] + 1
            elif text == "[":
                index = self.partners[index] + 1
            elif text == ":" and parameters is not None:
                index = self._skip_initializers(index + 1)
            elif text == "{":
                closing = self.partners[index]
                if parameters is not None:
                    closing = self._skip_handlers(closing)
                    name = qualifier + self._function_name(operator, parameters)
                    self.functions.append(Function(name, first, closing))
                    return closing + 1
                if is_class_head:
                    name = self._class_name(first, index)
                    self._scan_scope(index + 1, closing, qualifier + name + "::")
                    is_class_head = False
                index = closing + 1
            else:
                index += 1
        return index

    def _skip_template(self, index):
        while self.at(index) == "template" and self.at(index + 1) == "<":
            index = self._skip_angles(index + 1)
            if self.at(index) == "requires":
                index = self._skip_requires(index)
        return index

    def _skip_angles(self, index):
        """Returns the index behind template arguments, or behind a `<` that begins none."""
        begin = index
        depth = 0
        while index < len(self.tokens):
            text = self.at(index)
            if text == "<":
                depth += 1
            elif text == ">":
                depth -= 1
                if depth == 0:
                    return index + 1
            elif text in _CLOSING and self.tokens[index].kind == "mark":
                index = self.partners[index]
            elif text in (";", ")", "]", "}"):
                break
            index += 1
        return begin + 1

    def _skip_requires(self, index):
        """Returns the index behind `requires`, and behind the body of a requires-expression."""
        index += 1
        is_expression = self.at(index) == "requires"
        index += is_expression
        if self.at(index) == "(":
            index = self.partners[index] + 1
        return self.partners[index] + 1 if is_expression else index

    def _skip_operator(self, index):
        """Returns the index of the parenthesis that begins the parameters of an operator."""
        index += 1
        if self.at(index) == "(" and self.at(index + 1) == ")":
            return index + 2
        while self.at(index) not in ("(", ""):
            is_type = self.at(index) == "<" and self.at(index - 1) != "operator"
            index = self._skip_angles(index) if is_type else index + 1
        if not self.at(index):
            raise LocateError("an operator has no parameters")
        return index

    def _skip_initializer(self, index, end):
        while index < end and self.at(index) != ";":
            index = self.partners.get(index, index) + 1
        return index + 1

    def _skip_initializers(self, index):
        """Returns the index of the body's brace, behind a constructor's initialisers."""
        while index < len(self.tokens):
            while self.at(index) not in ("(", "{", ""):
                index = self._skip_angles(index) if self.at(index) == "<" else index + 1
            if not self.at(index):
                break
            index = self.partners[index] + 1
            if self.at(index) == "...":
                index += 1
            if self.at(index) != ",":
                return index
            index += 1
        raise LocateError("a constructor has initialisers and no body")

    def _skip_handlers(self, closing):
        """Returns the last brace of a function, with the handlers of a function-try-block."""
        while self.at(closing + 1) == "catch" and self.at(closing + 2) == "(":
            closing = self.partners[self.partners[closing + 2] + 1]
        return closing

    def _brace_of_scope(self, index):
        """The brace of `namespace a::b {` or `extern "C" {`, or None."""
        index += 1
        while self.tokens[index].kind in ("word", "literal") or self.at(index) in ("::", "["):
            index = self.partners.get(index, index) + 1
        return index if self.at(index) == "{" else None

    def _begins_class(self, index):
        while self.at(index) in ("typedef", "static", "constexpr", "inline", "const"):
            index += 1
        return self.at(index) in _CLASS_KEYS

    def _names_function(self, parenthesis):
        before = self.tokens[parenthesis - 1]
        if before.text == ">":  # a specialisation, F<int>(...)
            return True
        return before.kind == "word" and before.text not in _NO_FUNCTIONS

    def _step_over_angles(self, index):
        """The index before the template arguments that end at `index`, if any do."""
        depth = 0
        while index >= 0 and (depth > 0 or self.at(index) == ">"):
            depth += {">": 1, "<": -1}.get(self.at(index), 0)
            index -= 1
            if depth == 0:
                break
        return index

    def _function_name(self, operator, parenthesis):
        """The qualified name before the parameters, without template arguments."""
        if operator is not None:
            name = "operator"
            for token in self.tokens[operator + 1 : parenthesis]:
                name += (" " if name[-1].isalnum() and token.kind == "word" else "") + token.text
            index = operator - 1
        else:
            index = self._step_over_angles(parenthesis - 1)
            name = self.at(index)
            index -= 1
            if self.at(index) == "~":
                name = "~" + name
                index -= 1
        while self.at(index) == "::":
            index = self._step_over_angles(index - 1)
            if self.tokens[index].kind != "word":
                break
            name = self.at(index) + "::" + name
            index -= 1
        return name

    def _class_name(self, first, brace):
        """The name between `class` and what it derives from."""
        index = self._skip_template(first)
        while self.at(index) not in _CLASS_KEYS:
            index += 1
        parts = []
        index += 1
        while index < brace and self.at(index) not in (":", "final"):
            if self.at(index) in ("[", "("):
                index = self.partners[index] + 1
            elif self.at(index) == "<":
                index = self._skip_angles(index)
            elif self.at(index) == "::":
                parts.append("::" + self.at(index + 1))
                index += 2
            else:
                parts = [self.at(index)]
                index += 1
        return "".join(parts)


class Source:
    """One C++ file, its tokens and its functions."""

    def __init__(self, file, text):
        self.file = file
        self.text = text
        try:
            scanner = _Scanner(text)
            self.tokens = scanner.tokens
            self.functions = scanner.scan()
        except LocateError as error:
            raise LocateError(f"{file}: {error}") from None

    def names(self):
        return sorted({function.name for function in self.functions})

    def _pieces(self, function):
        """The ranges of token indices that `function` covers; "" is all that no function covers."""
        if function:
            pieces = [(one.first, one.last + 1) for one in self.functions if one.name == function]
            if not pieces:
                close = difflib.get_close_matches(function, self.names(), n=1)
                hint = f"; it has {close[0]}" if close else ""
                raise LocateError(f"{self.file} has no function {function}{hint}")
            return pieces
        pieces = []
        begin = 0
        for one in self.functions:  # in order, and never one inside another
            pieces.append((begin, one.first))
            begin = one.last + 1
        return pieces + [(begin, len(self.tokens))]

    def find(self, function, statement):
        """(begin, end) of `statement` inside `function`, in characters of the text. All overloads
        of that name are one function, "" is what stands outside every function.
        Raises LocateError unless it stands there exactly once."""
        wanted = [token.text for token in tokens_of(statement)]
        if not wanted:
            raise LocateError("the statement to search for is empty")
        found = []
        for begin, end in self._pieces(function):
            for index in range(begin, end - len(wanted) + 1):
                part = self.tokens[index : index + len(wanted)]
                if all(token.text == text for token, text in zip(part, wanted)):
                    found.append((part[0].begin, part[-1].end))
        if len(found) != 1:
            place = f"{function} in {self.file}" if function else f"{self.file} outside functions"
            if not found:
                raise LocateError(f"{place} has no statement `{statement}`")
            lines = ", ".join(str(_line_of(self.text, begin)) for begin, _ in found)
            raise LocateError(f"{place} has {len(found)} of `{statement}`, in lines {lines}")
        return found[0]


def same_code(one, other):
    """True if two texts differ in white space and comments only."""
    return [token.text for token in tokens_of(one)] == [token.text for token in tokens_of(other)]


def replaced(root, mutation):
    """The text of the mutation's file, below the folder `root`, with the bug planted; all else is
    as it was. Raises LocateError if there is no such place, or more than one."""
    path = root / mutation.file
    if not path.is_file():
        raise LocateError(f"there is no file {mutation.file}")
    if same_code(mutation.search, mutation.replace):
        raise LocateError(f"`{mutation.search}` would be replaced by itself")
    text = path.read_text(encoding="utf-8")
    begin, end = Source(mutation.file, text).find(mutation.function, mutation.search)
    return text[:begin] + mutation.replace + text[end:]


def complaints(root, mutations):
    """Yields a line for each mutation that does not fit the sources below the folder `root`."""
    names = set()
    for mutation in mutations:
        if mutation.name in names:
            yield f"{mutation.name}: two bugs have this name"
        names.add(mutation.name)
        try:
            replaced(root, mutation)
        except LocateError as error:
            yield f"{mutation.name}: {error}"
