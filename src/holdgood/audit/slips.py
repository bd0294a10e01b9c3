"""Slips of the pen: which rare words are a wrong, missing, doubled or swapped letter away from an established one.

Honest words lie near each other too (Brian and Bryan, hf-1 and hf-2). So every kind of slip is held against how often
*established* words are that kind of slip apart, and a vocabulary is called damaged only where rare words are near established
ones far more often than that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

RATIO = 0.2
"""A slip has at most this share of the rows of the word that was meant."""
ESTABLISHED = 5
_MOST_RARE = 6_000
_MOST_ESTABLISHED = 2_000
_SAMPLED = 500
_CANDIDATES = 40
_LONG = 48
_TWO = 9
_SENTENCE = 12
_EXPLAINED = 0.3
_LETTERS = 2
_PLATES = 1_000
_USUAL = 0.05
_ASCII_SHAPES = {i: "a" if chr(i).isalpha() else "9" for i in range(128) if chr(i).isalnum()}
_DIGITS = str.maketrans("012345678", "9" * 9)
_HOLE = "\x00"
_LEVEL = 0.001
_LEVEL_TIP = 0.02
_PRECISION = 0.8
KINDS = ("breaking", "letters", "letters-2", "swap", "more", "less", "more-sign", "less-sign")
Near = dict[int, list[tuple[int, str]]]


@dataclass(frozen=True)
class Slips:
    """``meant``: slip to the word that was meant; ``unclear``: slips near several words; ``level``: how sure.

    ``chance``: the probability that as many rare words lie that near by chance, before correction.
    """

    meant: dict[str, str] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()
    chance: float = 1.0
    certain: bool = False


def kind_of(a: str, b: str) -> str:
    """The kind of slip that makes ``a`` of ``b``; empty where there is none.

    *breaking*: characters of another class (a letter for a digit, a space or a hyphen); *letters*: one letter for another,
    everywhere or in one or two places of a long word; *swap*, *more*, *less*: two letters swapped, one too many, one
    missing; *digits*: digits differ, which says nothing.

    >>> kind_of("londno", "london"), kind_of("3595x", "35957"), kind_of("hf-2", "hf-1"), kind_of("axxack", "attack")
    ('swap', 'breaking', 'digits', 'letters')
    """
    if a == b:
        return ""
    if len(a) == len(b):
        return _of_same_length(a, b)
    short, long = (a, b) if len(a) < len(b) else (b, a)
    if len(long) != len(short) + 1:
        return ""
    at = next((i for i in range(len(short)) if short[i] != long[i]), len(short))
    if short[at:] != long[at + 1 :]:
        return ""
    extra = long[at]
    if extra.isdigit():
        return "digits"
    if at == len(short) and extra in "se":  # a plural or an ending is no slip
        return ""
    name = "more" if len(a) > len(b) else "less"
    return name if extra.isalpha() else name + "-sign"


def _of_same_length(a: str, b: str) -> str:
    unlike = [i for i in range(len(a)) if a[i] != b[i]]
    came, meant = "".join(a[i] for i in unlike), "".join(b[i] for i in unlike)
    if came.isdigit() and meant.isdigit():
        return "digits"
    if len(unlike) == 2 and unlike[1] == unlike[0] + 1 and came == meant[::-1]:
        return "swap"
    one_key = len(set(came)) == 1 and len(set(meant)) == 1
    if len(unlike) > 1 and not (one_key and 2 * len(unlike) <= len(a)) and not (len(unlike) == 2 and len(a) >= _TWO):
        return ""
    if all(_class(x) != _class(y) for x, y in zip(came, meant, strict=True)):
        return "breaking"
    if any(x.isdigit() for x in came + meant):
        return ""
    return "letters" if one_key else "letters-2"


@lru_cache(maxsize=4096)
def _class(character: str) -> str:
    return "a" if character.isalpha() else "9" if character.isdigit() else character


def slips(words: Sequence[str], rows: Sequence[int], *, least: int = 3, kinds: Sequence[str] = KINDS) -> Slips:
    """Which words are slips of others. ``words``: distinct, most frequent first; ``rows``: how often each comes.

    ``least``: shorter words are left alone; ``kinds``: the kinds of slip that count.
    """
    counts = np.asarray(rows, dtype=np.int64)
    strong = np.flatnonzero(counts >= ESTABLISHED)[:_MOST_ESTABLISHED].tolist()
    if not strong:
        return Slips()
    top = int(counts[0])
    if top * RATIO < 1.0:
        return Slips()
    rare = [i for i in np.flatnonzero(counts <= max(1.0, RATIO * top)).tolist() if len(words[i]) >= least]
    if not rare or len(rare) > _MOST_RARE:
        return Slips()
    near = _near(words, counts, strong, rare, least)
    if not any(near[i] for i in rare):
        return Slips()
    best = Slips()
    bar = 1
    while bar <= max(1, RATIO * top):
        honest = [j for j in strong if counts[j] >= max(ESTABLISHED, 2 * bar)]
        tried = _at(words, counts, near, honest, [i for i in rare if counts[i] <= bar], kinds)
        if len(tried.meant) + len(tried.unclear) > len(best.meant) + len(best.unclear):
            best = tried
        bar *= 2
    return best


def _at(
    words: Sequence[str], counts: np.ndarray, near: Near, honest: list[int], rare: list[int], kinds: Sequence[str]
) -> Slips:
    """Slips among rare words, judged against how near each other established words are."""
    if not honest or not rare:
        return Slips()
    clean, share = _clean(words, near, honest, kinds)
    hits = {i: [(j, k) for j, k in near[i] if counts[i] <= RATIO * counts[j] and k in kinds] for i in rare}
    sure = [i for i in rare if any(k in clean for _, k in hits[i])]
    # The same change on many words is no slip but another word within them ("ak_" beside "al_").
    edits: dict[int, Edit] = {i: _edit(words[i], words[next(j for j, k in hits[i] if k in clean)]) for i in sure}
    often = Counter(edits.values())
    letters = {i for i in sure if all(k != "breaking" for _, k in hits[i])}
    again = {i for i in letters if often[edits[i]] >= max(4, 0.3 * len(often))}
    sure = [i for i in sure if i not in again]
    if not sure:
        return Slips()
    rare = [i for i in rare if i not in again]
    different = len({edits[i] if i in letters else i for i in sure})
    looked_at = len(rare) - len(sure) + different
    length = float(np.median([len(words[i]) for i in sure]))
    share += (0.3 if length < 4 else 0.25 if length < 6 else 0.1) / (len(honest) + 2.0)
    chance = _tail(different, looked_at, min(1.0, share))
    explained = different / looked_at
    alone = different < 3 and length >= 6
    if 1.0 - share / explained < _PRECISION or chance > (_LEVEL_TIP if alone else _LEVEL):
        return Slips()
    # Rare names are nearer each other than frequent ones: only where slips explain the rare words they are slips.
    breaking = all(any(k == "breaking" for _, k in hits[i]) for i in sure)
    if explained < (0.02 if length >= _SENTENCE or breaking else _EXPLAINED):
        return Slips()
    wide = explained >= 0.5 and different >= 3
    meant: dict[str, str] = {}
    unclear: list[str] = []
    for i in rare:
        of = [j for j, k in hits[i] if k in clean or wide]
        targets = sorted(dict.fromkeys(of), key=lambda j: -int(counts[j]))
        if not targets:
            continue
        if len(targets) == 1 or counts[targets[1]] * 20 <= counts[targets[0]]:
            meant[words[i]] = words[targets[0]]
        else:
            unclear.append(words[i])
    certain = chance <= _LEVEL and different >= 3 and explained >= 0.2
    return Slips(meant, tuple(unclear), chance, certain)


def _clean(words: Sequence[str], near: Near, honest: list[int], kinds: Sequence[str]) -> tuple[set[str], float]:
    """Kinds of slip that hardly ever lie between established words, and the share of these that any of them touches."""
    known = set(honest)
    looked_at = [i for i in honest if i in near]
    meeting: dict[str, int] = defaultdict(int)
    for i in looked_at:
        for kind in {k for j, k in near[i] if j in known}:
            meeting[kind] += 1
    clean = {k for k in kinds if meeting[k] <= 0.05 * len(looked_at)}
    return clean, sum(meeting[k] for k in clean) / (len(looked_at) + 2.0)


Edit = tuple[tuple[int, ...], str, str]


def _edit(came: str, meant: str) -> Edit:
    """Where two words differ, and what stands there in each; of words that are not of one length, where they part."""
    unlike = [i for i, (x, y) in enumerate(zip(came, meant, strict=False)) if x != y]
    if len(came) != len(meant):
        unlike = unlike[:1]
    return tuple(unlike), "".join(came[i] for i in unlike), "".join(meant[i] for i in unlike)


def _tail(hits: int, of: int, share: float) -> float:
    """P(X >= hits) for X ~ Binomial(of, share), by Chernoff's bound."""
    if hits <= share * of:
        return 1.0
    if hits == of:
        return float(share**hits)
    p = hits / of
    gap = p * np.log(p / share) + (1 - p) * np.log((1 - p) / (1 - share))
    return float(np.exp(-of * gap))


