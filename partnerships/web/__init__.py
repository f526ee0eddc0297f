"""Pages that show several rooms: home, My work, the network and the brief."""
