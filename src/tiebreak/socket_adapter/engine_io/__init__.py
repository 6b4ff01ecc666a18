"""Engine.IO protocol version 4: sessions over WebSocket and HTTP long-polling."""
