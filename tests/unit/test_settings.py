"""Settings: read from the environment, described in docs/settings.md."""

import re
from pathlib import Path

import pytest

from tiebreak.errors import SettingsInvalid
from tiebreak.settings import PREFIX, Settings, read_settings, required

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def test_document_lists_every_setting_and_its_default():
    """docs/settings.md and the code name the same variables and defaults."""
    rows = re.findall(r"^\| `(TIEBREAK_\w+)` \| (?:`([^`]*)`)? ?\|", DOCUMENT.read_text(), re.MULTILINE)
    defaults = read_settings({})
    expected = {}
    for field in Settings.__struct_fields__:
        value = getattr(defaults, field)
        expected[PREFIX + field.upper()] = str(value).lower() if isinstance(value, bool) else str(value or "")
    assert dict(rows) == expected


def test_values_are_converted():
    """Numbers and switches are read from text; what is unset has its default."""
    settings = read_settings({"TIEBREAK_PORT": "9000", "TIEBREAK_FORWARD_AUTH": "true", "PATH": "/bin"})
    assert (settings.port, settings.forward_auth, settings.database_pool_size) == (9000, True, 10)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TIEBREAK_PORT", "http"), ("TIEBREAK_PORT", "70000"), ("TIEBREAK_BUS_PARTITIONS", "0"), ("TIEBREAK_PROT", "1")],
)
def test_what_cannot_be_used_is_named(variable, value):
    """The message says which variable it is."""
    with pytest.raises(SettingsInvalid, match=variable):
        read_settings({variable: value})


def test_required():
    """What a process cannot do without is asked for by name."""
    with pytest.raises(SettingsInvalid, match="TIEBREAK_REDIS_URL"):
        required("", "TIEBREAK_REDIS_URL")
