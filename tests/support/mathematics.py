"""The symbols in the mathematics of a page: letters with their indices, read from the LaTeX."""

import re
from collections.abc import Iterator

LETTER = re.compile(
    r"\\(?:alpha|beta|gamma|delta|zeta|eta|iota|kappa|lambda|mu|nu|xi|tau|upsilon|chi|psi|omega"
    r"|(?:var)?(?:epsilon|theta|pi|rho|sigma|phi)"
    r"|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega|ell|roman\w)|[A-Za-z]"
)
DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\\$])\$(?!\$)((?:\\.|[^$\\])+?)\$(?!\$)", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
WORDS = re.compile(r"\\(?:text|operatorname|begin|end|mathsf|mathcal)\*?\s*(?:\{[^{}]*\}|\w)")
NAMED = re.compile(r"(?<=[A-Za-z])_\s*\{?\\text\{(\w+)\}\}?")
SPACES = re.compile(r"\\\\\[\w+\]|\\underbrace")
UPRIGHT = re.compile(r"\\mathrm\s*(?:\{([^{}]*)\}|(\w))")
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
KNOWN_UPRIGHT = {"d", "e"}
"""The d of a derivative and the base of the natural logarithm."""


def formulas(text: str) -> list[str]:
    """Return the displayed and the inline mathematics of a page, without their dollar signs."""
    text = CODE.sub(" ", text)
    return DISPLAY.findall(text) + INLINE.findall(DISPLAY.sub(" ", text))


def symbols(formula: str) -> Iterator[str]:
    r"""Give every symbol of a formula: a letter with its index and its star.

    >>> list(symbols(r"K_\infty^{2} = (2\gamma v^{*})^2 + \mathrm E[u_i']"))
    ['K_\\infty', '\\gamma', 'v^*', '\\mathrm E', 'u_i']
    """
    formula = SPACES.sub(" ", NAMED.sub(r"_{\1}", formula))
    formula = WORDS.sub(" ", formula)
    yield from _read(_tokens(UPRIGHT.sub(_upright, formula)))


def letter(symbol: str) -> str:
    """Return the bare letter of a symbol, upright or not."""
    return re.split(r"[_^]", symbol.removeprefix(r"\mathrm "))[0]


def _upright(match: re.Match) -> str:
    word = match[1] or match[2]
    return " " if len(word) > 1 or word in KNOWN_UPRIGHT else rf"\roman{word} "


def _tokens(formula: str) -> list[str]:
    return [token for token in TOKEN.findall(formula) if token.strip()]


def _group(tokens: list[str], at: int) -> tuple[list[str], int]:
    """Return the argument that begins at `at`, and where it ends."""
    if at >= len(tokens) or tokens[at] != "{":
        return tokens[at : at + 1], at + 1
    depth, end = 0, at
    while True:
        depth += {"{": 1, "}": -1}.get(tokens[end], 0)
        end += 1
        if depth == 0:
            return tokens[at + 1 : end - 1], end


def _read(tokens: list[str]) -> Iterator[str]:
    at = 0
    while at < len(tokens):
        token, at = tokens[at], at + 1
        if not LETTER.fullmatch(token):
            continue
        index, star, powers = "", "", []
        while at < len(tokens) and tokens[at] in ("_", "^", "'"):
            mark, at = tokens[at], at + 1
            if mark == "'":
                continue
            inside, at = _group(tokens, at)
            if mark == "_":
                index = "_" + "".join(inside)
            else:
                star = "^*" if "*" in inside else star
                powers.append(inside)
        name = token.replace(r"\roman", r"\mathrm ")
        yield name + index + star
        for inside in powers:
            yield from _read(inside)
