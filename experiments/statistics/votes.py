"""What is said of two arms' votes beside the win rate."""

from scipy.special import bdtr

from experiments.statistics.figures import Votes


def votes_of_two(wins, losses, ties):
    """Votes as the first arm sees them.

    p is the exact two-sided binomial test of the decided votes against one half. It takes each vote to be another
    judge's, holds for a single look that was planned beforehand, and decides nothing here.
    """
    decided, votes = wins + losses, wins + losses + ties
    return Votes(
        wins=wins,
        losses=losses,
        ties=ties,
        win_rate=(wins + ties / 2) / votes if votes else None,
        tie_share=ties / votes if votes else None,
        p=min(1.0, 2 * float(bdtr(min(wins, losses), decided, 0.5))) if decided else None,
    )