class _Index:
    """Established words, to be found from words that are one slip away: everything but two changes by looking up a key."""

    def __init__(self, words: Sequence[str], strong: Sequence[int]) -> None:
        self.words = words
        self.exact = {words[j]: j for j in strong}
        self.numbered = {j: words[j].translate(_DIGITS) for j in strong}  # words alike but for digits are no slips
        # a word without the letters that are one character (place 0), or without the sign at a place; the flag: whether what
        # is left out is a digit, since one digit for another says nothing and ids differ by little else
        self.masks: dict[tuple[str, int, bool], list[int]] = defaultdict(list)
        self.shorter: dict[str, list[int]] = defaultdict(list)
        self.thirds: dict[tuple[int, int, str], list[int]] = defaultdict(list)
        self.by_length: dict[int, list[int]] = defaultdict(list)
        for j in strong:
            word = words[j]
            if len(word) >= _SENTENCE:
                self.by_length[len(word)].append(j)
            for character in dict.fromkeys(word):
                self.masks[word.replace(character, _HOLE), 0, False].append(j)
            if len(word) <= _LONG:
                for i, form in enumerate(_without_one(word)):
                    self.masks[form, i + 1, word[i].isdigit()].append(j)
                    self.shorter[form].append(j)
            if len(word) >= _TWO:
                for key in _in_thirds(word):
                    self.thirds[key].append(j)

    def near(self, word: str) -> list[tuple[int, str]]:
        """Established words one slip away, and the kind of slip; where digits differ is none."""
        at: dict[int, None] = {}
        for character in dict.fromkeys(c for c in word if not c.isdigit()):
            at |= dict.fromkeys(self.masks.get((word.replace(character, _HOLE), 0, False), ()))
        if len(word) <= _LONG:
            for i, form in enumerate(_without_one(word)):
                at |= dict.fromkeys(self.masks.get((form, i + 1, False), ()))
                if not word[i].isdigit():
                    at |= dict.fromkeys(self.masks.get((form, i + 1, True), ()))
                if form in self.exact:
                    at[self.exact[form]] = None
            for i in range(len(word) - 1):
                swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
                if swapped in self.exact:
                    at[self.exact[swapped]] = None
            at |= dict.fromkeys(self.shorter.get(word, ()))
        if len(word) >= _TWO:
            for key in _in_thirds(word):
                at |= dict.fromkeys(self.thirds.get(key, ())[:_CANDIDATES])
        at |= dict.fromkeys(self.by_length.get(len(word), ())[:_CANDIDATES])
        numbered = word.translate(_DIGITS)
        others = (j for j in sorted(at) if self.numbered[j] != numbered)
        kinds = ((j, kind_of(word, self.words[j])) for j in others)
        return [(j, kind) for j, kind in kinds if kind not in ("", "digits")]


