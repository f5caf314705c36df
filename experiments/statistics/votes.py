"""What is said of two arms' votes beside the win rate."""


def votes_of_two(wins, losses, ties, *, left_wins=None, left_losses=None):
    """Votes as the first arm sees them; `left_wins` and `left_losses`: decided votes with a known side that the left
    side won and lost."""
    raise NotImplementedError
