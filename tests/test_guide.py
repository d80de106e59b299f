"""The guide and the ten planted bugs, by the script that an empty folder is checked with too."""

import re

from agnostic_mask import conformance as c

from .guide import check


def test_the_guide_runs_word_for_word(tmp_path):
    check.follow_the_guide(tmp_path)


def test_ten_planted_bugs_are_found_named_and_repeated(tmp_path):
    check.find_the_bugs(tmp_path)


def test_the_guide_lists_every_law_in_its_own_words():
    table = re.findall(r"^\| `c\.(\w+)` \| (.+) \|$", check.GUIDE.read_text(), re.MULTILINE)
    laws = [x for x in map(c.__dict__.get, c.__all__) if isinstance(x, c.Law)]
    assert sorted(table) == sorted((law.name, law.says) for law in laws)
    assert [name for name, _ in table][: len(c.BASIC)] == [law.name for law in c.BASIC]


def test_the_readme_shows_the_guides_own_lines():
    readme = (check.GUIDE.parent.parent / "README.md").read_text()
    block = r"^<!-- author's lines -->\n```python\n(.*?)^```"
    shown = re.search(block, readme, re.DOTALL | re.MULTILINE)[1]
    files = [text for kind, what, text in check.MARK.findall(check.GUIDE.read_text())]
    assert shown in files
