"""Socket.IO protocol version 5: namespaces, events and acknowledgements over Engine.IO."""
