"""Three or more arms by preferences: Bradley-Terry strengths with ties, and how certain they are."""


def strengths_of_arms(votes, *, judges, times=None, draws=1000, seed=1):
    """Strengths of arms by votes between two of them.

    votes: (arm, arm, score) each, the score being the first one's: 1 won, 0.5 tied, 0 lost. judges: parallel to votes,
    who gave it (any hashable; or the prompt it was about): votes of one judge are drawn together. times: parallel, how
    often that vote was given, 1 unless said. The order of votes and the names of judges change nothing.
    """
    raise NotImplementedError
