"""What a result means and what to do about it: three lines, and advice that can be pasted and run.

It works on the dictionaries of results, as `reporting/` does, and measures nothing.
"""

from __future__ import annotations

from uncheck.advising.advice import Advice, Summary
from uncheck.advising.advise import advise, advised, summarise
from uncheck.advising.explain import explain
from uncheck.advising.request import Request
from uncheck.advising.visibility import visibility

__all__ = ["Advice", "Request", "Summary", "advise", "advised", "explain", "summarise", "visibility"]
