"""What is said of two arms' votes beside the win rate."""

from scipy.special import bdtr

from experiments.statistics.figures import Votes
from feedback.moments import wilson


def votes_of_two(wins, losses, ties, *, left_wins=0, left_losses=0):
    """Votes as the first arm sees them; `left_wins` and `left_losses`: decided votes with a known side that the left
    side won and lost. Far from one half, people vote for a side and not for an answer.

    p is the exact two-sided binomial test of the decided votes against one half. It holds for a single look that was
    planned beforehand, and decides nothing here.
    """
    decided, votes, sided = wins + losses, wins + losses + ties, left_wins + left_losses
    return Votes(
        wins=wins,
        losses=losses,
        ties=ties,
        win_rate=(wins + ties / 2) / votes if votes else None,
        tie_share=ties / votes if votes else None,
        p=min(1.0, 2 * float(bdtr(min(wins, losses), decided, 0.5))) if decided else None,
        left_share=left_wins / sided if sided else None,
        left_interval=wilson(left_wins, sided),
    )
