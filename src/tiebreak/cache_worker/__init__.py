"""PROCESS: the update cache worker. Any number of instances.

Reads the bus and puts answers on boards: each once, however often it comes (the board remembers them). It
knows no database: the board comes from the log alone. It commits its offsets after the boards have the answers
and the rooms have been told, so a crash repeats both and loses neither.
"""
