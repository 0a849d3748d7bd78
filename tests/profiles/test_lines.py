"""The line on which a key stands."""

from __future__ import annotations

import tomllib

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from wsgui.profiles.lines import key_lines, last_lines, line_of

TEXT = '''# a comment = 1
name = "x"

[tls] # the section
minimum = "1.2"
a."b.c" = [ # one
  "[not.a.table]", # two
  """
key = 1
""",
]
after = { inner = 1,
  }
'''.replace("inner = 1,\n  }", "inner = 1 }")


def test_each_key_and_header_has_its_line() -> None:
    assert key_lines(TEXT) == {
        ("name",): 2,
        ("tls",): 4,
        ("tls", "minimum"): 5,
        ("tls", "a"): 6,
        ("tls", "a", "b.c"): 6,
        ("tls", "after"): 12,
    }


def test_what_has_no_line_of_its_own_has_that_of_what_it_is_in() -> None:
    assert line_of(key_lines(TEXT), ("tls", "after", "inner")) == 12
    assert line_of(key_lines(TEXT), ("web", "root")) is None


def test_the_last_line_of_each_table() -> None:
    assert last_lines(TEXT) == {(): 2, ("tls",): 12}
    assert last_lines("# only this\n") == {(): 0}


VALUES = st.one_of(
    st.text(max_size=20), st.integers(-9, 9), st.lists(st.text(max_size=8), max_size=3), st.just("\"\"\"\n[x]\n'''")
)
KEYS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), max_size=4))
def test_every_key_of_any_document_is_found_where_it_stands(tables: dict[str, dict[str, object]]) -> None:
    text = tomlkit.dumps(tables)
    assert tomllib.loads(text) == tables
    rows = text.split("\n")
    found = key_lines(text)
    for table, values in tables.items():
        assert rows[found[(table,)] - 1].startswith("[")
        for key in values:
            assert tomlkit.key(key).as_string() in rows[found[table, key] - 1]
