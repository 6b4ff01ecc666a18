"""The servers under test, each as plain as its documentation would have it.

Started as `server CONTROL MESSAGE`, each listens on a free port of 127.0.0.1 and says `port …` on stdout; lets every
socket into one room; and for each byte read on the UNIX socket CONTROL raises the `version` of the event in the file
MESSAGE and emits it to the room. It ends when CONTROL is closed.
"""
