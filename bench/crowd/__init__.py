"""How long the loop of the socket server is blocked while thousands connect, sit in rooms and leave."""
