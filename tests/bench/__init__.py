"""What TalentSeal costs, measured against floors and peers: `scripts/bench`."""
