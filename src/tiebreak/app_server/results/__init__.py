"""What became of a session, for its host: figures, every answer, and files to take away.

Everything is read as of one moment. Nothing is kept: a crash in the middle loses a download, which may be asked for
again. A crowd's answers are read and written in pieces and in a thread, so that players wait for none of it.
"""
