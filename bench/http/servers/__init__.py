"""The servers under test. Each is started with the path of a setting (see parts.py) and says `port …` on stdout."""
