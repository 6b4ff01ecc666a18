# What of python-engineio 4, on which python-socketio stands, socket_adapter/server.py uses.
