"""Fills the tables of claims in the READMEs from the results: `python experiments/claim_pages.py`."""

from lab.claim_tables import main

if __name__ == "__main__":
    main()
