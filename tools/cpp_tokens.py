"""Just enough of C++'s lexical grammar for tools/lint-coroutines: tokens with their lines, without
comments, literals or preprocessor lines, and the bracket that encloses each."""

import re

TOKEN = re.compile(r"""
    (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)")
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\\n])+')
  | (?P<directive>^[ \t]*\#(?:\\\n|//[^\n]*|/\*.*?\*/|[^\n])*)
  | (?P<number>\.?\d(?:'?[\w.]|[eEpP][+-])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<punct><=>|\.\.\.|->\*|<<=|::|->|\+\+|--|&&|\|\||[-+*/%&|^=!<]=|<<|.)
  | (?P<space>\s+)
""", re.X | re.S | re.M)

OPENERS = {"(": ")", "[": "]", "{": "}"}


class Token:
    __slots__ = ("text", "line", "opener", "closer")

    def __init__(self, text, line):
        self.text = text
        self.line = line
        self.opener = None  # index of the innermost bracket around it; None at file level
        self.closer = None  # of a bracket: index of its partner


def tokenize(source):
    """(tokens, comments): comments as (line, text). A literal becomes the one token "" or 0."""
    tokens, comments, line = [], [], 1
    for match in TOKEN.finditer(source):
        kind, text = match.lastgroup, match[0]
        if kind == "mark":
            kind = "raw"
        if text.isspace():
            kind = "space"
        if kind == "comment":
            comments.append((line, text))
        elif kind in ("raw", "string", "char"):
            tokens.append(Token('""', line))
        elif kind == "number":
            tokens.append(Token("0", line))
        elif kind in ("word", "punct"):
            tokens.append(Token(text, line))
        line += text.count("\n")
    _match_brackets(tokens)
    return tokens, comments


def _match_brackets(tokens):
    stack = []
    for index, token in enumerate(tokens):
        if stack and token.text == OPENERS[tokens[stack[-1]].text]:
            token.closer = stack.pop()
            tokens[token.closer].closer = index
        token.opener = stack[-1] if stack else None
        if token.text in OPENERS:
            stack.append(index)


def skip_template(tokens, index):
    """Index after the template argument list that opens at `index` ("<"), or None when what stands
    there can only be a comparison."""
    depth = 0
    while index < len(tokens):
        text = tokens[index].text
        if text == "<":
            depth += 1
        elif text == ">":
            depth -= 1
            if depth == 0:
                return index + 1
        elif text in "([":
            index = tokens[index].closer or len(tokens)
        elif text in (";", "{", "}", ")", "]", "&&", "||", "?"):
            if text != "&&" or tokens[min(index + 1, len(tokens) - 1)].text not in (">", ","):
                return None
        index += 1
    return None