def _near(words: Sequence[str], rows: np.ndarray, strong: list[int], rare: list[int], least: int) -> Near:
    """For rare words, and a sample of the established ones, the established words that are one slip away.

    A word of a usual shape breaks nothing: N251AA beside N25134 is another number plate.
    """
    by_shape: dict[str, int] = defaultdict(int)
    forms = [shape(word) for word in words]
    for form, count in zip(forms, rows.tolist(), strict=True):
        by_shape[form] += count
    usual = max(10.0, _USUAL * max(by_shape.values()))

    def hopeless(i: int) -> bool:
        form = forms[i]
        plates = len(words) > _PLATES and "9" in form
        return len(words[i]) < least or (by_shape[form] >= usual and (plates or form.count("a") < _LETTERS))

    todo = [i for i in rare if not hopeless(i)]
    out: Near = {i: [] for i in rare}
    if not todo:
        return out
    index = _Index(words, [j for j in strong if len(words[j]) >= least])
    step = max(1, len(strong) // _SAMPLED)
    for i in [*todo, *strong[::step]]:
        if hopeless(i):
            out[i] = []
        elif by_shape[forms[i]] < usual:
            out[i] = index.near(words[i])
        else:
            out[i] = [(j, k) for j, k in index.near(words[i]) if k != "breaking"]
    return out


def shape(text: str) -> str:
    """Letters as a, digits as 9, everything else as it is.

    >>> shape("AB-12 x")
    'aa-99 a'
    """
    if text.isascii():
        return text.translate(_ASCII_SHAPES)
    return "".join("a" if c.isalpha() else "9" if c.isdigit() else c for c in text)


def cased_shape(text: str) -> str:
    """The same, with capitals as A.

    >>> cased_shape("Ab-1")
    'Aa-9'
    """
    return "".join("A" if t.isupper() and s == "a" else s for s, t in zip(shape(text), text, strict=True))


def one_edit(a: str, b: str) -> bool:
    """Whether two texts are one wrong, missing, added or swapped sign apart.

    >>> one_edit("Yse", "Yes"), one_edit("es", "Yes"), one_edit("No", "Yes")
    (True, True, False)
    """
    if len(a) == len(b):
        unlike = [i for i in range(len(a)) if a[i] != b[i]]
        return len(unlike) == 1 or (
            len(unlike) == 2
            and unlike[1] == unlike[0] + 1
            and a[unlike[0]] + a[unlike[1]] == b[unlike[1]] + b[unlike[0]]
        )
    short, long = sorted((a, b), key=len)
    return len(long) == len(short) + 1 and short in _without_one(long)


def _without_one(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]


def _in_thirds(word: str) -> list[tuple[int, int, str]]:
    """Three pieces with their place: words of one length with two changes share one of them."""
    a, b = len(word) // 3, 2 * len(word) // 3
    return [(len(word), 0, word[:a]), (len(word), 1, word[a:b]), (len(word), 2, word[b:])]
