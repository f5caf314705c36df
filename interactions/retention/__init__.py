"""How long interactions are kept: holds, the rule of days by project, and how months and slices go."""
