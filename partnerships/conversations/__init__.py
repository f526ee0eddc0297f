"""Records of meetings, next steps, agendas and attendance; progress reports and the journal."""
