"""The activity log: who did what to which record, and the numbered changes of what people follow."""
